from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import Conflict
from app.reports.rules import Confirmed, match, new_code, normal_room, once_a_household
from app.reports.states import NEXT, Event, State, advance

START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
HOUSES = [uuid.UUID(int=n) for n in range(3)]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_state_and_event(state: State, event: Event) -> None:
    if (state, event) in NEXT:
        assert advance(state, event) is NEXT[state, event]
    else:
        with pytest.raises(Conflict):
            advance(state, event)


@pytest.mark.parametrize(
    "text", ["1-101", " 1－101 ", "1—101", "1 - 101", "１－１０１", "1/101", "1.101", "1--101"]
)
def test_spellings_of_a_room_are_one(text: str) -> None:
    assert normal_room(text) == "1-101"


def test_a_room_is_matched_exactly_or_not_at_all() -> None:
    one, two, three = HOUSES
    known = {one: "1-101", two: "A-1", three: "a－1"}
    assert match("1－101", known) == ("found", one)
    assert match("1-10", known) == ("none", None)
    assert match("a-1", known) == ("several", None)
    for rubbish in ("", "   ", "'; DROP TABLE household; --", "%", "😀" * 20, "-"):
        assert match(rubbish, known) == ("none", None)


def test_codes_have_128_bits_of_chance() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {22}


def _at(hours: float, house: int = 0, quiet: float = 12) -> Confirmed:
    return Confirmed(START + dt.timedelta(hours=hours), HOUSES[house], dt.timedelta(hours=quiet))


def test_a_household_counts_once_as_of_its_earliest() -> None:
    assert once_a_household([_at(5), _at(1), _at(11.9)]) == [_at(1).at]
    assert once_a_household([_at(1), _at(13)]) == [_at(1).at, _at(13).at], "the time is half-open"
    assert once_a_household([_at(1, 0), _at(1, 1)]) == [_at(1).at, _at(1).at]
    assert once_a_household([_at(1, quiet=0), _at(2, quiet=0)]) == [_at(1).at, _at(2).at]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 2)), max_size=20), st.randoms())
def test_the_order_of_reports_does_not_matter(times: list[tuple[float, int]], random: object) -> None:
    reports = [_at(hours, house) for hours, house in times]
    mixed = list(reports)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert once_a_household(mixed) == once_a_household(reports)
    assert len(once_a_household(reports)) <= len(reports)
