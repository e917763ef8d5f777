"""What a gateway says of an order, and that nobody says anything. A word alone removes nothing from any list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import Command, ResultInput, enqueue
from app.commands import State as CommandState
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef, dated, space_words
from app.remedy import store
from app.remedy.identity import ordered_for
from app.remedy.model import RemedyCase
from app.remedy.noting import write_step
from app.remedy.ordering import queue
from app.remedy.restoring import next_restore
from app.remedy.rules import REMOVED_BY, Told, told_of
from app.remedy.shifting import shift
from app.remedy.states import Event, State
from app.remedy.tools import RESTORE, Tools, body_of, span_of
from app.remedy.words import OUTCOMES, reason_words

_LOST = frozenset({"unclear", "no_answer", "expired"})
"""Why a case is a task of which nothing was heard: a late word counts."""
_ENDED: Mapping[str, str] = {CommandState.CANCELLED: "cancelled", CommandState.EXPIRED: "expired"}


def take_word(
    session: Session, tools: Tools, agent: AgentRef, command: Command, result: ResultInput,
    detail: Mapping[str, Any], now: dt.datetime, *, late: bool = False,
) -> bool:  # fmt: skip
    """Whether it was taken."""
    case = store.by_command(session, command.id)
    if case is None or result.state == "running":
        return False
    by = f"agent:{agent.id}"
    if command.kind == RESTORE:
        return _of_restore(session, tools, case, result, detail, by, now)
    if result.state == "not_now":
        if case.state == State.REMOVING:
            due = command.expires_at + dt.timedelta(minutes=5)
            words = reason_words(str(detail.get("reason", "")))[:200]
            shift(session, tools, case, Event.POSTPONE, now, say=words, by=by, due_at=due)
        return True
    waits = case.state == State.REMOVING or (case.state == State.TASK and case.why in _LOST)
    if not waits:
        return False
    told = told_of(result.state, detail)
    _note(session, case, told, "late_word" if late else "word", by, now)
    # Never before it was sent, whatever age an agent tells.
    acted = max(min(dated(now, result.age_us) or now, now), case.sent_at or now)
    if told.outcome in REMOVED_BY:
        _done(session, tools, case, told, acted, by, now)
    elif case.state == State.REMOVING:
        why = "refused" if result.state == "refused" else _why(told, result.state)
        shift(session, tools, case, Event.STOP, now, by=by, say=_words(told), why=why, **_kept(told, acted))
        if why in ("unclear", "refused"):
            # A gateway refuses another phone than the one that was named: which one is it?
            read_again(session, case, now)
    return True


def _why(told: Told, state: str) -> str:
    if told.outcome in ("protected", "unchanged"):
        return told.outcome
    return "expired" if state == "expired" else "unclear"


def _done(
    session: Session,
    tools: Tools,
    case: RemedyCase,
    told: Told,
    acted: dt.datetime,
    by: str,
    now: dt.datetime,
) -> None:
    """The next user's turn, or the phone is read to see what is true."""
    if case.state == State.REMOVING and case.place + 1 < len(case.users):
        words = f"用户空间 {space_words(case.users[case.place])}：{_words(told)}"
        shift(session, tools, case, Event.POSTPONE, now, step="next", say=words, by=by, place=case.place + 1)
        body, expect = body_of(session, tools, case.centre_id), ordered_for(session, case)
        queue(session, SYSTEM, case, body, expect, now)
        return
    if case.place + 1 < len(case.users):
        return  # a late word on one of several: a person orders again
    shift(
        session, tools, case, Event.DONE, now, by=by, due_at=now, why=None,
        **_kept(told, acted),
    )  # fmt: skip
    read_again(session, case, now)


def _kept(told: Told, acted: dt.datetime) -> dict[str, Any]:
    return {"outcome": told.outcome, "after": dict(told.after), "acted_at": acted}


def _words(told: Told) -> str:
    reason = f"（{reason_words(told.reason)}）" if told.reason else ""
    return f"{OUTCOMES.get(told.outcome, told.outcome)}{reason}"


def _note(session: Session, case: RemedyCase, told: Told, step: str, by: str, now: dt.datetime) -> None:
    write_step(
        session, case, step, _words(told), by, now, outcome="ok" if told.proved else "refused", told=told.outcome,
        reason_code=told.reason, after=dict(told.after), proved=told.proved,
    )  # fmt: skip


def _of_restore(
    session: Session, tools: Tools, case: RemedyCase, result: ResultInput, detail: Mapping[str, Any], by: str,
    now: dt.datetime,
) -> bool:  # fmt: skip
    if case.state != State.RESTORING:
        return False
    if result.state == "not_now":
        store.write(
            session, case, due_at=now + span_of(body_of(session, tools, case.centre_id), "order_minutes")
        )
        return True
    told = told_of(result.state, detail)
    _note(session, case, told, "word", by, now)
    if told.outcome != "restored" or not told.proved:
        shift(session, tools, case, Event.KEEP, now, say=_words(told), by=by)
    elif case.place + 1 < len(case.users):
        store.write(session, case, place=case.place + 1)
        next_restore(session, SYSTEM, tools, case, ordered_for(session, case), now)
        return True
    else:
        shift(session, tools, case, Event.BRING_BACK, now, say=_words(told), by=by)
    read_again(session, case, now)
    return True


def command_ended(session: Session, tools: Tools, command: Command, now: dt.datetime) -> None:
    """The queue ended it without a word."""
    case = store.by_command(session, command.id)
    if case is None:
        return
    if case.state == State.RESTORING:
        shift(session, tools, case, Event.KEEP, now, say="没有网关执行恢复")
    elif case.state == State.ORDERED:
        shift(session, tools, case, Event.STOP, now, why=_ENDED.get(str(command.state), "not_sent"))
    elif case.state == State.REMOVING:
        shift(session, tools, case, Event.STOP, now, why="no_answer")
        read_again(session, case, now)


def read_again(session: Session, case: RemedyCase, now: dt.datetime) -> None:
    """Ask for a reading; a phone that left meanwhile has none to give."""
    try:
        enqueue(session, SYSTEM, case.handset_id, "read_phone", now=now)
    except Conflict:
        return
