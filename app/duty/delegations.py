"""A phone is entrusted, accepted or not, and given back (N01). Until it is accepted the giver answers."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.duty import store
from app.duty.messages import tell_delegation
from app.duty.model import Delegation
from app.duty.rules import delegation_problems
from app.duty.states import Delegation as State
from app.duty.states import DelegationEvent as Event
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.people import user_of_employee
from app.policy import PolicyFiles, effective
from app.registry import Custody, Employee, find_handset, holder_of
from app.uptime import queue_settling

DESK = ("operations", "lead")
"""Who may act on somebody's behalf."""
MAX_NOTE = 500


@dataclass(frozen=True)
class Wanted:
    """`[starts_at, ends_at)`; it holds from its acceptance on, whenever it was to begin."""

    handset_id: uuid.UUID
    to_post_id: uuid.UUID
    starts_at: dt.datetime
    ends_at: dt.datetime
    note: str = ""


def propose(
    session: Session, principal: Principal, wanted: Wanted, *, policies: PolicyFiles, now: dt.datetime
) -> Delegation:
    """Ask the holder of a post to take a phone: by its custodian, or by operations or the lead on his behalf.

    Raise `Invalid` with the fields, `NotFound`, `Forbidden`, or `Conflict` for a phone or post that nobody has, and for
    a phone that is entrusted within that span already.
    """
    giver = _custodian(session, principal, wanted.handset_id, now)
    _require_party(principal, giver.centre_id, giver.employee_id)
    post = store.find_post(session, principal, wanted.to_post_id)
    taker = store.holder_of_post(session, post.id, now)
    if post.centre_id != giver.centre_id or post.id == giver.post_id:
        raise Conflict("只能委托给本服务中心的另一个岗位 / to another post of this centre only", code="post")
    if taker is None or taker.id == giver.employee_id:
        raise Conflict("该岗位现在没有别人在岗 / nobody else holds that post now", code="post_vacant")
    problems = delegation_problems(
        wanted.starts_at, wanted.ends_at, now, effective(session, policies, "duty", giver.centre_id).body
    )
    if problems:
        raise Invalid("委托的时间不合适 / the span will not do", fields=problems)
    store.lock_handset(session, wanted.handset_id)
    if store.overlapping_delegation(session, wanted.handset_id, wanted.starts_at, wanted.ends_at):
        raise Conflict("这部手机在该时段已有委托 / entrusted within that span already", code="overlap")
    row = Delegation(
        centre_id=giver.centre_id, handset_id=wanted.handset_id, from_post_id=giver.post_id,
        giver_id=giver.employee_id, to_post_id=post.id, starts_at=wanted.starts_at, ends_at=wanted.ends_at,
        state=State.PROPOSED, note=one_line(wanted.note, MAX_NOTE), created_by=principal.user, created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, principal.user, row, "propose", now)
    body = f"{giver.employee_name} 请您在委托期间代管这部手机。接受以后，期间的开机责任由您承担；不接受则仍由对方负责。"
    tell_delegation(session, row, "propose", "委托待接受", body, (taker.id,), now)
    return row


def _custodian(session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime) -> Custody:
    handset = find_handset(session, principal, handset_id)
    found = holder_of(session, principal, handset.id, now)
    if found is None or found.employee_id is None:
        raise Conflict("这部手机现在没有人保管 / nobody has this phone now", code="no_custody")
    return found


def _require_party(principal: Principal, centre_id: uuid.UUID, *employees: uuid.UUID | None) -> None:
    """One of the persons whom it concerns, or the desk on his behalf."""
    if principal.employee is None or principal.employee not in employees:
        principal.require_role(centre_id, *DESK)


def accept(
    session: Session, principal: Principal, delegation_id: uuid.UUID, *, answer: str = "", now: dt.datetime
) -> Delegation:
    """The holder of the post takes the phone: he answers from now on, or from its beginning where that is to come.

    For somebody who has no user the desk may write it down, not the one who proposed it, and saying how he agreed.
    Raise `Forbidden`, `Conflict` when it is no longer open, its end has come, or the giver has the phone no longer.
    """
    row = store.find(session, principal, Delegation, delegation_id, now)
    taker = _taker(session, principal, row, answer, now)
    if row.ends_at <= now:
        raise Conflict("委托时间已过 / its end has come", code="duty_over")
    held = holder_of(session, principal, row.handset_id, now)
    if held is None or held.employee_id != row.giver_id:
        raise Conflict("委托人已不再保管这部手机 / the giver has the phone no longer", code="no_custody")
    if taker.id == row.giver_id:
        raise Conflict("委托人自己接管了该岗位 / the giver holds that post himself", code="post_vacant")
    _answer(
        session, row, principal, Event.ACCEPT, answer, now,
        delegate_id=taker.id, force_from=max(row.starts_at, now), force_to=row.ends_at,
    )  # fmt: skip
    queue_settling(session, {row.handset_id: row.centre_id}, now)
    body = f"{taker.name} 已接受委托，期间的开机责任由 {taker.name} 承担。"
    tell_delegation(session, row, "accept", "委托已接受", body, (row.giver_id, row.delegate_id), now)
    return row


def decline(
    session: Session, principal: Principal, delegation_id: uuid.UUID, *, answer: str = "", now: dt.datetime
) -> Delegation:
    """Not taken: the giver goes on answering. Raise as `accept`."""
    row = store.find(session, principal, Delegation, delegation_id, now)
    taker = _taker(session, principal, row, answer, now)
    _answer(session, row, principal, Event.DECLINE, answer, now, delegate_id=taker.id)
    body = f"{taker.name} 没有接受委托，手机仍由您负责。"
    tell_delegation(session, row, "decline", "委托未被接受", body, (row.giver_id,), now)
    return row


def _taker(
    session: Session, principal: Principal, row: Delegation, answer: str, now: dt.datetime
) -> Employee:
    """Who holds the post now, if the caller may answer for him."""
    taker = store.holder_of_post(session, row.to_post_id, now)
    if taker is None:
        raise Conflict("该岗位现在没有人 / nobody holds that post now", code="post_vacant")
    if principal.employee == taker.id:
        return taker
    principal.require_role(row.centre_id, *DESK)
    principal.require_person()
    if user_of_employee(session, taker.id) is not None:
        raise Forbidden("要由对方本人答复 / he has a user: he answers himself", code="own_answer")
    if principal.user == row.created_by or principal.employee == row.giver_id:
        raise Forbidden(
            "登记委托的人不能代为答复 / another person must write down the answer", code="second_person"
        )
    if not answer.strip():
        raise Invalid("请写明对方如何答复 / say how he answered", code="reason")
    return taker


def _answer(
    session: Session,
    row: Delegation,
    principal: Principal,
    event: Event,
    answer: str,
    now: dt.datetime,
    **changes: Any,
) -> None:
    text = one_line(answer, MAX_NOTE)
    store.move(session, row, event, answered_by=principal.user, answered_at=now, answer=text, **changes)
    _note(session, principal.user, row, event, now, text)


def withdraw(
    session: Session, principal: Principal, delegation_id: uuid.UUID, *, now: dt.datetime
) -> Delegation:
    """Take back what nobody has answered: by the giver, or the desk."""
    row = store.find(session, principal, Delegation, delegation_id, now)
    _require_party(principal, row.centre_id, row.giver_id)
    _end(session, row, principal.user, Event.WITHDRAW, "", now)
    taker = store.holder_of_post(session, row.to_post_id, now)
    people = (None if taker is None else taker.id,)
    tell_delegation(session, row, "withdraw", "委托已撤回", "对方撤回了委托，无需处理。", people, now)
    return row


def give_back(
    session: Session, principal: Principal, delegation_id: uuid.UUID, *, note: str = "", now: dt.datetime
) -> Delegation:
    """End it early: by the giver, the delegate, or the desk. From now on the custodian answers again."""
    row = store.find(session, principal, Delegation, delegation_id, now)
    _require_party(principal, row.centre_id, row.giver_id, row.delegate_id)
    if row.force_from is None or row.ends_at <= now:
        raise Conflict("这项委托没有生效，或已经结束 / not in force, or over", code="duty_state")
    _end(session, row, principal.user, Event.RETURN, note, now, force_to=max(row.force_from, now))
    queue_settling(session, {row.handset_id: row.centre_id}, now)
    people = (row.giver_id, row.delegate_id)
    tell_delegation(session, row, "return", "委托已归还", "从现在起手机重新由保管人负责。", people, now)
    return row


def void(
    session: Session, principal: Principal, delegation_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Delegation:
    """Entered by mistake: it counts for nothing, from its beginning on. By the desk, none of the two, with a reason."""
    row = store.find(session, principal, Delegation, delegation_id, now)
    principal.require_role(row.centre_id, *DESK)
    if principal.employee is not None and principal.employee in (row.giver_id, row.delegate_id):
        raise Forbidden("当事人不能作废 / not by one of the two", code="second_person")
    if not reason.strip():
        raise Invalid("请写明原因 / say why", code="reason")
    _end(session, row, principal.user, Event.VOID, reason, now)
    queue_settling(session, {row.handset_id: row.centre_id}, now)
    body = f"这项委托被作废，视为从未生效。原因：{row.end_reason}"
    tell_delegation(session, row, "void", "委托已作废", body, (row.giver_id, row.delegate_id), now)
    return row


def _end(
    session: Session, row: Delegation, actor: str, event: Event, reason: str, now: dt.datetime, **changes: Any
) -> None:
    text = one_line(reason, MAX_NOTE)
    store.move(session, row, event, ended_by=actor, ended_at=now, end_reason=text, **changes)
    _note(session, actor, row, event, now, text)


def end_by_time(
    session: Session,
    row: Delegation,
    event: Event,
    reason: str,
    force_to: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """Its end came, or one of the two left his post at `force_to`. By the sweep."""
    changes = {} if force_to is None else {"force_to": force_to}
    _end(session, row, "system", event, reason, now, **changes)
    if row.delegate_id is not None:
        queue_settling(session, {row.handset_id: row.centre_id}, now)


def _note(
    session: Session, actor: str, row: Delegation, verb: str, now: dt.datetime, reason: str = ""
) -> None:
    details = {"handset": str(row.handset_id), "giver": str(row.giver_id), "to_post": str(row.to_post_id)}
    if row.delegate_id is not None:
        details["delegate"] = str(row.delegate_id)
    entry = AuditEvent(
        at=now, actor=actor, action=f"delegation.{verb}", object=f"delegation:{row.id}",
        centre_id=row.centre_id, reason=reason, details=details,
    )  # fmt: skip
    record(session, entry)
