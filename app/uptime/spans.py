"""Arithmetic of half-open spans `(start, end)` in microseconds. Plain values only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
FOREVER = 2**62
"""The end of an open span: later than any instant of the calendar."""


def closed_at(end: int | None) -> int:
    return FOREVER if end is None else end


def union(spans: Iterable[Span]) -> list[Span]:
    """The same instants as disjoint spans in order, none touching the next; empty spans hold nothing."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def holds(spans: Sequence[Span], instant: int) -> bool:
    """Whether one of the disjoint spans, in order, holds the instant."""
    at = bisect_right(spans, instant, key=lambda span: span[0]) - 1
    return at >= 0 and instant < spans[at][1]


def subtract(span: Span, cut: Sequence[Span]) -> list[Span]:
    """What is left of a span outside the disjoint spans of `cut`, which are in order."""
    left = []
    cursor, end = span
    at = max(bisect_right(cut, cursor, key=lambda one: one[0]) - 1, 0)
    while at < len(cut) and cut[at][0] < end:
        if cut[at][0] > cursor:
            left.append((cursor, cut[at][0]))
        cursor = max(cursor, cut[at][1])
        at += 1
    if cursor < end:
        left.append((cursor, end))
    return left
