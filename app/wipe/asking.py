"""Asked for by one person, approved by another; until something leaves for the phone it is taken back at any time."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.audit import MARK
from app.commands import cancel as cancel_command
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.registry import find_handset
from app.wipe import store
from app.wipe.identity import android_id_of
from app.wipe.marks import approval_mark
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rails import Look, blockers, refuse
from app.wipe.rules import typed_right
from app.wipe.states import Event, State
from app.wipe.tools import (
    APPROVERS,
    APPROVERS_FOR_LEADS,
    ASKERS,
    MAX_REASON,
    PERFORMERS,
    Tools,
    policy_of,
    span_of,
)

_UNDECIDED: dict[str, Any] = {
    "approved_by": None, "approved_at": None, "second_by": None, "second_at": None, "waivers": [], "arms_at": None,
}  # fmt: skip


def request(
    session: Session,
    principal: Principal,
    tools: Tools,
    wipe_id: uuid.UUID,
    *,
    typed_tag: str,
    typed_imei6: str,
    now: dt.datetime,
) -> Wipe:
    """Ask that it be approved: what was typed must name the phone, and nothing may stand in the way.

    The identity is taken from the registry in this moment. Edges count a wrong word first (`entry.typed`). Raise
    `Invalid` `typed_wrong`, `NotFound`, `Forbidden`, `Conflict` `blocked` or of the state.
    """
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *ASKERS)
    principal.require_person()
    phone = find_handset(session, principal, row.handset_id)
    if not typed_right(phone.asset_tag, [i.imei for i in phone.imeis], typed_tag, typed_imei6):
        raise typed_wrong()
    policy = policy_of(session, tools, row.centre_id)
    store.move(
        session, row, Event.REQUEST, now, asset_tag=phone.asset_tag, serial=phone.serial,
        imeis=sorted(i.imei for i in phone.imeis), brand=phone.brand, model=phone.model,
        android_id=android_id_of(session, phone.id), requested_by=principal.user, requested_at=now,
        asked_by_lead=principal.may(row.centre_id, "lead"), lapses_at=now + span_of(policy.body, "approval_days"),
        decision=None, policy_version=policy.version, policy_sha256=policy.sha256, **_UNDECIDED,
    )  # fmt: skip
    found = blockers(session, tools, row, Look.REQUEST, now, by=principal.user)
    refuse([one for one in found if not one.waivable])
    write_step(session, row, "request", row.reason, principal.user, now, strategy=row.strategy)
    return row


def typed_wrong() -> Exception:
    return wrong(
        "typed", "输入的资产编号或 IMEI 后六位与这台手机不符 / this does not name the phone", "typed_wrong"
    )


def approve(
    session: Session,
    principal: Principal,
    tools: Tools,
    wipe_id: uuid.UUID,
    *,
    waive_reason: str = "",
    now: dt.datetime,
) -> Wipe:
    """By another person than who asked; his authenticator's code was just taken (`entry.proved_code`).

    While something stands in the way that only two approvers may set aside, the first one's word is kept and the wipe
    still waits; `waive_reason` is then asked of both. Raise `Forbidden` (`own_request`, `approved_already`),
    `Conflict`.
    """
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *(APPROVERS_FOR_LEADS if row.asked_by_lead else APPROVERS))
    principal.require_person()
    if principal.user == row.requested_by:
        raise Forbidden("不能批准自己的申请，请另一人处理 / not your own request", code="own_request")
    if principal.user == row.approved_by:
        raise Forbidden(
            "您已批准过，请再由另一人批准 / another person must be the second", code="approved_already"
        )
    _in_time(row, now)
    found = blockers(session, tools, row, Look.APPROVE, now, by=principal.user)
    waived = [one for one in found if one.waivable]
    refuse([one for one in found if not one.waivable])
    why = required(waive_reason, "waive_reason", "请写明为什么仍可清除 / say why") if waived else ""
    words = {one.code: one.words for one in waived}
    if waived and row.approved_by is None:
        _first(session, row, principal.user, words, why, now)
        return row
    return _approved(session, tools, row, principal.user, words, why, now)


def _first(session: Session, row: Wipe, user: str, words: dict[str, str], why: str, now: dt.datetime) -> None:
    if row.state != State.REQUESTED:
        raise Conflict("现在的状态不能批准，请刷新 / it does not wait for approval", code="wipe_state")
    waivers = [{"code": code, "words": said, "by": user, "why": why} for code, said in words.items()]
    store.write(session, row, now, approved_by=user, approved_at=now, waivers=waivers)
    write_step(session, row, "approve_first", why, user, now, waived=sorted(words))


def _approved(
    session: Session, tools: Tools, row: Wipe, user: str, words: dict[str, str], why: str, now: dt.datetime
) -> Wipe:
    policy = policy_of(session, tools, row.centre_id)
    values: dict[str, Any] = {
        "arms_at": now + span_of(policy.body, "cooling_hours"), "decision": None,
        "lapses_at": now + span_of(policy.body, "approval_days"), "policy_version": policy.version,
        "policy_sha256": policy.sha256,
    }  # fmt: skip
    second = bool(words)
    if second:
        waivers = [{"code": code, "words": said, "by": user, "why": why} for code, said in words.items()]
        values |= {"second_by": user, "second_at": now, "waivers": [*row.waivers, *waivers]}
    else:
        # What a first approver set aside is gone: one approval, his or this one's, is then enough.
        values |= {"approved_by": user, "approved_at": now, "waivers": []}
    store.move(session, row, Event.APPROVE, now, **values)
    waived = sorted(words)
    write_step(
        session, row, "approve", why, user, now, **{MARK: approval_mark(row)}, second=second, waived=waived
    )
    return row


def refuse_request(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Wipe:
    """Back to the draft. By whoever may approve it. Raise `Invalid` without a reason."""
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *APPROVERS_FOR_LEADS)
    if principal.user == row.requested_by:
        raise Forbidden("自己的申请请用“撤回” / withdraw your own request", code="own_request")
    words = required(reason, "reason", "请写明原因 / say why")
    store.move(session, row, Event.REFUSE, now, decision=words, **_UNDECIDED)
    write_step(session, row, "refuse", words, principal.user, now)
    return row


def withdraw(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, reason: str = "", now: dt.datetime
) -> Wipe:
    """Back to the draft, by who asked or a lead; the approval is void with it."""
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *ASKERS)
    if principal.user != row.requested_by and not principal.may(row.centre_id, "lead"):
        raise Forbidden("只有申请人或主管可以撤回 / only who asked, or a lead", code="not_requester")
    words = one_line(reason, MAX_REASON)
    store.move(session, row, Event.WITHDRAW, now, decision=words or None, **_UNDECIDED)
    write_step(session, row, "withdraw", words, principal.user, now)
    return row


def cancel(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Wipe:
    """End it before anything left for the phone; a command that waits is taken back with it.

    Raise `Conflict` `command_at_agent` when a gateway has it: it may be happening.
    """
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *ASKERS, *PERFORMERS)
    words = required(reason, "reason", "请写明原因 / say why")
    if row.state == State.QUEUED and row.command_id is not None:
        # The command before the wipe, as whoever leases it does: each would else wait for the other's row.
        cancel_command(session, principal, row.command_id, reason="wipe cancelled", now=now)
    store.move(session, row, Event.CANCEL, now, ended_by=principal.user, ended_at=now, end_reason=words)
    write_step(session, row, "cancel", words, principal.user, now)
    return row


def _in_time(row: Wipe, now: dt.datetime) -> None:
    if row.lapses_at <= now:
        raise Conflict("申请已过期，请重新申请 / the request is over: ask again", code="wipe_lapsed")
