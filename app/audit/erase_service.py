"""Personal details go, the chain stays: their salted commitments remain in it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.audit import store
from app.audit.rules import GENESIS
from app.audit.service import AuditEvent, record
from app.audit.walk_rules import ERASED, as_spans
from app.kernel.errors import FieldError, Invalid
from app.kernel.texts import one_line

MAX_REASON = 500


def erase(session: Session, subject: str, *, actor: str, reason: str, now: dt.datetime, ip: str = "") -> int:
    """Erase the details of all events of an object (`kind:id`); how many events that were.

    The erasure is itself an event, which names them: details that are gone without one are found as tampering.
    Raise `Invalid` without a reason, or when there is nothing to erase.
    """
    reason = one_line(reason, MAX_REASON)
    if not reason:
        raise Invalid(
            "请写明原因 / a reason is needed", fields=[FieldError("reason", "required", "请写明原因")]
        )
    size = store.locked_head(session, GENESIS).size
    numbers = store.erasable(session, subject, size)
    if not numbers:
        raise Invalid(
            "这个对象没有可以删除的详情 / no event of this object has details", code="nothing_to_erase"
        )
    store.forget_details(session, numbers)
    details = {"events": as_spans(numbers)}
    record(
        session,
        AuditEvent(at=now, actor=actor, action=ERASED, object=subject, ip=ip, reason=reason, details=details),
    )
    return len(numbers)
