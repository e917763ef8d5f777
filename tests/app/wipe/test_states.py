"""Every state and event: what the table does not hold cannot happen."""

from __future__ import annotations

import itertools

import pytest

from app.kernel.errors import Conflict
from app.wipe.states import (
    AT_PHONE,
    BEFORE_ORDER,
    ENDED,
    KNOWN,
    NEXT,
    OPEN,
    TO_DO,
    WORDS,
    Event,
    State,
    advance,
    known,
)

FACTS = (
    "draft requested approved armed queued delivered acknowledged silent inspected verified certified cancelled "
    "expired failed unverified"
).split()


def test_the_states_are_the_documented_ones() -> None:
    assert [str(s) for s in State] == FACTS
    for words in (WORDS, KNOWN, TO_DO):
        assert set(words) == set(State)
        assert all(words.values())


def test_nothing_happened_is_said_only_where_it_is_so() -> None:
    for state in (*BEFORE_ORDER, State.CANCELLED, State.EXPIRED):
        assert known(state, tries=0, lock_cleared=False) == KNOWN[state]
        assert "没有任何变化" not in known(state, tries=1, lock_cleared=True)
    for state in (State.ARMED, State.CANCELLED, State.EXPIRED):
        assert "没有任何变化" not in known(state, tries=1, lock_cleared=False)
    assert known(State.CERTIFIED, tries=1, lock_cleared=True) == KNOWN[State.CERTIFIED]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_each(state: State, event: Event) -> None:
    if (state, event) in NEXT:
        assert advance(state, event) == NEXT[state, event]
        return
    with pytest.raises(Conflict) as told:
        advance(state, event)
    assert told.value.code == "wipe_state"


def test_each_event_has_its_place() -> None:
    assert {event for _, event in NEXT} == set(Event)


def reach(start: State, without: frozenset[Event] = frozenset()) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (state, event), after in NEXT.items():
            if state == here and event not in without and after not in found:
                found.add(after)
                todo.append(after)
    return found


def test_what_nothing_leads_round() -> None:
    assert reach(State.DRAFT) == set(State)
    for skipped, never in (
        (Event.REQUEST, State.REQUESTED),
        (Event.APPROVE, State.ARMED),
        (Event.ARM, State.ARMED),
        (Event.INSPECT, State.VERIFIED),
        (Event.VERIFY, State.CERTIFIED),
    ):
        assert never not in reach(State.DRAFT, frozenset({skipped})), skipped
    assert State.DELIVERED not in reach(State.DRAFT, frozenset({Event.DELIVER, Event.GUIDE}))


def test_what_left_is_not_cancelled_and_silence_is_never_done() -> None:
    assert all((state, Event.CANCEL) not in NEXT for state in State if state not in BEFORE_ORDER)
    assert not {State.VERIFIED, State.CERTIFIED} & {NEXT.get((s, e)) for s in AT_PHONE for e in Event}
    assert {after for (_, event), after in NEXT.items() if event is Event.CERTIFY} == {State.CERTIFIED}
    assert set(OPEN) | set(ENDED) == set(State)
