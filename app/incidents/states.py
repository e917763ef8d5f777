"""How far people are with an incident. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    WAITING = "waiting"
    """Suspected or undecided: for evidence, or for the lead."""
    RULED = "ruled"
    """The evidence decided."""
    DECIDED = "decided"
    APPEALED = "appealed"
    FINAL = "final"


class Event(StrEnum):
    SETTLE = "settle"
    """Evidence, an excuse or a rule's time decided."""
    REOPEN = "reopen"
    """Evidence took back what had decided it."""
    DECIDE = "decide"
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"


S, E = State, Event
NEXT: dict[tuple[State, Event], State] = {
    (S.WAITING, E.SETTLE): S.RULED,
    **{(state, E.REOPEN): S.WAITING for state in (S.RULED, S.DECIDED, S.FINAL)},
    **{(state, E.DECIDE): S.DECIDED for state in (S.WAITING, S.RULED)},
    # Strikes of one incident may be two persons', each of whom may appeal once.
    **{(state, E.APPEAL): S.APPEALED for state in (S.RULED, S.DECIDED, S.APPEALED, S.FINAL)},
    (S.APPEALED, E.DECIDE_APPEAL): S.FINAL,
}

_REFUSALS = {
    E.DECIDE: "这个事件已有决定；如有异议，由管家申诉、另一人复核 / decided already: only an appeal can change it",
    E.APPEAL: "还没有可以申诉的结论 / there is no ruling to appeal against yet",
    E.DECIDE_APPEAL: "没有待复核的申诉 / no appeal waits to be decided",
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            _REFUSALS.get(event, f"an incident that is {state} cannot {event}"), code="incident_state"
        )
    return after
