"""Every state with every event: what is in the tables happens, everything else is a conflict."""

from __future__ import annotations

import pytest

from app.credchecks import states
from app.credchecks.states import Case, CaseEvent, Item, ItemEvent, Round, RoundEvent, advance
from app.kernel.errors import Conflict

MACHINES = [
    (Round, RoundEvent, states.ROUND_NEXT, states.ROUND_WORDS),
    (Item, ItemEvent, states.ITEM_NEXT, states.ITEM_WORDS),
    (Case, CaseEvent, states.CASE_NEXT, states.CASE_WORDS),
]
# Written out by hand a second time: a table that is its own test proves nothing.
ITEMS = {
    "open": "match mismatch unreachable lack ask_waiver waive retire",
    "match": "match mismatch reopen",
    "mismatch": "match mismatch reopen",
    "not_reachable": "match mismatch ask_waiver waive reopen retire",
    "unfiled": "match mismatch file ask_waiver waive retire",
    "waiving": "match mismatch grant_waiver refuse_waiver retire",
    "waived": "match mismatch reopen",
}
CASES = {
    "opened": "state lapse clear drop",
    "stated": "clear blame",
    "silent": "state clear blame drop",
    "decided": "appeal close",
    "appealed": "uphold overturn",
    "answered": "close",
    "closed": "",
    "dropped": "",
}


@pytest.mark.parametrize(("kind", "events", "table", "words"), MACHINES)
def test_every_state_with_every_event(kind, events, table, words):
    for state in kind:
        assert words[state]
        for event in events:
            if (state, event) in table:
                assert advance(state, event) == table[state, event]
            else:
                with pytest.raises(Conflict):
                    advance(state, event)


@pytest.mark.parametrize(("kind", "events", "table", "told"), [
    (Item, ItemEvent, states.ITEM_NEXT, ITEMS), (Case, CaseEvent, states.CASE_NEXT, CASES),
])  # fmt: skip
def test_what_may_happen(kind, events, table, told):
    assert {str(state): {str(e) for e in events if (state, e) in table} for state in kind} == {
        state: set(names.split()) for state, names in told.items()
    }


def test_nobody_is_blamed_before_he_could_speak():
    assert (Case.OPENED, CaseEvent.BLAME) not in states.CASE_NEXT
    assert all(state in states.OPEN_CASES for (state, _), _ in states.CASE_NEXT.items())
