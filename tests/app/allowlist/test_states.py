"""The life of a draft: every state against every event."""

from __future__ import annotations

import pytest

from app.allowlist.states import NEXT, WORDS, Event, State, advance
from tests.support.states import only_these

ALLOWED = {
    State.COUNTING: "change>counting finish>counted drop>dropped",
    State.COUNTED: "change>counting save>saved drop>dropped",
    State.SAVED: "",
    State.DROPPED: "",
}


@pytest.mark.parametrize("state", list(State))
def test_what_may_happen_and_nothing_else(state: State) -> None:
    assert state in WORDS
    only_these(advance, Event, state, ALLOWED, "draft_state")


def test_nothing_is_saved_before_its_effect_is_counted() -> None:
    assert {state for (state, _), after in NEXT.items() if after == State.SAVED} == {State.COUNTED}
