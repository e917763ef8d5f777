"""The life of a call that is to be made. `advance` alone moves a state."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    LAPSED = "lapsed"
    """Nobody made it in its time. This says nothing of the phone."""
    DROPPED = "dropped"
    """A person took it off the list."""


class Event(StrEnum):
    RESULT = "result"
    UNDO = "undo"
    """The result was withdrawn: the call is still to be made."""
    LAPSE = "lapse"
    DROP = "drop"


NEXT: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.RESULT): State.DONE,
    (State.OPEN, Event.LAPSE): State.LAPSED,
    (State.OPEN, Event.DROP): State.DROPPED,
    (State.DONE, Event.UNDO): State.OPEN,
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict("这个号码已经处理过，请刷新名单 / this call is no longer open", code="call_state")
    return after
