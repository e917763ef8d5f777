"""The life of a receipt's claim. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    FILED = "filed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVERSED = "reversed"
    """It was booked, and the booking was taken back: the month was cancelled (R02), or the approval was a mistake."""


class Event(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    REVERSE = "reverse"
    REOPEN = "reopen"
    """The month that was cancelled is so no more: finance looks again."""


S, E = State, Event

COUNTS = (S.FILED, S.APPROVED)
"""A receipt in one of these is used up; any other may be filed again."""
NEXT: dict[tuple[State, Event], State] = {
    (S.FILED, E.APPROVE): S.APPROVED,
    (S.FILED, E.REJECT): S.REJECTED,
    (S.FILED, E.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, E.REVERSE): S.REVERSED,
    (S.REVERSED, E.REOPEN): S.FILED,
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"这张单据的状态已不允许此操作 / a claim that is {state} cannot {event}", code="claim_state"
        )
    return after
