"""When tests run, what an agent's word is worth, and which failed tries count."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.probes.rules import Numbers, Told, Try, counts, draw_times, local_day, weigh, window

T = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
S, M, H = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
AGAIN = (2 * M, 5 * M, 10 * M)
NUMBERS = Numbers(AGAIN, 5 * M, 10 * M, 10 * M)
BODY = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_hour": 0, "to_hour": 24}


def a_try(at: dt.datetime = T, reason: str = "unreachable", up_for: dt.timedelta = H) -> Try:
    return Try(at, at - S, up_for, reason)


FAIR = Told("not_reached", "unreachable", tuple(a_try(T + after) for after in (0 * M, *AGAIN)))


def test_a_day_is_one_of_shanghai() -> None:
    assert local_day(dt.datetime(2026, 11, 22, 16, 0, tzinfo=dt.UTC)) == dt.date(2026, 11, 23)
    day = window(dt.date(2026, 11, 23), BODY)
    assert day == (dt.datetime(2026, 11, 22, 16, tzinfo=dt.UTC), dt.datetime(2026, 11, 23, 16, tzinfo=dt.UTC))


def test_hours_and_weekdays_are_kept() -> None:
    sunday = dt.date(2026, 11, 22)
    assert window(sunday, {**BODY, "weekdays": [1]}) is None
    assert window(sunday, {**BODY, "from_hour": 9, "to_hour": 9}) is None
    found = window(sunday, {**BODY, "from_hour": 9, "to_hour": 18})
    assert found is not None
    assert found[1] - found[0] == 9 * H


@given(st.integers(0, 12), st.integers(15, 720), st.integers(1, 24))
def test_drawn_times_lie_in_their_hours_and_apart(number: int, least: int, hours: int) -> None:
    times = draw_times(T, T + hours * H, number, least * M, secrets.randbelow)
    assert times == sorted(times)
    assert all(T <= at < T + hours * H for at in times)
    assert all(later - at >= least * M for at, later in pairwise(times))
    assert len(times) == min(number, -(-hours * 60 // least)), "as many as have room"


def test_drawn_times_fill_the_day_evenly() -> None:
    """A test at each hour is about as likely: whoever knows the rule cannot rest in some part of the day."""
    hours = [0] * 24
    for _ in range(2000):
        for at in draw_times(T, T + 24 * H, 3, 90 * M, secrets.randbelow):
            hours[(at - T) // H] += 1
    assert min(hours) > 6000 / 24 * 0.6
    assert max(hours) < 6000 / 24 * 1.5


def test_a_fair_test_that_failed_stands() -> None:
    assert weigh(FAIR, T, AGAIN) == ("not_reached", "unreachable")


@pytest.mark.parametrize(
    "reason", ["unauthorized", "busy", "adb_down", "timeout", "dropped", "protocol", "reached"]
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_doubtful_try_makes_the_test_inconclusive(reason: str, place: int) -> None:
    tries = tuple(replace_reason(one, reason) if n == place else one for n, one in enumerate(FAIR.tries))
    assert weigh(FAIR._replace(tries=tries), T, AGAIN) == ("inconclusive", reason)


def replace_reason(one: Try, reason: str) -> Try:
    return one._replace(reason=reason)


@pytest.mark.parametrize(
    "tries",
    [
        (),
        FAIR.tries[:3],
        (*FAIR.tries, a_try(T + 20 * M)),
        (*FAIR.tries[:3], a_try(T + 9 * M)),
        tuple(one._replace(at=one.at - M) for one in FAIR.tries),  # before it was sent
        (FAIR.tries[0],) * 4,
    ],
)
def test_a_test_that_was_not_done_in_full_is_inconclusive(tries: tuple[Try, ...]) -> None:
    assert weigh(FAIR._replace(tries=tries), T, AGAIN) == ("inconclusive", "cut_short")


@pytest.mark.parametrize("outcome", ["reached", "inconclusive"])
def test_other_outcomes_are_taken_as_they_are(outcome: str) -> None:
    assert weigh(Told(outcome, "server", ()), T, AGAIN) == (outcome, "server")


@pytest.mark.parametrize(
    ("first", "last", "counted"),
    [
        (-60, -6, True),
        (-60, -5, False),  # heard five minutes before
        (-60, 60, False),  # one boot on both sides: it was on
        (10, 60, False),  # heard ten minutes after
        (10.1, 60, True),
    ],
)
def test_a_try_does_not_count_when_the_phone_was_heard_around_it(
    first: float, last: float, counted: bool
) -> None:
    assert counts(a_try(), [(T + first * M, T + last * M)], [], NUMBERS) is counted


def test_a_call_that_got_through_voids_a_try() -> None:
    assert counts(a_try(), [], [T - 6 * M, T + 11 * M], NUMBERS)
    assert not counts(a_try(), [], [T + 3 * M], NUMBERS)


def test_a_gateway_that_had_just_come_up_does_not_count() -> None:
    assert counts(a_try(up_for=10 * M), [], [], NUMBERS)
    assert not counts(a_try(up_for=10 * M - S), [], [], NUMBERS)
    assert not counts(a_try()._replace(checked_at=T + S), [], [], NUMBERS), "a check after the try is none"


_SPANS = st.lists(
    st.tuples(st.integers(-90, 90), st.integers(0, 60)).map(lambda p: (T + p[0] * M, T + sum(p) * M))
)
_CALLS = st.lists(st.integers(-60, 60).map(lambda m: T + m * M))


@given(_SPANS, _CALLS, st.data())
def test_more_evidence_of_life_never_makes_a_try_count(
    spans: list[tuple[dt.datetime, dt.datetime]], calls: list[dt.datetime], data: st.DataObject
) -> None:
    fewer = data.draw(st.lists(st.sampled_from(spans), unique=True)) if spans else []
    if counts(a_try(), spans, calls, NUMBERS):
        assert counts(a_try(), fewer, calls[: len(calls) // 2], NUMBERS)
    wider = replace(NUMBERS, heard_before=NUMBERS.heard_before + M)
    if counts(a_try(), spans, calls, wider):
        assert counts(a_try(), spans, calls, NUMBERS)
