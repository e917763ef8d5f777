"""The life of a test of reach. `advance` alone moves a state; only `not_reached` can ever speak against a phone."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    REACHED = "reached"
    NOT_REACHED = "not_reached"
    INCONCLUSIVE = "inconclusive"
    MISSED = "missed"


class Event(StrEnum):
    SEND = "send"
    """It became a command."""
    REACH = "reach"
    FAIL = "fail"
    """Every try failed by the phone's silence, each after a self-check that passed."""
    DOUBT = "doubt"
    """It was tried, and what came of it says nothing of the phone."""
    MISS = "miss"
    """It was not tried in time: server, gateway or way lacked."""


S, E = State, Event
OPEN = (S.PLANNED, S.SENT)
ENDED = tuple(state for state in S if state not in OPEN)
NEXT: dict[tuple[State, Event], State] = {
    (S.PLANNED, E.SEND): S.SENT,
    (S.PLANNED, E.MISS): S.MISSED,
    (S.SENT, E.REACH): S.REACHED,
    (S.SENT, E.FAIL): S.NOT_REACHED,
    (S.SENT, E.DOUBT): S.INCONCLUSIVE,
    (S.SENT, E.MISS): S.MISSED,
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(f"a test that is {state} cannot {event}", code="probe_state")
    return after
