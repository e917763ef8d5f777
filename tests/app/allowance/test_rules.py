"""Days in Shanghai, fen that add up, and which changes take something away."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.allowance.rules import (
    Held,
    LineState,
    Move,
    apportion,
    bookings,
    bounds,
    closable_from,
    compare,
    days_held,
    days_in,
    is_month,
    month_after,
    month_of,
    paid,
    shares,
    state_of,
)
from tests.app.allowance.conftest import at

POST, OTHER_POST = uuid.UUID(int=1), uuid.UUID(int=2)
A, B, C = (uuid.UUID(int=n) for n in (10, 11, 12))


def held(who: uuid.UUID, start: str, end: str | None = None, post: uuid.UUID = POST) -> Held:
    return Held(post, who, at(start), at(end) if end else None)


@pytest.mark.parametrize(
    ("month", "days"), [("2026-10", 31), ("2026-02", 28), ("2028-02", 29), ("2026-11", 30), ("2100-02", 28)]
)
def test_days_of_a_month(month, days):
    assert days_in(month) == days
    start, end = bounds(month)
    assert end - start == dt.timedelta(days=days)


def test_a_month_begins_at_midnight_in_shanghai():
    assert bounds("2026-10")[0] == dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC)
    assert month_of(dt.datetime(2026, 9, 30, 15, 59, 59, 999999, tzinfo=dt.UTC)) == "2026-09"
    assert month_of(dt.datetime(2026, 9, 30, 16, tzinfo=dt.UTC)) == "2026-10"
    assert closable_from("2026-12", 5) == at("2027-01-06 00:00")


def test_months_follow_each_other():
    assert [month_after("2026-12"), month_after("2026-01", -1), month_after("2026-05", -12)] == [
        "2027-01",
        "2025-12",
        "2025-05",
    ]


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "1999-01", "2026-1", "", "2026-10 ", "2026-10\n"])
def test_what_is_no_month(text):
    assert not is_month(text)


def test_whole_month_whole_amount():
    assert {
        who: [s.fen for s in parts] for who, parts in shares([held(A, "2026-01-01")], "2026-10", 5000).items()
    } == {A: [5000]}


def test_two_custodies_the_same_day_go_to_who_held_it_longer():
    days = days_held([held(A, "2026-10-01", "2026-10-15 10:00"), held(B, "2026-10-15 10:00")], "2026-10")
    assert days == {POST: {A: 14, B: 17}}


def test_a_tie_of_a_day_goes_to_the_later_one():
    days = days_held([held(A, "2026-10-01", "2026-10-15 12:00"), held(B, "2026-10-15 12:00")], "2026-10")
    assert days == {POST: {A: 14, B: 17}}


def test_two_phones_at_one_post_make_no_day_twice():
    both = [held(A, "2026-10-01", "2026-10-20"), held(A, "2026-10-10")]
    assert days_held(both, "2026-10") == {POST: {A: 31}}
    # A held two phones for 5 hours, B one for 8: hours are not counted by phone.
    day = [
        held(A, "2026-10-02 08:00", "2026-10-02 13:00"),
        held(A, "2026-10-02 08:00", "2026-10-02 13:00"),
        held(B, "2026-10-02 13:00", "2026-10-02 21:00"),
    ]
    assert days_held(day, "2026-10") == {POST: {B: 1}}


def test_two_posts_bring_two_allowances():
    found = shares([held(A, "2026-10-01"), held(A, "2026-10-17", post=OTHER_POST)], "2026-10", 3100)
    assert [(s.post, s.days, s.fen) for s in found[A]] == [(POST, 31, 3100), (OTHER_POST, 15, 1500)]


def test_days_without_a_holder_are_nobodys():
    found = shares([held(A, "2026-10-01", "2026-10-11"), held(B, "2026-10-21")], "2026-10", 3100)
    assert {who: parts[0].fen for who, parts in found.items()} == {A: 1000, B: 1100}


def test_what_lies_outside_of_the_month_counts_for_nothing():
    assert shares([held(A, "2026-09-01", "2026-10-01"), held(B, "2026-11-01")], "2026-10", 5000) == {}


@given(st.dictionaries(st.integers(0, 6), st.integers(0, 31), min_size=1), st.integers(0, 1_000_000))
def test_parts_add_up_to_the_whole(weights, whole):
    if sum(weights.values()) == 0:
        weights[0] = 1
    parts = apportion(whole, weights)
    total = sum(weights.values())
    assert sum(parts.values()) == whole
    assert all(abs(parts[key] * total - whole * weight) < total for key, weight in weights.items())


instants = st.datetimes(dt.datetime.fromisoformat("2026-01-20"), dt.datetime.fromisoformat("2026-03-10")).map(
    lambda t: t.replace(tzinfo=dt.UTC)
)


@given(
    st.lists(instants, min_size=2, max_size=6, unique=True).map(sorted),
    st.sampled_from([1, 99, 5000, 99_999]),
    st.data(),
)
def test_the_shares_of_a_post_that_is_never_vacant_are_its_whole_allowance(edges, whole, data):
    edges = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), *edges]
    who = [data.draw(st.sampled_from([A, B, C])) for _ in edges]
    spans = [
        Held(POST, person, start, end)
        for person, start, end in zip(who, edges, [*edges[1:], None], strict=True)
    ]
    found = shares(spans, "2026-02", whole)
    assert sum(part.fen for parts in found.values() for part in parts) == whole
    assert sum(part.days for parts in found.values() for part in parts) == 28
    assert found == shares(list(reversed(spans)), "2026-02", whole)


def test_the_engines_words():
    assert [state_of(word) for word in ("payable", "cancelled", "undecided")] == [
        LineState.PAYABLE,
        LineState.CANCELLED,
        LineState.HELD,
    ]
    assert [paid(state, 7) for state in LineState] == [7, 0, 0]


def test_what_the_ledger_holds():
    assert bookings(LineState.PAYABLE, 5) == {"grant": 5}
    assert bookings(LineState.CANCELLED, 5) == {"grant": 5, "cancellation": -5}
    assert bookings(LineState.HELD, 5) == bookings(LineState.CANCELLED, 0) == {}


P, X, H = LineState.PAYABLE, LineState.CANCELLED, LineState.HELD


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        ((P, 5), (P, 5), Move.NONE),
        ((P, 5), (P, 6), Move.GAIN),
        ((P, 5), (P, 4), Move.LOSS),
        ((P, 5), (X, 5), Move.LOSS),
        ((P, 5), (H, 5), Move.WAITS),
        ((X, 5), (P, 5), Move.GAIN),
        ((X, 5), (H, 5), Move.GAIN),
        ((X, 5), (X, 6), Move.GAIN),
        ((H, 5), (P, 5), Move.GAIN),
        ((H, 5), (X, 5), Move.GAIN),
        ((P, 0), (X, 0), Move.GAIN),
    ],
)
def test_what_takes_something_needs_a_person(before, after, move):
    assert compare(before, after) is move
