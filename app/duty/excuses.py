"""Maintenance and repair: times in which a phone need not be on. What is filed afterwards needs another person."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.duty import store
from app.duty.answering import answerable_within
from app.duty.messages import REASONS, tell_excuse, user_recipients
from app.duty.model import Excuse
from app.duty.rules import NEAR, excuse_problems, needs_approval
from app.duty.states import Excuse as State
from app.duty.states import ExcuseEvent as Event
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective
from app.registry import find_handset, holder_of
from app.tasks import close_task, open_task
from app.uptime import queue_settling

FILERS = ("operations", "it", "lead")
APPROVERS = ("operations", "lead")
MAX_NOTE = 500


@dataclass(frozen=True)
class Filed:
    """`[starts_at, ends_at)`; `ends_at` None only for a repair whose end nobody knows yet."""

    handset_id: uuid.UUID
    reason: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    note: str


def file_excuse(
    session: Session, principal: Principal, filed: Filed, *, policies: PolicyFiles, now: dt.datetime
) -> Excuse:
    """Write down a maintenance or a repair. It holds at once when filed ahead and short, by nobody whom it excuses;
    else another person approves.

    Raise `Invalid` with the fields, `NotFound`, `Forbidden`, `Conflict` for one of the same kind within that span.
    """
    handset = find_handset(session, principal, filed.handset_id)
    principal.require_role(handset.centre_id, *FILERS)
    policy = effective(session, policies, "duty", handset.centre_id).body
    problems = excuse_problems(filed.starts_at, filed.ends_at, filed.reason, now, policy)
    note = one_line(filed.note, MAX_NOTE)
    if not note:
        problems.append(FieldError("note", "required", "请写明事由 / say what for"))
    if problems:
        raise Invalid("登记的内容不合适 / this will not do", fields=problems)
    store.lock_handset(session, handset.id)
    if store.overlapping_excuse(session, handset.id, filed.reason, filed.starts_at, filed.ends_at):
        raise Conflict("该时段已有同类登记 / one of this kind lies within that span", code="overlap")
    free = store.unapproved(session, handset.id, filed.starts_at - NEAR)
    concerned = answerable_within(session, handset.id, filed.starts_at, filed.ends_at)
    waits = principal.employee in concerned or needs_approval(
        filed.starts_at, filed.ends_at, now, policy, free
    )
    row = Excuse(
        centre_id=handset.centre_id, handset_id=handset.id, reason=filed.reason, starts_at=filed.starts_at,
        ends_at=filed.ends_at, state=State.PENDING if waits else State.APPROVED, note=note,
        filed_by=principal.user, filed_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, principal.user, row, "file", now, note)
    if waits:
        _ask(session, row, now)
    else:
        _in_force(session, row, "file", "免责时段已登记", now)
    return row


def task_key(row: Excuse) -> str:
    return f"duty.approve:{row.id}"


def repair_key(row: Excuse) -> str:
    return f"duty.repair:{row.id}"


def _ask(session: Session, row: Excuse, now: dt.datetime) -> None:
    open_task(
        session, key=task_key(row), kind="excuse", centre_id=row.centre_id,
        title=f"批准{REASONS[row.reason]}登记", body=row.note, link="/duty?show=excuses&state=pending",
        handset_id=row.handset_id, roles=APPROVERS, now=now,
    )  # fmt: skip


def _in_force(session: Session, row: Excuse, step: str, title: str, now: dt.datetime) -> None:
    queue_settling(session, {row.handset_id: row.centre_id}, now)
    body = f"该时段内手机不要求开机。事由：{row.note}"
    tell_excuse(session, row, step, title, body, user_recipients(row.filed_by, _custodian(session, row)), now)


def _custodian(session: Session, row: Excuse) -> uuid.UUID | None:
    """Whom it excuses first: who had the phone when it began."""
    found = holder_of(session, SYSTEM, row.handset_id, row.starts_at)
    return None if found is None else found.employee_id


def approve(
    session: Session, principal: Principal, excuse_id: uuid.UUID, *, note: str = "", now: dt.datetime
) -> Excuse:
    """Another person than the one who filed it, and than the one whom it excuses. Raise `Forbidden`, `Conflict`."""
    row = _deciding(session, principal, excuse_id, now)
    _decide(session, row, principal, Event.APPROVE, note, now)
    _in_force(session, row, "approve", "免责时段已批准", now)
    return row


def reject(
    session: Session, principal: Principal, excuse_id: uuid.UUID, *, note: str, now: dt.datetime
) -> Excuse:
    """As `approve`; says why."""
    row = _deciding(session, principal, excuse_id, now)
    if not note.strip():
        raise Invalid("请写明不批准的原因 / say why", code="reason")
    _decide(session, row, principal, Event.REJECT, note, now)
    body = f"没有批准，该时段仍要求开机。原因：{row.decision}"
    to = user_recipients(row.filed_by, _custodian(session, row))
    tell_excuse(session, row, "reject", "免责登记未批准", body, to, now)
    return row


def _deciding(session: Session, principal: Principal, excuse_id: uuid.UUID, now: dt.datetime) -> Excuse:
    row = store.find(session, principal, Excuse, excuse_id, now)
    principal.require_role(row.centre_id, *APPROVERS)
    principal.require_person()
    if principal.user == row.filed_by:
        raise Forbidden("登记人不能批准自己的登记 / another person must decide", code="second_person")
    if principal.employee in answerable_within(session, row.handset_id, row.starts_at, row.ends_at):
        raise Forbidden("对手机负责的人不能批准 / not by whom it excuses", code="second_person")
    return row


def _decide(
    session: Session, row: Excuse, principal: Principal, event: Event, note: str, now: dt.datetime
) -> None:
    text = one_line(note, MAX_NOTE)
    store.move(session, row, event, decided_by=principal.user, decided_at=now, decision=text)
    _note(session, principal.user, row, event, now, text)
    close_task(session, task_key(row), how=text or "已处理", by=principal.user, now=now)


def withdraw_excuse(
    session: Session, principal: Principal, excuse_id: uuid.UUID, *, now: dt.datetime
) -> Excuse:
    """Take back what nobody has decided: by who filed it, or the desk."""
    row = store.find(session, principal, Excuse, excuse_id, now)
    if principal.user != row.filed_by:
        principal.require_role(row.centre_id, *APPROVERS)
    _end(session, row, principal.user, Event.WITHDRAW, "", now)
    close_task(session, task_key(row), how="登记已撤回", by=principal.user, now=now)
    return row


def close(
    session: Session, principal: Principal, excuse_id: uuid.UUID, *, note: str = "", now: dt.datetime
) -> Excuse:
    """The phone is back: it must be on again from now. Raise `Conflict` when its end has come already."""
    row = store.find(session, principal, Excuse, excuse_id, now)
    principal.require_role(row.centre_id, *FILERS)
    if row.ends_at is not None and row.ends_at <= now:
        raise Conflict("该时段已经结束 / its end has come already", code="duty_over")
    _end(session, row, principal.user, Event.CLOSE, note, now, ends_at=max(row.starts_at, now))
    _out_of_force(session, row, "close", "免责时段已结束", "手机从现在起重新要求开机。", now)
    return row


def void_excuse(
    session: Session, principal: Principal, excuse_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Excuse:
    """It excuses nothing, from its beginning on. By the desk, with a reason, not by who filed it."""
    row = store.find(session, principal, Excuse, excuse_id, now)
    principal.require_role(row.centre_id, *APPROVERS)
    principal.require_person()
    if principal.user == row.filed_by:
        raise Forbidden("登记人不能自己作废，可以结束它 / another person must void it", code="second_person")
    if not reason.strip():
        raise Invalid("请写明原因 / say why", code="reason")
    _end(session, row, principal.user, Event.VOID, reason, now)
    body = f"该时段视为没有免责。原因：{row.end_reason}"
    _out_of_force(session, row, "void", "免责时段已作废", body, now)
    return row


def _out_of_force(session: Session, row: Excuse, step: str, title: str, body: str, now: dt.datetime) -> None:
    queue_settling(session, {row.handset_id: row.centre_id}, now)
    close_task(session, repair_key(row), how=title, by=row.ended_by or "system", now=now)
    to = user_recipients(row.filed_by, _custodian(session, row))
    tell_excuse(session, row, step, title, body, to, now)


def _end(
    session: Session, row: Excuse, actor: str, event: Event, reason: str, now: dt.datetime, **changes: Any
) -> None:
    text = one_line(reason, MAX_NOTE)
    store.move(session, row, event, ended_by=actor, ended_at=now, end_reason=text, **changes)
    _note(session, actor, row, event, now, text)


def _note(session: Session, actor: str, row: Excuse, verb: str, now: dt.datetime, reason: str = "") -> None:
    entry = AuditEvent(
        at=now, actor=actor, action=f"excuse.{verb}", object=f"excuse:{row.id}", centre_id=row.centre_id,
        reason=reason, details={"handset": str(row.handset_id), "reason": row.reason},
    )  # fmt: skip
    record(session, entry)
