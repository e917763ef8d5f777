"""The moment in which an order leaves for a gateway: the last look at everything, and the only one that counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import Leased, give_up
from app.kernel.ids import parse_id
from app.readings import AgentRef
from app.registry import HandsetRef
from app.remedy import store
from app.remedy.identity import expect_of
from app.remedy.model import RemedyCase
from app.remedy.ordering import order_args, target_args
from app.remedy.rails import Look, blockers, of_phone
from app.remedy.shifting import shift
from app.remedy.states import Event, State
from app.remedy.tools import REMOVE, Tools, body_of, span_of

WAITING = (State.ORDERED, State.REMOVING)


def seal_order(
    session: Session, tools: Tools, leased: Leased, phone: HandsetRef, agent: AgentRef, now: dt.datetime
) -> Mapping[str, str] | None:
    """No texts go along; None: it must not leave, and was ended."""
    given = leased.args.get("case")
    case = store.by_id(session, parse_id(given) if isinstance(given, str) else None)
    states = WAITING if leased.kind.name == REMOVE else (State.RESTORING,)
    if case is None or case.command_id != leased.id or case.state not in states:
        give_up(session, leased.id, "no order waits for it", now)
        return None
    if leased.kind.name != REMOVE:
        return _restore(session, tools, case, leased, phone, agent, now)
    store.lock_centre(session, case.centre_id)
    why = _why_not(session, tools, case, leased, phone, agent, now)
    if why is not None:
        give_up(session, leased.id, f"must not be sent: {why[0]}", now)
        shift(
            session, tools, case, Event.STOP, now, say=f"没有发出：{why[1]}", noted="refused",
            details={"reason": why[0]}, why="not_sent",
        )  # fmt: skip
        return None
    again = case.sent_at is not None
    body = body_of(session, tools, case.centre_id)
    shift(
        session, tools, case, Event.SEND, now, step="resend" if again else "send",
        details={"agent": str(agent.id), "command": str(leased.id), "user": case.users[case.place]}, agent_id=agent.id,
        sent_at=case.sent_at or now, due_at=now + span_of(body, "unclear_minutes"),
    )  # fmt: skip
    return {}


def _why_not(
    session: Session, tools: Tools, case: RemedyCase, leased: Leased, phone: HandsetRef, agent: AgentRef,
    now: dt.datetime,
) -> tuple[str, str] | None:  # fmt: skip
    """A code and words, None when nothing keeps it from leaving."""
    body = body_of(session, tools, case.centre_id)
    if problem := _changed(session, case, leased, order_args(case, body, leased.args.get("expect"))):
        return problem
    if phone.id != case.handset_id or agent.kind != "gateway" or agent.centre_id != case.centre_id:
        return "other_phone", "不是这台手机，或不是本中心的网关"
    # A database restored to an older day holds orders that were carried out, or taken back, long ago.
    longest = span_of(body, "order_minutes") * len(case.users)
    if case.ordered_at is None or now - case.ordered_at > longest:
        return "stale", "指令下达太久"
    found = blockers(session, tools, case, Look.LEASE, now)
    return (found[0].code, found[0].words) if found else None


def _changed(
    session: Session, case: RemedyCase, leased: Leased, wanted: Mapping[str, Any]
) -> tuple[str, str] | None:
    if dict(leased.args) != wanted:
        return "changed", "指令和现在的制度或记录不一致"
    expect = expect_of(session, case.handset_id)
    if expect is None or leased.args.get("expect") != expect:
        return "android_changed", "手机的系统标识和下令时不同，或读不到：可能不是同一台，或被重置过"
    return None


def _restore(
    session: Session, tools: Tools, case: RemedyCase, leased: Leased, phone: HandsetRef, agent: AgentRef,
    now: dt.datetime,
) -> Mapping[str, str] | None:  # fmt: skip
    wanted, body = target_args(case, leased.args.get("expect")), body_of(session, tools, case.centre_id)
    here = phone.id == case.handset_id and agent.kind == "gateway" and agent.centre_id == case.centre_id
    changed = _changed(session, case, leased, wanted) if here else ("changed", "记录已改变")
    stopped = changed or next(
        (
            (one.code, one.words)
            for one in of_phone(session, case, store.lock_phone(session, case.handset_id), body, now)
        ),
        None,
    )
    if stopped is not None:
        give_up(session, leased.id, f"must not be sent: {stopped[0]}", now)
        shift(session, tools, case, Event.KEEP, now, say=f"没有发出：{stopped[1]}", noted="refused")
        return None
    store.write(
        session, case, agent_id=agent.id, sent_at=now,
        due_at=now + span_of(body, "unclear_minutes"),
    )  # fmt: skip
    return {}
