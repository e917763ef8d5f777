"""What every act of this room needs beside the session, and the names that its parts share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.blobs import BlobStore
from app.kernel.keys import KeyStore
from app.policy import Policy, PolicyFiles, effective

SUBJECT = "transfer"
DOERS = ("it", "operations", "lead")
LEADS = ("lead",)
VIEWERS = ("it", "operations", "lead", "auditor")
PATH_READERS = ("it", "lead")
"""Names of files tell of customers: not everybody who sees that a transfer was made sees them."""
MAX_PHOTOS = 6
PART_WORDS: Mapping[str, str] = {
    "files": "照片、视频和文件",
    "contacts": "通讯录",
    "calls": "通话记录",
    "messages": "短信",
}


@dataclass(frozen=True)
class Tools:
    """Built at the edge."""

    policies: PolicyFiles
    blobs: BlobStore
    keys: KeyStore


def policy_of(session: Session, files: PolicyFiles, centre_id: uuid.UUID) -> Policy:
    return effective(session, files, SUBJECT, centre_id)


def transfer_path(transfer_id: Any) -> str:
    return f"/transfers/{transfer_id}"
