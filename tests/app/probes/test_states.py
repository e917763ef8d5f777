"""Every state meets every event."""

from __future__ import annotations

import pytest

from app.kernel.errors import Conflict
from app.probes.states import ENDED, NEXT, OPEN, Event, State, advance

S, E = State, Event
_COLUMNS = (E.SEND, E.REACH, E.FAIL, E.DOUBT, E.MISS)
_DRAWN = {
    S.PLANNED: "sent - - - missed",
    S.SENT: "- reached not_reached inconclusive missed",
    S.REACHED: "- - - - -",
    S.NOT_REACHED: "- - - - -",
    S.INCONCLUSIVE: "- - - - -",
    S.MISSED: "- - - - -",
}
_CELLS = [
    (state, event, after)
    for state, row in _DRAWN.items()
    for event, after in zip(_COLUMNS, row.split(), strict=True)
]


def test_the_drawing_is_whole() -> None:
    assert set(_COLUMNS) == set(Event)
    assert set(_DRAWN) == set(State) == {*OPEN, *ENDED}
    assert len(NEXT) == sum(after != "-" for _, _, after in _CELLS)


@pytest.mark.parametrize(("state", "event", "after"), _CELLS)
def test_each_state_with_each_event(state: State, event: Event, after: str) -> None:
    if after == "-":
        with pytest.raises(Conflict):
            advance(state, event)
    else:
        assert advance(state, event) == after
