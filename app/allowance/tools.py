"""What every act on money needs, and the names that its parts share."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.kernel.blobs import BlobStore
from app.policy import PolicyFiles

SUBJECT = "allowance"
CLOSERS = ("finance", "lead")
VIEWERS = ("finance", "lead", "operations", "auditor")
"""Who sees the money of a whole centre."""


@dataclass(frozen=True)
class Tools:
    """Beside the session; built at the edge."""

    files: PolicyFiles
    blobs: BlobStore


def close_key(centre_id: uuid.UUID, month: str) -> str:
    """Of the task that asks for closing a month."""
    return f"allowance_close:{centre_id}:{month}"
