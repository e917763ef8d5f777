"""Exemptions from findings: asked for by one person, decided by another, over by themselves."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.compliance import exemption_store as store
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_rules import MAX_SUBJECT, ask_problems
from app.compliance.exemption_states import Event, State
from app.compliance.exemption_telling import (
    ask_for_decision,
    close_decision,
    tell_decided,
    tell_ended,
    tell_ending,
)
from app.compliance.service import SUBJECT, make_due
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective, effective_many
from app.registry import find_handset, held_by

ASKERS = ("operations", "it", "lead")
APPROVERS = ("operations", "lead")
CENTRE_APPROVERS = ("operations",)
"""A whole centre's exemption is beyond its lead: his own centre's figures would look better by it."""
MAX_REASON = 1000
MAX_NOTE = 500
_SWEEP = 500


@dataclass(frozen=True)
class Asked:
    """What is asked: one finding of one phone, or with `handset_id` None of every phone of the centre `centre_id`.

    `valid_to`: the first instant at which it no longer holds.
    """

    handset_id: uuid.UUID | None
    centre_id: uuid.UUID | None
    code: str
    subject: str
    reason: str
    valid_to: dt.datetime


def ask(
    session: Session, principal: Principal, asked: Asked, *, policies: PolicyFiles, now: dt.datetime
) -> ComplianceExemption:
    """Write down a request; it exempts nothing until `approve`.

    Raise `Invalid` with the fields, `NotFound`, `Forbidden`, `Conflict` while a like one waits or lasts as long.
    """
    centre_id = _place_of(session, principal, asked)
    principal.require_role(centre_id, *ASKERS)
    reason, subject = one_line(asked.reason, MAX_REASON), one_line(asked.subject, MAX_SUBJECT + 1)
    problems = ask_problems(
        code=asked.code, whole_centre=asked.handset_id is None, subject=subject, reason=reason,
        valid_to=asked.valid_to, now=now, max_days=max_days(session, policies, centre_id),
    )  # fmt: skip
    if problems:
        raise Invalid("申请的内容不合适 / this will not do", fields=problems)
    store.lock_subject(session, centre_id, asked.handset_id)
    for like in store.like(session, centre_id, asked.handset_id, asked.code, subject):
        if like.state == State.REQUESTED:
            raise Conflict("同样的申请正在等待批准 / a like request waits", code="exemption_waits")
        if like.valid_to >= asked.valid_to:
            raise Conflict("已有的例外不比它早结束 / one in force lasts as long", code="exemption_lasts")
    row = ComplianceExemption(
        centre_id=centre_id, handset_id=asked.handset_id, code=asked.code, subject=subject, reason=reason,
        state=State.REQUESTED, valid_to=asked.valid_to, requested_by=principal.user, requested_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, principal.user, row, "ask", now, reason)
    ask_for_decision(session, row, approvers_of(row), now)
    return row


def approve(
    session: Session, principal: Principal, exemption_id: uuid.UUID, *, note: str = "", now: dt.datetime
) -> ComplianceExemption:
    """Another person than who asked, and than whoever has the phone. It holds from now.

    Raise `NotFound`, `Forbidden`, `Conflict` when it was decided meanwhile or its end has come.
    """
    row = _deciding(session, principal, exemption_id, now)
    if row.valid_to <= now:
        raise Conflict("申请的结束日期已过，请重新申请 / its end has come: ask anew", code="exemption_over")
    text = one_line(note, MAX_NOTE)
    store.move(
        session, row, Event.APPROVE, decided_by=principal.user, decided_at=now, decision=text, valid_from=now
    )
    _decided(session, row, Event.APPROVE, now)
    _judge_again(session, row)
    return row


def decline(
    session: Session, principal: Principal, exemption_id: uuid.UUID, *, note: str, now: dt.datetime
) -> ComplianceExemption:
    """As `approve`; says why."""
    row = _deciding(session, principal, exemption_id, now)
    text = _reason(note)
    store.move(session, row, Event.DECLINE, decided_by=principal.user, decided_at=now, decision=text)
    _decided(session, row, Event.DECLINE, now)
    return row


def withdraw(
    session: Session, principal: Principal, exemption_id: uuid.UUID, *, now: dt.datetime
) -> ComplianceExemption:
    """Take back what nobody has decided: by who asked, or by whoever could approve it."""
    row = store.find(session, principal, exemption_id)
    if principal.user != row.requested_by:
        principal.require_role(row.centre_id, *approvers_of(row))
    store.move(session, row, Event.WITHDRAW, ended_by=principal.user, ended_at=now)
    _note(session, principal.user, row, Event.WITHDRAW, now)
    close_decision(session, row, "申请已撤回", principal.user, now)
    return row


def end(
    session: Session, principal: Principal, exemption_id: uuid.UUID, *, note: str, now: dt.datetime
) -> ComplianceExemption:
    """End what is in force, from now on: one person is enough, for it only makes the rule hold again. Says why."""
    row = store.find(session, principal, exemption_id)
    principal.require_role(row.centre_id, *ASKERS)
    _end(session, row, principal.user, _reason(note), now)
    return row


def sweep(session: Session, now: dt.datetime) -> int:
    """End what is over: its end came, or its phone went to another centre or out of service."""
    rows = store.over(session, now, _SWEEP)
    for row in rows:
        if row.state == State.REQUESTED:
            store.move(session, row, Event.LAPSE, ended_by=SYSTEM.user, ended_at=now)
            _note(session, SYSTEM.user, row, Event.LAPSE, now)
            close_decision(session, row, "过期未批", SYSTEM.user, now)
            tell_decided(session, row, "lapse", now)
        else:
            _end(session, row, SYSTEM.user, "" if row.valid_to <= now else "手机已调离或停用", now)
    return len(rows)


def remind(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Tell who asked that an exemption ends within policy's days, once; one that never lasted longer is not told of."""
    rows = store.in_force(session, now)
    found = effective_many(session, policies, SUBJECT, {row.centre_id for row in rows})
    told = 0
    for row in rows:
        ahead = dt.timedelta(days=found[row.centre_id].body["exemption"]["remind_days"])
        lasting = row.valid_from is not None and row.valid_to - row.valid_from > ahead
        if lasting and row.valid_to - ahead <= now:
            told += tell_ending(session, row, now)
    return told


def max_days(session: Session, policies: PolicyFiles, centre_id: uuid.UUID) -> int:
    return int(effective(session, policies, SUBJECT, centre_id).body["exemption"]["max_days"])


def approvers_of(row: ComplianceExemption) -> tuple[str, ...]:
    return CENTRE_APPROVERS if row.handset_id is None else APPROVERS


def acts_of(principal: Principal, row: ComplianceExemption, now: dt.datetime) -> tuple[str, ...]:
    """What the caller is shown to press. That he has the phone himself is found by the act: it asks the registry."""
    mine, decides = principal.user == row.requested_by, principal.may(row.centre_id, *approvers_of(row))
    if row.state == State.REQUESTED:
        own = ("withdraw",) if mine or decides else ()
        if not decides or mine:
            return own
        return ("approve", "decline", *own) if row.valid_to > now else ("decline", *own)
    if row.state == State.APPROVED and row.valid_to > now and principal.may(row.centre_id, *ASKERS):
        return ("end",)
    return ()


def _place_of(session: Session, principal: Principal, asked: Asked) -> uuid.UUID:
    if asked.handset_id is not None:
        phone = find_handset(session, principal, asked.handset_id)
        if asked.centre_id not in (None, phone.centre_id):
            raise Invalid("手机不属于这个服务中心 / the phone is not of that centre")
        if phone.retired_at is not None:
            raise Conflict("手机已停用 / the phone is out of service", code="retired")
        return phone.centre_id
    if asked.centre_id is None or not principal.sees(asked.centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    return asked.centre_id


def _deciding(
    session: Session, principal: Principal, exemption_id: uuid.UUID, now: dt.datetime
) -> ComplianceExemption:
    row = store.find(session, principal, exemption_id)
    principal.require_role(row.centre_id, *approvers_of(row))
    principal.require_person()
    if principal.user == row.requested_by:
        raise Forbidden("申请人不能批准自己的申请 / another person must decide", code="second_person")
    if _benefits(session, principal, row, now):
        raise Forbidden("手机由您保管，请另一人决定 / not by who has the phone", code="second_person")
    return row


def _benefits(session: Session, principal: Principal, row: ComplianceExemption, now: dt.datetime) -> bool:
    """Whether the caller himself answers for the phone, or for a phone of the centre."""
    if principal.employee is None:
        return False
    held = held_by(session, SYSTEM, principal.employee, now)
    if row.handset_id is not None:
        return any(custody.handset_id == row.handset_id for custody in held)
    return any(
        find_handset(session, SYSTEM, custody.handset_id).centre_id == row.centre_id for custody in held
    )


def _decided(session: Session, row: ComplianceExemption, event: Event, now: dt.datetime) -> None:
    by = row.decided_by or SYSTEM.user
    _note(session, by, row, event, now, row.decision or "")
    close_decision(session, row, row.decision or "已处理", by, now)
    tell_decided(session, row, event, now)


def _end(session: Session, row: ComplianceExemption, actor: str, reason: str, now: dt.datetime) -> None:
    store.move(session, row, Event.END, ended_by=actor, ended_at=now, end_reason=reason)
    _note(session, actor, row, Event.END, now, reason)
    _judge_again(session, row)
    tell_ended(session, row, now)


def _judge_again(session: Session, row: ComplianceExemption) -> None:
    if row.handset_id is not None:
        make_due(session, handset_ids=[row.handset_id])
    else:
        make_due(session, centre_id=row.centre_id)


def _reason(note: str) -> str:
    text = one_line(note, MAX_NOTE)
    if not text:
        raise Invalid("请写明原因 / say why", code="reason")
    return text


def _note(
    session: Session, actor: str, row: ComplianceExemption, verb: str, now: dt.datetime, reason: str = ""
) -> None:
    details = {
        "handset": str(row.handset_id) if row.handset_id else None, "code": row.code, "subject": row.subject,
        "valid_to": row.valid_to.isoformat(),
    }  # fmt: skip
    entry = AuditEvent(
        at=now, actor=actor, action=f"exemption.{verb}", object=f"exemption:{row.id}",
        centre_id=row.centre_id, reason=reason, details=details,
    )  # fmt: skip
    record(session, entry)
