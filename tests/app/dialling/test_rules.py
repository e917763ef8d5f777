"""The lot: nobody is safe, nobody is forgotten, nothing is drawn twice."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialling.rules import draw, how_many, shown_number
from app.dialling.states import NEXT, Event, State, advance
from app.kernel.errors import Conflict


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_state_and_event(state: State, event: Event) -> None:
    if (state, event) in NEXT:
        assert advance(state, event) is NEXT[state, event]
    else:
        with pytest.raises(Conflict):
            advance(state, event)


@given(
    st.dictionaries(st.integers(), st.floats(-1, 400), max_size=60), st.integers(0, 70), st.integers(0, 2**32)
)
def test_a_lot_is_some_of_the_phones_each_once(rested: dict[int, float], number: int, seed: int) -> None:
    drawn = draw(rested, number, 30, Random(seed))
    assert len(drawn) == len(set(drawn)) == min(number, len(rested))
    assert set(drawn) <= set(rested)
    late = {phone for phone, days in rested.items() if days >= 30}
    assert late <= set(drawn) or set(drawn) <= late


def test_yesterdays_phone_may_come_again_but_seldom_does() -> None:
    rested = {phone: 1.0 if phone == 0 else 15.0 for phone in range(20)}
    random = Random(1)
    seen = Counter(phone for _ in range(4000) for phone in draw(rested, 2, 30, random))
    assert 0 < seen[0] < min(seen[phone] for phone in range(1, 20)) / 10


def test_over_months_every_phone_comes_up() -> None:
    random, last = Random(2), dict.fromkeys(range(100), 0)
    number = how_many(100, 5, 30)
    for day in range(1, 181):
        for phone in draw({p: float(day - at) for p, at in last.items()}, number, 30, random):
            last[phone] = day
        assert day - min(last.values()) <= 31
    assert number == 5


@pytest.mark.parametrize(("phones", "wanted"), [(0, 0), (3, 3), (100, 5), (151, 6), (1000, 34)])
def test_how_many_calls_a_day(phones: int, wanted: int) -> None:
    assert how_many(phones, 5, 30) == wanted
    assert how_many(phones, 0, 30) == 0


def test_numbers_as_people_read_them() -> None:
    assert shown_number("+8613812345678") == "138 1234 5678"
    assert shown_number("+85291234567") == "+85291234567"
