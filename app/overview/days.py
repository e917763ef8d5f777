"""A timeline cut into the days of Shanghai, as bars of 1,440 minutes. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
"""Without summer time since 1991: a fixed offset, so every day here has 24 hours."""
_DAY = dt.timedelta(days=1)
_MINUTE = dt.timedelta(minutes=1)

Piece = tuple[dt.datetime, dt.datetime, str]
"""`[start, end)` and its state."""


@dataclass(frozen=True)
class Bar:
    """A piece of one day: `x` and `width` in minutes of that day, fractions kept so that short runs stay visible."""

    x: float
    width: float
    state: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Day:
    """`seconds` by state, of the part of the day that the timeline covers."""

    date: dt.date
    bars: tuple[Bar, ...]
    seconds: dict[str, float]

    def share(self, state: str) -> str:
        total = sum(self.seconds.values())
        return percent(self.seconds.get(state, 0.0) / total if total else 0.0)


def percent(share: float) -> str:
    """`92%` of a share from 0 to 1; one that is not quite nothing or all is never rounded to it."""
    rounded = round(100 * share)
    return f"{min(max(rounded, 1), 99) if 0 < share < 1 else rounded}%"


def first_midnight(now: dt.datetime, days: int) -> dt.datetime:
    """When the first of the last `days` days began, today counted."""
    today = now.astimezone(_SHANGHAI).date()
    return dt.datetime.combine(today - (days - 1) * _DAY, dt.time(), _SHANGHAI)


def days_of(pieces: Iterable[Piece]) -> list[Day]:
    """The days that the pieces touch, newest first. Pieces are in order and do not overlap."""
    bars: dict[dt.date, list[Bar]] = {}
    for start, end, state in pieces:
        at = start
        while at < end:
            local = at.astimezone(_SHANGHAI)
            midnight = dt.datetime.combine(local.date(), dt.time(), _SHANGHAI)
            until = min(end, midnight + _DAY)
            bar = Bar((at - midnight) / _MINUTE, (until - at) / _MINUTE, state, at, until)
            bars.setdefault(local.date(), []).append(bar)
            at = until
    return [Day(date, tuple(found), _seconds(found)) for date, found in sorted(bars.items(), reverse=True)]


def _seconds(bars: Iterable[Bar]) -> dict[str, float]:
    total: dict[str, float] = {}
    for bar in bars:
        total[bar.state] = total.get(bar.state, 0.0) + bar.width * 60
    return total
