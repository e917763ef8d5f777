"""What the audit trail keeps of signing in and out."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record


def note_begin(session: Session, actor: str, *, ip: str, now: dt.datetime) -> None:
    _note(session, "session.begin", actor, ip, now)


def note_end(session: Session, actor: str, *, ip: str, now: dt.datetime) -> None:
    _note(session, "session.end", actor, ip, now)


def note_refused(session: Session, actor: str, *, step: str, ip: str, now: dt.datetime) -> None:
    """A wrong password or code for somebody who exists; the brake bounds how many there can be."""
    entry = AuditEvent(
        at=now, actor=actor, action="session.refused", object=f"principal:{actor}", ip=ip, outcome="refused",
        details={"step": step},
    )  # fmt: skip
    record(session, entry)


def _note(session: Session, action: str, actor: str, ip: str, now: dt.datetime) -> None:
    record(session, AuditEvent(at=now, actor=actor, action=action, object=f"principal:{actor}", ip=ip))
