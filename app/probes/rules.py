"""When tests run, what an agent's word on one is worth, and which failed tries count. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
CONCLUSIVE = frozenset({"unreachable"})
"""Nothing answered at all. Whatever else went wrong (not authorised, busy, adb down, cut off, late) had an answer, or
was on our side."""
_EARLY = dt.timedelta(seconds=5)
"""By how much ages on the wire may make a try seem earlier than its command."""
_SHORT = dt.timedelta(seconds=2)
_MINUTE = dt.timedelta(minutes=1)
Spans = Sequence[tuple[dt.datetime, dt.datetime]]


class Try(NamedTuple):
    """One failed try and the self-check before it; `up_for`: how long the check had passed without a break."""

    at: dt.datetime
    checked_at: dt.datetime
    up_for: dt.timedelta
    reason: str


class Told(NamedTuple):
    """What an agent says of a test, dated. `outcome`: reached, not_reached, inconclusive."""

    outcome: str
    reason: str | None
    tries: tuple[Try, ...]


@dataclass(frozen=True)
class Numbers:
    """What of policy `probing` governs one test. `again`: its further tries, from the first."""

    again: tuple[dt.timedelta, ...]
    heard_before: dt.timedelta
    heard_after: dt.timedelta
    recover: dt.timedelta

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Numbers:
        return cls(
            tuple(dt.timedelta(seconds=s) for s in body["again_seconds"]),
            body["heard_before_minutes"] * _MINUTE,
            body["heard_after_minutes"] * _MINUTE,
            body["recover_minutes"] * _MINUTE,
        )


def local_day(now: dt.datetime) -> dt.date:
    return now.astimezone(SHANGHAI).date()


def whole_day(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    midnight = dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)
    return midnight, midnight + dt.timedelta(days=1)


def window(day: dt.date, body: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime] | None:
    """The hours of a day in which tests may run; None on a day without any."""
    if day.isoweekday() not in body["weekdays"] or body["to_hour"] <= body["from_hour"]:
        return None
    midnight, _ = whole_day(day)
    return midnight + dt.timedelta(hours=body["from_hour"]), midnight + dt.timedelta(hours=body["to_hour"])


def draw_times(
    start: dt.datetime, end: dt.datetime, number: int, least: dt.timedelta, below: Callable[[int], int]
) -> list[dt.datetime]:
    """`number` instants of `[start, end)` in order, at least `least` apart, any such set as likely as any other.

    Fewer when so many have no room. `below(n)` gives an unforeseeable number from 0 to n - 1.
    """
    length = end - start
    while number > 1 and (number - 1) * least >= length:
        number -= 1
    if number < 1 or length <= dt.timedelta(0):
        return []
    room = (length - (number - 1) * least) // dt.timedelta(microseconds=1)
    drawn = sorted(below(room) for _ in range(number))
    return [start + dt.timedelta(microseconds=us) + i * least for i, us in enumerate(drawn)]


def weigh(told: Told, leased_at: dt.datetime, again: Sequence[dt.timedelta]) -> tuple[str, str | None]:
    """Outcome and reason as they stand: a "not reached" that was not done in full, or not fairly, is inconclusive."""
    if told.outcome != "not_reached":
        return told.outcome, told.reason
    odd = next((one.reason for one in told.tries if one.reason not in CONCLUSIVE), None)
    if odd is not None:
        return "inconclusive", odd
    if len(told.tries) != 1 + len(again):
        return "inconclusive", "cut_short"
    first = told.tries[0].at
    due = [first + after - _SHORT for after in (dt.timedelta(0), *again)]
    if first < leased_at - _EARLY or any(one.at < at for one, at in zip(told.tries, due, strict=True)):
        return "inconclusive", "cut_short"
    return "not_reached", told.reason or told.tries[-1].reason


def counts(one: Try, contacts: Spans, alive: Sequence[dt.datetime], numbers: Numbers) -> bool:
    """Whether a failed try speaks against the phone, as far as is known by now.

    Not when the gateway had only just come up, nor when the phone was heard on any way around it: `contacts` are the
    first and last reading of each boot, `alive` the calls that got through.
    """
    if one.up_for < numbers.recover or one.checked_at > one.at:
        return False
    start, end = one.at - numbers.heard_before, one.at + numbers.heard_after
    if any(first <= end and last >= start for first, last in contacts):
        return False
    return not any(start <= at <= end for at in alive)


def journal_state(
    read_first: dt.datetime,
    read_last: dt.datetime,
    written_at: dt.datetime | None,
    now: dt.datetime,
    most: dt.timedelta,
) -> str:
    """`kept`, `none` or `unknown` of the present boot of a phone; `most`: how long reading it may bring no line.

    A phone that is not read tells nothing of its journal, and one that was met just now has had no time to write one.
    """
    if now - read_last > most:
        return "unknown"
    if written_at is not None and read_last - written_at <= most:
        return "kept"
    return "none" if read_last - max(read_first, written_at or read_first) >= most else "unknown"
