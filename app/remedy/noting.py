"""What is written of every step: the case's own history, and of what people and gateways do the audit trail."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.remedy.model import RemedyCase, RemedyStep

AUDITED = frozenset(
    {
        "order", "cancel", "dismiss", "restore", "send", "resend", "word", "late_word", "stop", "verify", "bring_back",
        "keep",
    }
)  # fmt: skip
"""The ladder's own steps are in the case's history; each in the trail would bury what somebody did."""


def write_step(
    session: Session,
    case: RemedyCase,
    step: str,
    words: str,
    by: str,
    now: dt.datetime,
    *,
    outcome: str = "ok",
    **details: Any,
) -> None:
    session.add(
        RemedyStep(
            centre_id=case.centre_id, case_id=case.id, handset_id=case.handset_id, at=now, step=step, by=by,
            words=words, details=details,
        )
    )  # fmt: skip
    session.flush()
    if step not in AUDITED:
        return
    event = AuditEvent(
        at=now, actor=by, action=f"remedy.{step}", object=f"remedy:{case.id}", centre_id=case.centre_id,
        reason=words[:500], outcome=outcome,
        details={
            "handset": str(case.handset_id), "code": case.code, "subject": case.subject, "state": str(case.state),
            **details,
        },
    )  # fmt: skip
    record(session, event)
