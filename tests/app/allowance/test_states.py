"""Every state with every event."""

from __future__ import annotations

import pytest

from app.allowance.states import COUNTS, NEXT, Event, State, advance
from app.kernel.errors import Conflict

S, E = State, Event
ALLOWED = {
    (S.FILED, E.APPROVE): S.APPROVED,
    (S.FILED, E.REJECT): S.REJECTED,
    (S.FILED, E.WITHDRAW): S.WITHDRAWN,
    (S.APPROVED, E.REVERSE): S.REVERSED,
    (S.REVERSED, E.REOPEN): S.FILED,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_what_can_happen(state, event):
    if (state, event) in ALLOWED:
        assert advance(state, event) == ALLOWED[state, event]
        return
    with pytest.raises(Conflict):
        advance(state, event)


def test_a_receipt_is_used_while_it_waits_or_is_paid():
    assert set(COUNTS) == {S.FILED, S.APPROVED}
    assert NEXT.keys() == ALLOWED.keys()
