"""The life of an exemption (R03). `advance` alone moves a state; what is not in the table cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    REQUESTED = "requested"
    """Exempts nothing until another person approves."""
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Its end came before anybody decided: it never held."""
    ENDED = "ended"
    """Its end came, somebody ended it before, or the phone left the centre that gave it."""


class Event(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    END = "end"


NEXT: dict[tuple[State, Event], State] = {
    (State.REQUESTED, Event.APPROVE): State.APPROVED,
    (State.REQUESTED, Event.DECLINE): State.DECLINED,
    (State.REQUESTED, Event.WITHDRAW): State.WITHDRAWN,
    (State.REQUESTED, Event.LAPSE): State.LAPSED,
    (State.APPROVED, Event.END): State.ENDED,
}
WORDS: dict[State, str] = {
    State.REQUESTED: "等待批准",
    State.APPROVED: "生效中",
    State.DECLINED: "未批准",
    State.WITHDRAWN: "已撤回",
    State.LAPSED: "过期未批",
    State.ENDED: "已结束",
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{WORDS[state]}）不能这样处理，请刷新 / {state}: cannot {event}",
            code="exemption_state",
        )
    return after
