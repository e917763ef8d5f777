"""A timeline as bars of days."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.overview.days import days_of, first_midnight, percent

UTC = dt.UTC


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-11-{text}+08:00")


def test_a_piece_is_cut_at_midnight_in_shanghai() -> None:
    days = days_of([(at("20T22:00"), at("22T06:00"), "on"), (at("22T06:00"), at("22T12:00"), "unknown")])
    assert [day.date.isoformat() for day in days] == ["2026-11-22", "2026-11-21", "2026-11-20"]
    assert [[(bar.x, bar.width, bar.state) for bar in day.bars] for day in days] == [
        [(0, 360, "on"), (360, 360, "unknown")],
        [(0, 1440, "on")],
        [(1320, 120, "on")],
    ]
    assert [day.share("on") for day in days] == ["50%", "100%", "100%"]


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (1, "100%"), (0.0001, "1%"), (0.9999, "99%"), (0.5, "50%")]
)
def test_nearly_all_is_not_all_and_hardly_any_is_not_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def test_seven_days_begin_at_a_midnight_of_shanghai() -> None:
    now = dt.datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
    assert first_midnight(now, 7) == at("16T00:00")
    assert first_midnight(now - dt.timedelta(hours=1), 1) == at("21T00:00")


@given(
    st.integers(0, 10**15),
    st.lists(
        st.tuples(st.integers(1, 5 * 10**11), st.sampled_from(["on", "off", "unknown"])),
        min_size=1,
        max_size=8,
    ),
)
def test_bars_hold_all_the_time_and_nothing_beyond_their_day(
    start: int, lengths: list[tuple[int, str]]
) -> None:
    when = dt.datetime(2026, 1, 1, tzinfo=UTC) + dt.timedelta(microseconds=start)
    pieces = []
    for length, state in lengths:
        pieces.append((when, when + dt.timedelta(microseconds=length), state))
        when = pieces[-1][1]
    days = days_of(pieces)
    bars = [bar for day in reversed(days) for bar in day.bars]
    assert bars[0].start == pieces[0][0]
    assert bars[-1].end == pieces[-1][1]
    assert all(one.end == following.start for one, following in itertools.pairwise(bars))
    assert all(bar.x >= 0 and bar.x + bar.width <= 1440 + 1e-6 for bar in bars)
    total = sum(sum(day.seconds.values()) for day in days)
    assert total == pytest.approx(sum(length for length, _ in lengths) / 1e6, abs=1e-3)
