"""Every state against every event."""

from __future__ import annotations

import pytest

from app.remedy.states import (
    AT_WORK,
    LADDER,
    NEXT,
    OPEN,
    ORDERABLE,
    REOPENABLE,
    STATE_WORDS,
    Event,
    State,
    advance,
)
from tests.support.states import only_these

S, E = State, Event
# What may happen, written once more by hand, as `state: event>next …`.
ALLOWED = {
    S.EARLY: "fail>told_butler ask>task go>gone exempt>exempted leave>left dismiss>dismissed",
    S.TOLD_BUTLER: "ease>early tell_lead>told_lead ask>task order>ordered go>gone exempt>exempted leave>left "
    "dismiss>dismissed",
    S.TOLD_LEAD: "ease>early ask>task order>ordered go>gone exempt>exempted leave>left dismiss>dismissed",
    S.TASK: "ease>early order>ordered done>checking go>gone exempt>exempted leave>left dismiss>dismissed",
    S.ORDERED: "send>removing stop>task go>gone exempt>exempted leave>left",
    S.REMOVING: "send>removing postpone>ordered done>checking stop>task leave>left",
    S.CHECKING: "stop>task verify>removed go>gone exempt>exempted leave>left",
    S.RESTORING: "bring_back>restored keep>removed leave>left",
    S.REMOVED: "restore>restoring return>early",
    S.RESTORED: "",
    S.GONE: "return>early",
    S.EXEMPTED: "return>early",
    S.DISMISSED: "return>early",
    S.LEFT: "",
}


@pytest.mark.parametrize("state", list(State))
def test_what_may_happen_and_nothing_else(state: State) -> None:
    only_these(advance, Event, state, ALLOWED, "remedy_state")


def test_sets_of_states() -> None:
    assert set(OPEN) == set(LADDER) | set(AT_WORK)
    assert set(ORDERABLE) < set(LADDER)
    assert not set(REOPENABLE) & set(OPEN)
    assert set(STATE_WORDS) == set(State)
    assert {event for _, event in NEXT} == set(Event)


def test_removed_is_reached_by_a_check_alone() -> None:
    ways = {(state, event) for (state, event), after in NEXT.items() if after == S.REMOVED}
    assert ways == {(S.CHECKING, E.VERIFY), (S.RESTORING, E.KEEP)}
