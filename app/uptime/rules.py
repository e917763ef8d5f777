"""R02: from the boots of one phone to contiguous minutes of on, off and unknown. Plain values only.

Proofs of on hold both their ends and always win. Off is proved only between a boot's own shutdown mark and the start of
the boot that bears the next count; silence, a gap, or a journal that just stops prove nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from app.uptime.boots import Boot, fold

MINUTE = 60_000_000
SLACK = 2 * MINUTE
_PPM_100 = 10_000
"""Divisor: a phone's clock and the server's drift apart by up to 100 millionths."""
_PARTNERS = 16


class State(StrEnum):
    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """`code` says what kind of evidence, or why there is none; `boots` are the boot ids that it speaks of."""

    code: str
    boots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """`[start, end)` in microseconds since 1970 UTC."""

    start: int
    end: int
    state: State
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Evidence that contradicts itself: a matter for review, never proof of off. `by_us` is how far it is out."""

    code: str
    boots: tuple[str, ...]
    by_us: int


@dataclass(frozen=True, slots=True)
class Run:
    """A dated boot: on from `start` to `end`, both included."""

    boot: Boot
    start: int
    end: int
    shutdown: int | None

    @property
    def slack(self) -> int:
        return _slack(self.boot)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`intervals` are contiguous over the window asked for; `runs` are all proofs of on, closed spans, by start."""

    intervals: tuple[Interval, ...]
    anomalies: tuple[Anomaly, ...]
    runs: tuple[Run, ...]

    def total(self, state: State) -> int:
        """Microseconds of the window in a state."""
        return sum(i.end - i.start for i in self.intervals if i.state is state)


def decide(boots: Iterable[Boot], start: int, end: int) -> Timeline:
    """The states of one phone over `[start, end)`. `boots` are all that is known of it, in any order, also doubled."""
    known = fold(boots)
    runs = dated_runs(known)
    anomalies = find_anomalies(known, runs)
    gaps = _gaps(known, runs, {b for a in anomalies for b in a.boots})
    return Timeline(tuple(_paint(runs, gaps, start, end)), tuple(anomalies), tuple(runs))


def dated_runs(boots: Iterable[Boot]) -> list[Run]:
    """The boots that a reading dates, by start. What a journal adds is dated by the latest estimate of the start."""
    runs = []
    for boot in boots:
        if boot.started_earliest is None or boot.started_latest is None or boot.read_last is None:
            continue
        end, shutdown, journal = boot.read_last, None, boot.journal_us()
        if journal is not None:
            end = max(end, boot.started_latest + journal)
        if boot.ends_in_shutdown() and boot.shutdown_last_us is not None:
            shutdown = boot.started_latest + boot.shutdown_last_us
        runs.append(Run(boot, boot.started_earliest, max(end, boot.started_earliest), shutdown))
    return sorted(runs, key=lambda run: (run.start, run.boot.boot_id))


def find_anomalies(boots: Iterable[Boot], runs: Sequence[Run]) -> list[Anomaly]:
    """Every boot that contradicts itself or another is named; `runs` are the dated of the boots, by start."""
    return [a for boot in boots for a in _own_anomalies(boot)] + list(_overlaps(runs))


def _overlaps(runs: Sequence[Run]) -> Iterator[Anomaly]:
    """Each run with the first `_PARTNERS` later ones that it overlaps, and with any other that nothing names yet.

    All pairs would be half a million for a thousand boots that overlap: a false agent could stop the server with them.
    """
    # A shorter one overlaps nothing by more than its own slack.
    runs = [run for run in runs if run.end - run.start > run.slack]
    unnamed = _Unnamed(len(runs))
    for i, run in enumerate(runs):
        partners, j = 0, i + 1
        while j < len(runs) and runs[j].start < run.end:
            overlap = min(run.end, runs[j].end) - runs[j].start
            if overlap > max(run.slack, runs[j].slack):
                yield Anomaly("boots_overlap", (run.boot.boot_id, runs[j].boot.boot_id), overlap)
                unnamed.name(j)
                partners += 1
            j = j + 1 if partners < _PARTNERS else unnamed.after(j)


class _Unnamed:
    """The numbers from 0 that are not named yet; both acts take next to no time, however many are named."""

    def __init__(self, size: int) -> None:
        self._next = list(range(size + 1))

    def name(self, number: int) -> None:
        self._next[number] = number + 1

    def after(self, number: int) -> int:
        """The first one behind `number`; `size` where there is none."""
        found = number + 1
        while self._next[found] != found:
            # Each step halves the way for the next who comes here.
            self._next[found] = self._next[self._next[found]]
            found = self._next[found]
        return found


def _own_anomalies(boot: Boot) -> Iterable[Anomaly]:
    me = (boot.boot_id,)
    if boot.started_earliest is not None and boot.started_latest is not None:
        spread = boot.started_latest - boot.started_earliest
        if spread > _slack(boot):
            yield Anomaly("starts_differ", me, spread)
        if boot.heard_first is not None and boot.heard_first < boot.started_earliest:
            yield Anomaly("heard_before_start", me, boot.started_earliest - boot.heard_first)
    if boot.shutdown_first_us is not None:
        longest = max(us for us in (boot.uptime_us, boot.journal_us()) if us is not None)
        if longest - boot.shutdown_first_us >= SLACK:
            yield Anomaly("outlived_shutdown", me, longest - boot.shutdown_first_us)


def _slack(boot: Boot) -> int:
    return SLACK + (boot.uptime_us or 0) // _PPM_100


@dataclass(frozen=True, slots=True)
class _Gap:
    """What lies between two runs, and why. Where off is proved, the run before reaches at least to its mark."""

    state: State
    evidence: tuple[Evidence, ...]


def _gaps(boots: Sequence[Boot], runs: Sequence[Run], anomalous: set[str]) -> list[_Gap]:
    """One before each run, and one after the last."""
    if not runs:
        return [_Gap(State.UNKNOWN, (Evidence("no_proof"),))]
    bearers = Counter(count for boot in boots for count in {boot.count_low, boot.count_high})
    undated = Counter(
        count for b in boots if b.started_earliest is None for count in {b.count_low, b.count_high}
    )
    gaps = [_Gap(State.UNKNOWN, (Evidence("before_first_proof"),))]
    reached = runs[0].end
    for one, following in pairwise(runs):
        pair = (one.boot.boot_id, following.boot.boot_id)
        doubt = _doubt(one, following, bearers, undated, anomalous, reached)
        if doubt is None:
            proof = (Evidence("shutdown", pair[:1]), Evidence("next_boot", pair[1:]))
            gaps.append(_Gap(State.OFF, proof))
        else:
            gaps.append(_Gap(State.UNKNOWN, (Evidence(doubt, pair),)))
        reached = max(reached, following.end)
    gaps.append(_Gap(State.UNKNOWN, (Evidence("after_last_proof", (runs[-1].boot.boot_id,)),)))
    return gaps


def _doubt(
    one: Run,
    following: Run,
    bearers: Counter[int | None],
    undated: Counter[int | None],
    anomalous: set[str],
    reached: int,
) -> str | None:
    """Why nothing is proved between two runs that follow each other; None when off is proved."""
    count, following_count = one.boot.count_high, following.boot.count_low
    doubt = None
    if one.boot.boot_id in anomalous or following.boot.boot_id in anomalous:
        doubt = "anomaly"
    elif one.shutdown is None:
        doubt = "no_shutdown_mark"
    elif count is None or following_count is None:
        doubt = "count_not_known"
    elif following_count != count + 1:
        doubt = "boots_missing"
    # A journal without a date that claims a count of this pair may have run in between: a wipe starts counts anew.
    elif bearers[following_count] > 1 or undated[count]:
        doubt = "count_not_unique"
    elif reached > one.shutdown + one.slack:
        doubt = "another_boot_between"
    return doubt


def _paint(runs: Sequence[Run], gaps: Sequence[_Gap], start: int, end: int) -> list[Interval]:
    """Contiguous intervals; neighbours of one state from overlapping boots are joined."""
    painted: list[Interval] = []
    cursor = start
    for gap, run in zip(gaps, [*runs, None], strict=True):
        until = end if run is None else min(max(run.start, start), end)
        if until > cursor:
            _append(painted, Interval(cursor, until, gap.state, gap.evidence))
            cursor = until
        stop = cursor if run is None else min(run.end, end)
        if run is not None and stop > cursor:
            _append(painted, Interval(cursor, stop, State.ON, _on_evidence(run)))
            cursor = stop
    return painted


def _on_evidence(run: Run) -> tuple[Evidence, ...]:
    me = (run.boot.boot_id,)
    by_journal = run.boot.read_last is not None and run.end > run.boot.read_last
    return (Evidence("reading", me), Evidence("journal", me)) if by_journal else (Evidence("reading", me),)


def _append(painted: list[Interval], piece: Interval) -> None:
    last = painted[-1] if painted else None
    if last is not None and last.state is piece.state:
        painted[-1] = Interval(last.start, piece.end, last.state, last.evidence + piece.evidence)
    else:
        painted.append(piece)
