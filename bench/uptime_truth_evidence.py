"""What a fleet of known truth leaves behind: the lines of a trace, and of each boot what of it survived.

Readings at contacts, the journal's marks as far as it lived and its file was kept, tests, reports, beats; each line
with the instant at which it reached the server. Seconds after `BEGIN`.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.uptime_truth_lives import BEGIN, DAY, HOUR, MINUTE, Boot, Fleet, Phone, Span

Line = dict[str, Any]
_POLL_S = 45 * MINUTE
_BEAT_S = 5 * MINUTE
_ON = ["answered", "rings", "no_coverage", "busy", "unclear", "suspended", "powered_off"]
_ON_WEIGHTS = [62, 22, 6, 4, 4, 1, 1]
_REASONS = ["timeout", "refused", "unauthorized", "busy", "adb_down"]


@dataclass(slots=True)
class Survived:
    """What of one boot's evidence reached the server."""

    dated: bool = False
    counted: bool = False
    marked: bool = False


@dataclass(slots=True)
class Evidence:
    """`lines` with the second of their arrival; `tests`: for each phone its scheduled tests, in order, and whether any
    try reached it; `heard`: the stretches in which a monitor that asks each minute would have had answers.
    """

    lines: list[tuple[int, Line]] = field(default_factory=list)
    survived: dict[str, Survived] = field(default_factory=dict)
    tests: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    heard: dict[str, list[Span]] = field(default_factory=dict)


def gather(fleet: Fleet, seed: int) -> Evidence:
    dice = random.Random(seed)
    evidence = Evidence()
    evidence.lines += _beats(dice, fleet)
    for phone in fleet.phones:
        _Witness(dice, fleet, phone, evidence).testify()
    # The same batch twice: an answer was lost on the way.
    evidence.lines += dice.sample(evidence.lines, len(evidence.lines) // 50)
    evidence.lines.sort(key=lambda arrived: arrived[0])
    return evidence


def as_time(second: float) -> str:
    return (BEGIN + dt.timedelta(seconds=second)).isoformat()


def _beats(dice: random.Random, fleet: Fleet) -> Iterator[tuple[int, Line]]:
    site = fleet.site
    for at in range(-_BEAT_S, fleet.days * DAY, _BEAT_S):
        now = at + dice.randint(0, 60)
        if _inside(site.dead, now):
            continue
        kind = "observer_down" if _inside(site.cut, now) else "observer_up"
        yield _delivered(fleet, now), {"t": as_time(now), "kind": kind, "observer": site.name}


def _delivered(fleet: Fleet, at: int) -> int:
    """When what was seen at an instant reaches the server: after the outages that hold it up."""
    for start, end in sorted([*fleet.deaf, *fleet.site.cut]):
        if start <= at < end:
            at = end
    return at


def _inside(spans: Sequence[Span], at: float) -> bool:
    """`spans` are in order and do not overlap."""
    number = bisect_right(spans, at, key=lambda span: span[0])
    return number > 0 and at < spans[number - 1][1]


def without(span: Span, cuts: Iterable[Span]) -> Iterator[Span]:
    """What is left of a span; `cuts` in any order."""
    start, end = span
    for low, high in sorted(cuts):
        if high > start and low < end:
            if low > start:
                yield start, low
            start = max(start, high)
    if start < end:
        yield start, end


class _Witness:
    """One phone's evidence, in the order of its life."""

    def __init__(self, dice: random.Random, fleet: Fleet, phone: Phone, into: Evidence) -> None:
        self.dice, self.fleet, self.phone, self.into = dice, fleet, phone, into
        self.file: dict[str, tuple[Boot, int, str]] = {}
        self.contacts: list[Span] = []

    def testify(self) -> None:
        for boot in self.phone.boots:
            self.into.survived[boot.name] = Survived()
            if boot.wiped or self.dice.random() < 0.03:
                self.file.clear()
            windows = list(self._windows(boot))
            self.contacts += windows
            for window in windows:
                self._met(boot, window)
            if self.phone.reads_itself and boot.count is not None:
                windows += self._by_itself(boot)
            self._end(boot, windows)
        self.into.heard[self.phone.name] = self._heard()
        self._spans()
        self._tests()
        self._calls_and_reports()

    def _line(self, at: float, kind: str, **fields: Any) -> None:
        line = {"t": as_time(at), "phone": self.phone.name, "kind": kind, **fields}
        self.into.lines.append((_delivered(self.fleet, round(at)), line))

    def _windows(self, boot: Boot) -> Iterator[Span]:
        """When the gateway can read this boot. After a restart many a phone waits until somebody plugs it in."""
        site, last = self.phone.site, self.fleet.days * DAY
        begin = max(boot.start + self.dice.randint(15, 90), -2 * DAY)
        if boot.count is None and self.dice.random() < 0.8:
            return
        if boot.start > 0 and len(self.phone.reach) > 1 and self.dice.random() < 0.25:
            begin += self.dice.randint(HOUR, 4 * DAY)
        for start, end in self.phone.reach:
            span = (max(start, begin), min(end, boot.end, last))
            if span[0] < span[1]:
                yield from without(span, [*site.dead, *site.cut, *site.blind])

    def _met(self, boot: Boot, window: Span) -> None:
        start, end = window
        polls = [*range(start, end, _POLL_S), end - 1]
        for poll in sorted(set(polls)):
            if self.dice.random() < 0.98:
                self._read(boot, poll)
        self._collect(boot, start)

    def _by_itself(self, boot: Boot) -> list[Span]:
        """The phone's own agent comes up with it, reads it now and then, and keeps the journal at work."""
        start, end = max(boot.start + 90, -2 * DAY), min(boot.end, self.fleet.days * DAY)
        for at in range(start, end, 2 * HOUR):
            self._read(boot, at, grade="self")
        if start < end:
            self._collect(boot, start, grade="self")
        return [(start, end)] if start < end else []

    def _read(self, boot: Boot, at: int, **grade: str) -> None:
        true = at - boot.start
        drift = 1 + self.dice.choice([-1, 0, 1]) / 50_000
        count = boot.count if true > 50 else None
        told = {"boot_id": boot.name, "boot_count": count, "uptime_s": round(true * drift, 2)}
        survived = self.into.survived[boot.name]
        if self.dice.random() < 0.01:
            # Its age is not known: it only proves that the boot lived for so long.
            last = {"last_uptime_s": told.pop("uptime_s"), "end": "open"}
            self._line(at, "journal", **told, **last, **grade)
        else:
            self._line(at + self.dice.uniform(-2, 2), "reading", **told, **grade)
            survived.dated = True
        survived.counted |= count is not None

    def _collect(self, now: Boot, at: int, **grade: str) -> None:
        for name, (boot, last, end) in list(self.file.items()):
            if name != now.name:
                told = {"boot_id": name, "boot_count": boot.count, "last_uptime_s": last, "end": end}
                self._line(at, "journal", **told, **grade)
                survived = self.into.survived[name]
                survived.counted |= boot.count is not None
                survived.marked |= end == "shutdown"
                if self.dice.random() < 0.9:
                    del self.file[name]

    def _end(self, boot: Boot, windows: Sequence[Span]) -> None:
        """What the journal on the phone holds of a boot that is over: it runs from the first contact on, unless killed
        after the last one, and a shutdown does not always leave it the time to write its mark.
        """
        if not windows or boot.count is None:
            return
        killed = windows[-1][1] + round(self.dice.expovariate(1 / (6 * DAY)))
        alive = killed >= boot.end
        marked = alive and boot.orderly and self.dice.random() < 0.9
        stops = (
            boot.end - self.dice.randint(0, 5) if marked else min(killed, boot.end) - self.dice.randint(0, 60)
        )
        last = max(stops - boot.start, 0)
        self.file[boot.name] = (boot, last, "shutdown" if marked else "open")

    def _heard(self) -> list[Span]:
        return sorted(piece for span in self.contacts for piece in without(span, self.fleet.deaf))

    def _spans(self) -> None:
        first = -2 * DAY
        for (start, end), who in self.phone.custody:
            until = None if end > self.fleet.days * DAY else as_time(end)
            self._line(max(start, first), "custody", **{"from": as_time(start), "to": until}, employee=who)
        for (start, end), who in self.phone.delegated:
            span = {"from": as_time(start), "to": as_time(end)}
            self._line(start, "excuse", **span, reason="delegation", delegate=who)
        for (start, end), reason in self.phone.excused:
            self._line(start, "excuse", **{"from": as_time(start), "to": as_time(end)}, reason=reason)

    def _tests(self) -> None:
        """Four times a day at unforeseeable times, each with its three further tries."""
        site = self.phone.site
        done = self.into.tests.setdefault(self.phone.name, [])
        for day in range(self.fleet.days):
            for at in sorted(day * DAY + self.dice.randint(0, DAY - 1) for _ in range(4)):
                if _inside(site.dead, at):
                    continue
                tries = [at, at + 120, at + 300, at + 600]
                reached = any(_inside(self.contacts, one) for one in tries)
                done.append((at, reached))
                # The self-check failed: inconclusive. Now and then the router goes between the check and the test.
                if reached or (_inside(site.cut, at) and self.dice.random() < 0.7):
                    continue
                for one in tries:
                    reason = self.dice.choices(_REASONS, [85, 5, 3, 3, 4])[0]
                    self._line(one, "probe_failed", observer=site.name, reason=reason)
                if self.dice.random() < 0.35:
                    self._dial(at + self.dice.randint(5 * MINUTE, 90 * MINUTE))

    def _calls_and_reports(self) -> None:
        for day in range(self.fleet.days):
            if self.dice.random() < 0.02:
                self._dial(day * DAY + self.dice.randint(8 * HOUR, 20 * HOUR))
            for hour in range(7, 23):
                at = day * DAY + hour * HOUR + self.dice.randint(0, HOUR - 1)
                seems_off = not self.phone.is_on(at) or _inside(self.phone.airplane, at)
                if self.dice.random() < (1 / 12 if seems_off else 1 / 900):
                    self._line(at, "customer_report")
                    self._decide(at)

    def _dial(self, at: int) -> None:
        if not 7 * HOUR <= at % DAY < 22 * HOUR or at >= self.fleet.days * DAY:
            return
        if self.phone.is_on(at) and not _inside(self.phone.airplane, at):
            result = self.dice.choices(_ON, _ON_WEIGHTS)[0]
        else:
            result = self.dice.choices(["powered_off", "no_coverage", "unclear"], [92, 4, 4])[0]
        self._line(at, "dial_test", result=result, by="ops")
        if result == "powered_off":
            self._decide(at)

    def _decide(self, at: int) -> None:
        """Some accusations the lead looks into, and finds out the truth."""
        if self.dice.random() < 0.3:
            span = {"from": as_time(at - 1), "to": as_time(at + 1)}
            status = "refuted" if self.phone.is_on(at) else "confirmed"
            later = at + self.dice.randint(HOUR, 6 * DAY)
            if later < self.fleet.days * DAY:
                self._line(later, "decision", **span, status=status, by="lead", why="asked")
