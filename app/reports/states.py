"""The life of a customer's report. `advance` alone moves a state; only a confirmed one is evidence."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    NEW = "new"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Event(StrEnum):
    CONFIRM = "confirm"
    """Staff found that a household of this grid called."""
    REJECT = "reject"
    UNDO = "undo"
    """The judgement was a mistake: it is open again."""


NEXT: dict[tuple[State, Event], State] = {
    (State.NEW, Event.CONFIRM): State.CONFIRMED,
    (State.NEW, Event.REJECT): State.REJECTED,
    (State.CONFIRMED, Event.UNDO): State.NEW,
    (State.REJECTED, Event.UNDO): State.NEW,
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict("这条反映已经处理过，请刷新 / this report was judged meanwhile", code="report_state")
    return after
