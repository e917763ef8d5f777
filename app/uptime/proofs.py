"""What is proved of one phone: where it was on, where off, and which readings lie around. Plain values only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from app.uptime.rules import Run, State, Timeline
from app.uptime.spans import Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instant lies: in the contiguous stretch of on `number`, or in the gap before that stretch.

    `start` and `end` bound the stretch or gap; None: nothing proves on before it, or after it.
    """

    on: bool
    number: int
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Proofs:
    """`stretches`: the contiguous stretches of on, closed spans in order; one may be a single instant.

    `claimed`: the same with what only the phone's own agent vouches for: it refutes no human's test alone, but takes
    its certainty away. `off`: the proved-off spans in order, parted at each proof of on within. `reads_before[n]` is
    the last reading of the boots that start up to stretch n, `reads_after[n]` the first one of those that start in it
    or later; the phone's own readings are in neither.
    """

    stretches: Sequence[Span]
    claimed: Sequence[Span]
    off: Sequence[Span]
    reads_before: Sequence[int | None]
    reads_after: Sequence[int | None]

    def place(self, instant: int) -> Place:
        at = bisect_right(self.stretches, instant, key=lambda span: span[0])
        if at and instant <= self.stretches[at - 1][1]:
            return Place(True, at - 1, *self.stretches[at - 1])
        before = self.stretches[at - 1][1] if at else None
        after = self.stretches[at][0] if at < len(self.stretches) else None
        return Place(False, at, before, after)

    def is_claimed(self, instant: int) -> bool:
        """Whether anything at all says that the phone was on."""
        at = bisect_right(self.claimed, instant, key=lambda span: span[0])
        return at > 0 and instant <= self.claimed[at - 1][1]

    def readings_around(self, gap: int) -> tuple[int | None, int | None]:
        """The last reading before a gap, by its `Place.number`, and the first after it."""
        before = self.reads_before[gap - 1] if gap else None
        return before, self.reads_after[gap] if gap < len(self.reads_after) else None


def prove(timeline: Timeline, vouched: Sequence[Run], on_instants: Iterable[int]) -> Proofs:
    """`vouched`: the runs as told by others than the phone itself; `on_instants`: proofs of on without length."""
    instants = [(instant, instant) for instant in on_instants]
    claimed = _stretches([*((run.start, run.end) for run in timeline.runs), *instants])
    stretches = claimed
    if vouched is not timeline.runs:
        stretches = _stretches([*((run.start, run.end) for run in vouched), *instants])
    off = [(i.start, i.end) for i in timeline.intervals if i.state is State.OFF]
    before, after = _readings(stretches, vouched)
    return Proofs(stretches, claimed, _parted(off, claimed), before, after)


def _stretches(closed: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(closed):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _parted(off: Iterable[Span], stretches: Sequence[Span]) -> list[Span]:
    """The off spans cut where the phone was on: on always wins, and an instant is enough."""
    pieces = []
    for start, end in off:
        cursor = start
        at = bisect_right(stretches, start, key=lambda span: span[0])
        while at < len(stretches) and stretches[at][0] < end:
            pieces.append((cursor, stretches[at][0]))
            cursor = stretches[at][1]
            at += 1
        pieces.append((cursor, end))
    return pieces


def _readings(stretches: Sequence[Span], runs: Sequence[Run]) -> tuple[list[int | None], list[int | None]]:
    last: list[int | None] = [None] * len(stretches)
    first: list[int | None] = [None] * len(stretches)
    for run in runs:
        at = bisect_right(stretches, run.start, key=lambda span: span[0]) - 1
        last[at] = _later(last[at], run.boot.read_last)
        first[at] = _sooner(first[at], run.boot.read_first)
    after = list(accumulate(reversed(first), _sooner))
    return list(accumulate(last, _later)), after[::-1]


def _later(one: int | None, other: int | None) -> int | None:
    return max((t for t in (one, other) if t is not None), default=None)


def _sooner(one: int | None, other: int | None) -> int | None:
    return min((t for t in (one, other) if t is not None), default=None)
