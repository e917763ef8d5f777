"""The life of a task. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    """A person says that it is done."""
    CLOSED = "closed"
    """Its cause is gone: nobody needs to do it any more."""


class Event(StrEnum):
    COMPLETE = "complete"
    CLOSE = "close"
    REOPEN = "reopen"
    """A completion is taken back."""


NEXT: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.COMPLETE): State.DONE,
    (State.OPEN, Event.CLOSE): State.CLOSED,
    (State.DONE, Event.REOPEN): State.OPEN,
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            "这件待办已不是这个状态，请刷新 / the task has moved on: look again", code="task_state"
        )
    return after
