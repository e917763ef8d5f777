"""Names in the audit trail that are no person's."""

from __future__ import annotations

TOKEN_USER = "access-token"  # noqa: S105 - a name, no secret
"""Whoever holds the installation's own token: an administrator without a name."""
SYSTEM_USER = "system"
