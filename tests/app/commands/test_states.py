"""Every state meets every event."""

from __future__ import annotations

import pytest

from app.commands.states import ACTIVE, AT_AGENT, FINAL, NEXT, WAITING, Event, State, advance
from app.kernel.errors import Conflict

S, E = State, Event
# One row a state, in the order of the columns: the table as a person would draw it. "-": cannot happen.
_COLUMNS = (
    E.LEASE, E.START, E.SUCCEED, E.FAIL, E.POSTPONE, E.LAPSE, E.LOSE, E.EXHAUST, E.EXPIRE, E.CANCEL, E.SUPERSEDE,
    E.GIVE_UP,
)  # fmt: skip
_DRAWN = {
    S.QUEUED: "leased running succeeded failed not_now expired - - expired cancelled superseded failed",
    S.NOT_NOW: "leased running succeeded failed not_now expired - - expired cancelled superseded failed",
    S.LEASED: "- running succeeded failed not_now expired queued failed expired - - failed",
    S.RUNNING: "- running succeeded failed not_now expired queued failed expired - - failed",
    S.SUCCEEDED: "- - - - - - - - - - - -",
    S.FAILED: "- - - - - - - - - - - -",
    S.EXPIRED: "- - - - - - - - - - - -",
    S.CANCELLED: "- - - - - - - - - - - -",
    S.SUPERSEDED: "- - - - - - - - - - - -",
}
_CELLS = [
    (state, event, after)
    for state, row in _DRAWN.items()
    for event, after in zip(_COLUMNS, row.split(), strict=True)
]


def test_the_drawing_is_whole() -> None:
    assert set(_COLUMNS) == set(Event)
    assert set(_DRAWN) == set(State)
    assert len(NEXT) == sum(after != "-" for _, _, after in _CELLS)


@pytest.mark.parametrize(("state", "event", "after"), _CELLS)
def test_each_state_with_each_event(state: State, event: Event, after: str) -> None:
    if after == "-":
        with pytest.raises(Conflict) as refused:
            advance(state, event)
        assert refused.value.code == "command_state"
    else:
        assert advance(state, event) == after


def test_states_fall_into_groups() -> None:
    assert {*ACTIVE, *FINAL} == set(State)
    assert {*WAITING, *AT_AGENT} == set(ACTIVE)
    assert not set(ACTIVE) & set(FINAL)
