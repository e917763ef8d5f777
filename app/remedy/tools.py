"""What every act of this room needs beside the session, and who may do what."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.policy import PolicyFiles, effective

SUBJECT = "remedy"
ORDERERS = ("lead", "it", "operations")
DISMISSERS = ("lead", "operations")
VIEWERS = ("lead", "it", "operations", "auditor")
MAX_REASON = 500
REMOVE, RESTORE = "remove_app", "restore_app"


@dataclass(frozen=True)
class Tools:
    """Built at the edge."""

    policies: PolicyFiles


def case_path(case_id: uuid.UUID) -> str:
    return f"/remedies/{case_id}"


def body_of(session: Session, tools: Tools, centre_id: uuid.UUID) -> Mapping[str, Any]:
    """The policy `remedy` of a centre."""
    return effective(session, tools.policies, SUBJECT, centre_id).body


def span_of(body: Mapping[str, Any], name: str) -> dt.timedelta:
    """A policy's number as a span, by the unit that its name ends in."""
    return dt.timedelta(**{name.rpartition("_")[2]: body[name]})
