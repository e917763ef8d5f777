"""The life of a command. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    QUEUED = "queued"
    LEASED = "leased"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_NOW = "not_now"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Event(StrEnum):
    LEASE = "lease"
    """An agent takes it."""
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    """Also: the agent refused it."""
    POSTPONE = "postpone"
    """The agent could not act now; it may be tried again later."""
    LAPSE = "lapse"
    """The agent held it too long to begin."""
    LOSE = "lose"
    """The lease ended without a word of the agent: silence is neither done nor failed, so it is tried again."""
    EXHAUST = "exhaust"
    """Lost as often as it may be tried."""
    EXPIRE = "expire"
    GIVE_UP = "give_up"
    """The server itself cannot, or must not, send it any more."""
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


S, E = State, Event

WAITING = (S.QUEUED, S.NOT_NOW)
AT_AGENT = (S.LEASED, S.RUNNING)
ACTIVE = (*WAITING, *AT_AGENT)
FINAL = tuple(s for s in S if s not in ACTIVE)

# A word of the agent that held a command last counts also after its lease was lost and nobody took it meanwhile.
_WORDS = {
    E.START: S.RUNNING,
    E.SUCCEED: S.SUCCEEDED,
    E.FAIL: S.FAILED,
    E.POSTPONE: S.NOT_NOW,
    E.LAPSE: S.EXPIRED,
}
NEXT: dict[tuple[State, Event], State] = {
    **{(state, event): after for state in ACTIVE for event, after in _WORDS.items()},
    **{(state, E.LEASE): S.LEASED for state in WAITING},
    **{(state, E.SUPERSEDE): S.SUPERSEDED for state in WAITING},
    # What an agent holds may be happening right now: to call that cancelled would be a guess.
    **{(state, E.CANCEL): S.CANCELLED for state in WAITING},
    **{(state, E.EXPIRE): S.EXPIRED for state in ACTIVE},
    **{(state, E.GIVE_UP): S.FAILED for state in ACTIVE},
    **{(state, E.LOSE): S.QUEUED for state in AT_AGENT},
    **{(state, E.EXHAUST): S.FAILED for state in AT_AGENT},
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(f"a command that is {state} cannot {event}", code="command_state")
    return after
