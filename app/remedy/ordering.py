"""Somebody orders a removal, or policy does; or the order is taken back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import cancel as cancel_command
from app.commands import enqueue
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import required, wrong
from app.remedy import store
from app.remedy.identity import expect_of
from app.remedy.model import RemedyCase
from app.remedy.rails import Look, blockers, refuse
from app.remedy.rules import Blocker, target_of
from app.remedy.shifting import shift
from app.remedy.states import AT_WORK, ORDERABLE, Event, State
from app.remedy.tools import MAX_REASON, ORDERERS, REMOVE, Tools, body_of, span_of

LOSS = "应用和它在手机上的资料会被删除，不能恢复 / the app's data on the phone is lost"


def order(
    session: Session,
    principal: Principal,
    tools: Tools,
    case_id: uuid.UUID,
    *,
    reason: str,
    accept_loss: bool,
    now: dt.datetime,
) -> RemedyCase:
    """Queue the removal for the gateway that has the phone.

    Raise `NotFound`, `Forbidden`, `Invalid` without a reason or without having accepted the loss, `Conflict`:
    `blocked` with all that stands in the way, or of the state.
    """
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *ORDERERS)
    words = required(reason, "reason", "请写明理由 / say why", MAX_REASON)
    if not accept_loss:
        raise wrong("accept_loss", f"请确认：{LOSS}")
    if case.state not in ORDERABLE:
        raise Conflict("现在的状态不能下令移除，请刷新 / it cannot be ordered now", code="remedy_state")
    store.lock_centre(session, case.centre_id)
    refuse(blockers(session, tools, case, Look.ORDER, now))
    begin(session, principal, tools, case, words, now)
    return case


def order_by_policy(session: Session, tools: Tools, case: RemedyCase, now: dt.datetime) -> list[Blocker]:
    """Order what policy removes by itself; what stands in the way, and then nothing was ordered."""
    store.lock_centre(session, case.centre_id)
    found = blockers(session, tools, case, Look.ORDER, now)
    if not found:
        begin(session, SYSTEM, tools, case, "制度规定到期自动移除", now)
    return found


def begin(
    session: Session, principal: Principal, tools: Tools, case: RemedyCase, words: str, now: dt.datetime
) -> None:
    """The first user's order; nothing stands in its way."""
    target = target_of(case.subject, case.evidence)
    expect = expect_of(session, case.handset_id)
    assert target is not None
    assert expect is not None
    body = body_of(session, tools, case.centre_id)
    shift(
        session, tools, case, Event.ORDER, now, say=words, by=principal.user,
        details={"users": list(target.users), **expect},
        ordered_by=principal.user, ordered_at=now, order_reason=words, orders=case.orders + 1, package=target.package,
        users=list(target.users), place=0, command_id=None, agent_id=None, sent_at=None, acted_at=None, outcome=None,
        after=None, why=None,
    )  # fmt: skip
    queue(session, principal, case, body, expect, now)


def queue(
    session: Session, principal: Principal, case: RemedyCase, body: Mapping[str, Any], expect: Mapping[str, Any] | None,
    now: dt.datetime,
) -> None:  # fmt: skip
    """The command for the user whose turn it is. `expect`: the phone for which it was ordered, also when another one's
    turn comes: nobody ordered it for a phone that answers in its place by then.
    """
    expires = span_of(body, "order_minutes")
    command, made = enqueue(
        session, principal, case.handset_id, REMOVE, order_args(case, body, expect), dedup_key=f"remedy:{case.id}",
        expires_in=expires, now=now,
    )  # fmt: skip
    if not made:
        raise Conflict("这个应用还有一条没办完的指令 / an order is not yet done", code="app_at_work")
    store.write(
        session, case, command_id=command.id, sent_at=None, due_at=now + expires + dt.timedelta(minutes=5)
    )


def order_args(case: RemedyCase, body: Mapping[str, Any], expect: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of the command; the queue's row must still say the same when it leaves."""
    removing = {"acts": list(body["acts"]), "system": case.package in body["system_packages"]}
    return target_args(case, expect) | removing


def target_args(case: RemedyCase, expect: Mapping[str, Any] | None) -> dict[str, Any]:
    """Whose app it is; all of the arguments of an order to bring one back."""
    user = case.users[case.place]
    return {"case": str(case.id), "package": case.package, "user": user, "expect": expect}


def cancel(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> RemedyCase:
    """Take an order back that no gateway has. Raise `Conflict`, `command_at_agent` when one does: it may be acting."""
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *ORDERERS)
    words = required(reason, "reason", "请写明理由 / say why", MAX_REASON)
    if case.state != State.ORDERED or case.command_id is None:
        code = "command_at_agent" if case.state in AT_WORK else "remedy_state"
        raise Conflict("没有等在服务器上的指令可以取消，请刷新 / no order waits here", code=code)
    cancel_command(session, principal, case.command_id, reason="cancelled", now=now)
    shift(session, tools, case, Event.STOP, now, step="cancel", say=words, by=principal.user, why="cancelled")
    return case
