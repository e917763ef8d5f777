"""Believing an observer: what is proved up, what falls silent together, and what losing beats can never do."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.observers.rules import Limits, Stretch, gaps, intake_low, quiet_together, steady_at, union, usual

T = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
M = dt.timedelta(minutes=1)
LIMITS = Limits(
    lease=10 * M, recover=10 * M, pause=M / 2, site_phones=3, site_percent=50, site_within=5 * M, quiet=5 * M,
    usual_percent=70,
)  # fmt: skip


def ago(*minutes: float) -> list[dt.datetime]:
    return [T - m * M for m in minutes]


def stretch(start: float, end: float) -> Stretch:
    """From and to, in minutes before T."""
    return Stretch(T - start * M, T - end * M)


@pytest.mark.parametrize(
    ("heard", "since"),
    [
        ([6, 7, 8, 0, 0, 0], 8),  # three of six, within two minutes
        ([6, 7, 8, 0, 0, 0, 0], None),  # three of seven are not half
        ([6, 7, 0], None),  # two are too few
        ([6, 9, 12, 0], None),  # one after the other: no common cause
        ([6, 9, 11, 0], 11),
        ([4, 4, 4, 4], None),  # not quiet yet
        ([5, 5, 5], None),  # the edge belongs to the living
        ([60, 61, 62, 600, 700, 800, 0, 0, 0], 62),  # those that were silent long before are not asked
        ([], None),
    ],
)
def test_a_site_that_falls_silent_together(heard: list[float], since: float | None) -> None:
    assert quiet_together(ago(*heard), T, LIMITS) == (None if since is None else T - since * M)


@pytest.mark.parametrize(
    ("up", "steady"),
    [
        (stretch(60, 0), True),
        (stretch(10, 0), True),
        (stretch(9.9, 0), False),  # it has only just come back
        (stretch(60, 10), True),
        (stretch(60, 10.1), False),  # it was not heard for too long
    ],
)
def test_an_observer_is_believed_after_some_time_and_for_some_time(up: Stretch, steady: bool) -> None:
    assert steady_at([up], T, LIMITS) is steady


def test_two_short_stretches_are_no_long_one() -> None:
    assert not steady_at([stretch(20, 8), stretch(7, 0)], T, LIMITS) or steady_at([stretch(20, 8)], T, LIMITS)
    assert not steady_at([stretch(9, 5), stretch(4, 0)], T, LIMITS)


def test_what_lies_between_two_stretches_is_not_filled_in() -> None:
    """Else a "down" that was lost on its way would have been "up"."""
    second = 1 / 60
    assert len(union([stretch(10, 5), stretch(5 - 3 * second, 0)])) == 2
    assert union([stretch(10, 5), stretch(5 - second, 0)]) == [stretch(10, 0)]


def test_gaps_are_what_nobody_vouches_for() -> None:
    ups = [stretch(50, 40), stretch(30, 20)]
    assert gaps(ups, T - 60 * M, T) == [stretch(60, 50), stretch(40, 30), stretch(20, 0)]
    assert gaps(ups, T - 45 * M, T - 25 * M) == [stretch(40, 30)]
    assert gaps([], T - M, T) == [stretch(1, 0)]
    assert gaps([stretch(99, 0)], T - 60 * M, T) == []


_STRETCHES = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 30)).map(lambda p: stretch(p[0] + p[1], p[0])), max_size=12
)


@given(_STRETCHES, st.randoms())
def test_order_and_doubles_change_nothing(found: list[Stretch], random: object) -> None:
    mixed = [*found, *found]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert union(mixed) == union(found)
    assert union([*union(found[:5]), *union(found[5:])]) == union(found)


@given(_STRETCHES, st.data())
def test_lost_beats_never_make_anybody_more_suspect(found: list[Stretch], data: st.DataObject) -> None:
    """Whatever subset of the beats arrives: who is believed by it would be believed by all of them, too."""
    kept = data.draw(st.lists(st.sampled_from(found), unique=True)) if found else []
    at = T - data.draw(st.integers(0, 150)) * M
    if steady_at(union(kept), at, LIMITS):
        assert steady_at(union(found), at, LIMITS)
    for gap in gaps(union(found), T - 200 * M, T):
        assert any(g.start <= gap.start and g.end >= gap.end for g in gaps(union(kept), T - 200 * M, T))


def test_usual_is_what_is_heard_at_this_time_of_day() -> None:
    night = [(T - dt.timedelta(days=d, hours=12), 20) for d in range(1, 8)]
    same = [(T - dt.timedelta(days=d) + 10 * M, 100) for d in range(1, 8)]
    assert usual(night + same, T) == 100
    assert usual(same[:2], T) is None, "two days are no measure"
    assert usual([(T - n * 5 * M, 40) for n in range(1, 4)], T) == 40, "on the first day: what it was today"
    assert usual([], T) is None


@pytest.mark.parametrize(
    ("heard", "usually", "low"),
    [(69, 100, True), (70, 100, False), (0, None, False), (0, 2, False), (0, 3, True)],
)
def test_an_intake_far_below_the_usual(heard: int, usually: float | None, low: bool) -> None:
    assert intake_low(heard, usually, LIMITS) is low
