"""A timeline as lanes of bars, to be drawn by a page. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 1000.0
_LEAST = 2.0
"""A bar narrower than this could not be seen: a call of a moment is still shown."""
Piece = tuple[dt.datetime, dt.datetime, str, str]
"""`[start, end)`, its state, and words about it."""


@dataclass(frozen=True)
class Bar:
    """`x` and `width` of `WIDTH`."""

    x: float
    width: float
    state: str
    title: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Lane:
    label: str
    bars: tuple[Bar, ...]


def lane(label: str, start: dt.datetime, end: dt.datetime, pieces: Iterable[Piece]) -> Lane:
    """The pieces as far as they lie in `[start, end]`, whose length is not zero."""
    whole = end - start
    bars = []
    for since, until, state, title in pieces:
        left, right = max(since, start), min(until, end)
        if right < left or since > end:
            continue
        width = max((right - left) / whole * WIDTH, _LEAST)
        x = min((left - start) / whole * WIDTH, WIDTH - width)
        bars.append(Bar(x, width, state, title, since, until))
    return Lane(label, tuple(bars))
