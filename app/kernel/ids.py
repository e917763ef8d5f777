"""Ids that the outside sees: UUIDv7, so that they sort by birth and tell nothing else."""

from __future__ import annotations

import uuid

import uuid_utils.compat


def new_id() -> uuid.UUID:
    return uuid_utils.compat.uuid7()


def parse_id(text: str) -> uuid.UUID | None:
    """The id in `text`, or None when it is none; for look-ups, where a malformed id is simply not found."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
