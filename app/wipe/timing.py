"""What time brings: the cooling-off ends, approvals lapse, silence falls, and what nobody inspected stays unproved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM
from app.wipe import store
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rules import BY_HAND, over
from app.wipe.states import Event, State
from app.wipe.tools import Tools, policy_of, span_of
from app.wipe.wording import fall_silent

_BATCH = 200
_LAPSING = (State.DRAFT, State.REQUESTED, State.APPROVED, State.ARMED)
_WAITING = (State.DELIVERED, State.ACKNOWLEDGED)
_UNPROVED = (State.ACKNOWLEDGED, State.SILENT, State.INSPECTED)


def arm(session: Session, now: dt.datetime) -> int:
    """Wipes whose cooling-off is over."""

    def act(wipe: Wipe) -> None:
        store.move(session, wipe, Event.ARM, now)
        write_step(session, wipe, "arm", "", SYSTEM.user, now)

    return _each(session, store.due(session, (State.APPROVED,), Wipe.arms_at, now, _BATCH), act)


def lapse(session: Session, now: dt.datetime) -> int:
    """Drafts, requests and approvals whose time is over. What waits for a gateway ends with its command, at most."""

    def act(wipe: Wipe) -> None:
        said = "期限已过，没有发出指令"
        store.move(
            session, wipe, Event.LAPSE, now, ended_by=SYSTEM.user, ended_at=now, end_reason=said
        )  # fmt: skip
        write_step(session, wipe, "lapse", said, SYSTEM.user, now)

    return _each(session, store.due(session, _LAPSING, Wipe.lapses_at, now, _BATCH), act)


def note_silence(session: Session, tools: Tools, now: dt.datetime) -> int:
    """Orders that left, of which nothing was heard or read for longer than policy waits."""

    def act(wipe: Wipe) -> None:
        body = policy_of(session, tools, wipe.centre_id).body
        by_hand = wipe.state == State.DELIVERED and wipe.done_by == BY_HAND
        name = "guided_hours" if by_hand else "silent_minutes"
        if over(wipe.acknowledged_at or wipe.ordered_at, now, span_of(body, name)):
            fall_silent(session, wipe, "no_sign", SYSTEM.user, now)

    return _each(session, store.due(session, _WAITING, Wipe.ordered_at, now, _BATCH), act)


def give_up(session: Session, tools: Tools, now: dt.datetime) -> int:
    """What should have been inspected long ago stands as unproved: never as done."""

    def act(wipe: Wipe) -> None:
        body = policy_of(session, tools, wipe.centre_id).body
        if over(wipe.ordered_at, now, span_of(body, "inspect_days")):
            said = "到期没有确认的检查，无法证实数据已清除"
            store.move(
                session, wipe, Event.GIVE_UP, now, ended_by=SYSTEM.user, ended_at=now, end_reason=said
            )  # fmt: skip
            write_step(session, wipe, "give_up", said, SYSTEM.user, now)

    day_before = now - dt.timedelta(days=1)
    return _each(session, store.due(session, _UNPROVED, Wipe.ordered_at, day_before, _BATCH), act)


def _each(session: Session, wipes: Sequence[Wipe], act: Callable[[Wipe], None]) -> int:
    """One that somebody moved in the same moment is left to him."""
    moved = 0
    for wipe in wipes:
        before = wipe.state
        try:
            with session.begin_nested():
                act(wipe)
        except Conflict:
            continue
        moved += wipe.state != before
    return moved
