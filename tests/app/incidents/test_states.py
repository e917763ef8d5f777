"""Every state with every event: what the table does not hold cannot happen."""

from __future__ import annotations

import pytest

from app.incidents.states import Event, State, advance
from app.kernel.errors import Conflict

S, E = State, Event
ALLOWED = {
    (S.WAITING, E.SETTLE): S.RULED,
    (S.WAITING, E.DECIDE): S.DECIDED,
    (S.RULED, E.REOPEN): S.WAITING,
    (S.RULED, E.DECIDE): S.DECIDED,
    (S.RULED, E.APPEAL): S.APPEALED,
    (S.DECIDED, E.REOPEN): S.WAITING,
    (S.DECIDED, E.APPEAL): S.APPEALED,
    (S.APPEALED, E.APPEAL): S.APPEALED,
    (S.APPEALED, E.DECIDE_APPEAL): S.FINAL,
    (S.FINAL, E.REOPEN): S.WAITING,
    (S.FINAL, E.APPEAL): S.APPEALED,
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", list(Event))
def test_each(state: State, event: Event) -> None:
    if (state, event) in ALLOWED:
        assert advance(state, event) is ALLOWED[state, event]
    else:
        with pytest.raises(Conflict):
            advance(state, event)
