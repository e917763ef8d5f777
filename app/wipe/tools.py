"""What every act of this room needs beside the session, and who may do what."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.blobs import BlobStore
from app.kernel.keys import KeyStore
from app.policy import Policy, PolicyFiles, effective

SUBJECT = "wipe"
ASKERS = ("it", "operations", "lead")
APPROVERS = ("lead",)
APPROVERS_FOR_LEADS = ("lead", "operations")
"""Where a lead asked, so that a centre with one lead is not stuck."""
PERFORMERS = ("it",)
VIEWERS = ("it", "operations", "lead", "auditor")
MAX_REASON = 500


@dataclass(frozen=True)
class Tools:
    """Built at the edge. `checkpoint_dir`: where signed checkpoints are kept elsewhere, None: nowhere here."""

    policies: PolicyFiles
    blobs: BlobStore
    keys: KeyStore
    checkpoint_dir: Path | None


def wipe_path(wipe_id: uuid.UUID) -> str:
    return f"/wipes/{wipe_id}"


def policy_of(session: Session, tools: Tools, centre_id: uuid.UUID) -> Policy:
    return effective(session, tools.policies, SUBJECT, centre_id)


def span_of(body: Any, name: str) -> dt.timedelta:
    """A policy's number as a span, by the unit that its name ends in."""
    unit = name.rpartition("_")[2]
    return dt.timedelta(**{unit: body[name]})
