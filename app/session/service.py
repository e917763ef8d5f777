"""What the audit trail keeps of signing in and out."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.tenancy import Principal


def note_begin(session: Session, principal: Principal, *, ip: str, now: dt.datetime) -> None:
    _note(session, "session.begin", principal, ip, now)


def note_end(session: Session, principal: Principal, *, ip: str, now: dt.datetime) -> None:
    _note(session, "session.end", principal, ip, now)


def _note(session: Session, action: str, principal: Principal, ip: str, now: dt.datetime) -> None:
    record(
        session,
        AuditEvent(at=now, actor=principal.user, action=action, object=f"principal:{principal.user}", ip=ip),
    )
