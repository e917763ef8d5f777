"""Every state with every event, of each of the room's lives."""

from __future__ import annotations

import itertools

import pytest

from app.hardware import states
from app.hardware.states import CASE_NEXT, TABLES, Case, CaseEvent, advance
from app.kernel.errors import Conflict

EVENTS = {
    states.Case: states.CaseEvent, states.Order: states.OrderEvent, states.Offer: states.OfferEvent,
    states.Appeal: states.AppealEvent, states.Disposal: states.DisposalEvent,
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_what_is_in_no_table_cannot_happen(kind):
    table = TABLES[kind]
    assert set(table) <= set(itertools.product(kind, EVENTS[kind]))
    for state, event in itertools.product(kind, EVENTS[kind]):
        if (state, event) in table:
            assert advance(state, event) is table[state, event]
            continue
        with pytest.raises(Conflict) as refusal:
            advance(state, event)
        assert refusal.value.code == "hardware_state"


def test_a_running_case_can_end_and_an_ended_one_runs_no_more():
    ends = [state for state in Case if state not in states.OPEN_CASES]
    for state in states.OPEN_CASES:
        reached, before = {state}, set()
        while reached != before:
            before = set(reached)
            reached |= {after for (of, _), after in CASE_NEXT.items() if of in before}
        assert reached & set(ends)
    for (state, event), after in CASE_NEXT.items():
        if state in ends:
            assert after in ends, (state, event)


def test_only_a_decided_case_can_be_relieved():
    assert {state for state, event in CASE_NEXT if event == CaseEvent.RELIEVE} == set(states.APPEALABLE)


def test_every_state_has_its_word():
    assert set(states.WORDS) == set(Case)
    assert set(states.ORDER_WORDS) == set(states.Order)
    assert set(states.APPEAL_WORDS) == set(states.Appeal)
    assert set(states.DISPOSAL_WORDS) == set(states.Disposal)
