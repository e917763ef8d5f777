from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hardware.rules import (
    Life,
    add_months,
    life_of,
    month_after,
    monthly,
    months_between,
    owed,
    schedule,
    take,
)

DAY = dt.date
FEN = st.integers(1, 10_000_000)


def test_life_counts_from_the_first_issue_then_from_the_purchase():
    issued = dt.datetime(2024, 11, 21, 17, 0, tzinfo=dt.UTC)  # the 22nd in Shanghai
    assert life_of(issued, DAY(2024, 1, 1), 24) == Life(DAY(2024, 11, 22), DAY(2026, 11, 22), "receipt")
    assert life_of(None, DAY(2024, 2, 29), 12) == Life(DAY(2024, 2, 29), DAY(2025, 2, 28), "purchase")
    unknown = life_of(None, None, 24)
    assert unknown == Life(None, None, None)
    assert unknown.covers(DAY(2026, 1, 1)) is None


def test_the_day_on_which_service_ends_is_beyond_it():
    life = Life(DAY(2024, 11, 22), DAY(2026, 11, 22), "receipt")
    assert life.covers(DAY(2026, 11, 21)) is True
    assert life.covers(DAY(2026, 11, 22)) is False


@given(st.dates(DAY(2000, 1, 1), DAY(2090, 1, 1)), st.integers(0, 240))
def test_months_there_and_back(day, months):
    after = add_months(day, months)
    assert months_between(day, after) == months
    assert months == 0 or months_between(day, after - dt.timedelta(days=1)) == months - 1


@pytest.mark.parametrize(
    ("basis", "old", "age", "fen"),
    [
        ("lower", 90_000, 0, 90_000), ("lower", 150_000, 0, 120_000), ("lower", None, 0, 120_000),
        ("invoice", 90_000, 0, 120_000), ("lower", 100_001, 13, 60_000), ("lower", 100_000, 12, 60_000),
        ("lower", 100_000, 18, 40_000), ("lower", 100_000, None, 100_000),
    ],
)  # fmt: skip
def test_what_is_owed(basis, old, age, fen):
    table = [{"from_month": 18, "keep_percent": 40}, {"from_month": 12, "keep_percent": 60}]
    assert owed(120_000, old, age, {"price": basis, "depreciation": table}).fen == fen


@given(FEN, FEN, st.integers(0, 120), st.integers(0, 100))
def test_nobody_owes_more_than_either_price(invoice, old, age, keep):
    found = owed(
        invoice, old, age, {"price": "lower", "depreciation": [{"from_month": 0, "keep_percent": keep}]}
    )
    assert 0 <= found.fen <= min(invoice, old)
    assert found.keep_percent == keep


@given(FEN, st.integers(1, 60))
def test_a_schedule_sums_to_the_amount(amount, months):
    parts = schedule(amount, monthly(amount, months), "2026-11")
    assert sum(fen for _, fen in parts) == amount
    assert len(parts) <= months
    assert all(0 < fen <= monthly(amount, months) for _, fen in parts)
    assert len({fen for _, fen in parts[:-1]}) <= 1
    assert parts[-1][1] <= parts[0][1]
    assert [month for month, _ in parts] == [month_after("2026-11", n) for n in range(len(parts))]


@given(FEN, st.integers(1, 24), st.lists(st.integers(0, 300_000), min_size=1, max_size=80))
def test_no_month_takes_more_than_its_part_its_cap_or_what_is_left(amount, months, caps):
    part, left = monthly(amount, months), amount
    for cap in caps:
        fen = take(left, part, cap)
        assert 0 <= fen <= min(part, cap, left)
        left -= fen
    assert left >= 0


def test_a_cap_that_other_orders_used_up_takes_nothing():
    assert take(10_000, 5_000, -1) == 0
