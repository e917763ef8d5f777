"""What we draw at random and what we keep of it. Plain values only."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "bpm_"  # noqa: S105 - tells a program's key from anything else, and scanners what leaked
_BYTES = 32


def new_secret() -> str:
    """256 random bits as text for a cookie."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    return TOKEN_PREFIX + new_secret()


def kept(secret: str) -> str:
    """What the database keeps of a secret of 256 random bits: such a one needs no slow hash."""
    return hashlib.sha256(b"butler-secret\0" + secret.encode()).hexdigest()
