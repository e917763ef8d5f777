"""The life of a draft. `advance` alone moves a state; what is not in the table cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    COUNTING = "counting"
    """Some phones were not yet judged by it."""
    COUNTED = "counted"
    """What it would do is known; it may be saved."""
    SAVED = "saved"
    DROPPED = "dropped"


class Event(StrEnum):
    CHANGE = "change"
    """Another body, or other rules around it: all phones are judged anew."""
    FINISH = "finish"
    SAVE = "save"
    DROP = "drop"


NEXT: dict[tuple[State, Event], State] = {
    (State.COUNTING, Event.CHANGE): State.COUNTING,
    (State.COUNTING, Event.FINISH): State.COUNTED,
    (State.COUNTING, Event.DROP): State.DROPPED,
    (State.COUNTED, Event.CHANGE): State.COUNTING,
    (State.COUNTED, Event.SAVE): State.SAVED,
    (State.COUNTED, Event.DROP): State.DROPPED,
}
WORDS: dict[State, str] = {
    State.COUNTING: "正在计算影响",
    State.COUNTED: "还没有保存",
    State.SAVED: "已保存",
    State.DROPPED: "已放弃",
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"这份草稿现在是“{WORDS[state]}”，不能这样处理 / {state}: cannot {event}", code="draft_state"
        )
    return after
