"""A trace as it is gathered: what was said of each phone, and when each observer was up. Plain values only.

Lines may come in any order and twice: readings and journals fold into boots, all else into sets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.uptime.boots import Boot, Grade, from_journal, from_reading, merge
from app.uptime.trace import (
    Beat,
    Custody,
    CustomerReport,
    Decision,
    DialTest,
    Excuse,
    Journal,
    Line,
    Override,
    ProbeFailed,
    Reading,
    parse_line,
)
from app.uptime.trace_fields import NotUnderstood

VOID_REASONS = frozenset({"unauthorized", "busy", "adb_down"})
PolicyCheck = Callable[[Mapping[str, Any]], list[str]]


class TraceError(Exception):
    """A line that is not understood: its number, from 1, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


@dataclass(slots=True)
class Dossier:
    """All that was said of one phone. `self_boots`: what an agent on the phone itself said of its boots.

    `first` and `last`: the earliest instant that its lines touch (a reading reaches back to its boot), the last `t`.
    """

    phone: str
    first: int
    last: int
    boots: dict[str, Boot] = field(default_factory=dict)
    self_boots: dict[str, Boot] = field(default_factory=dict)
    dial_tests: set[DialTest] = field(default_factory=set)
    reports: set[CustomerReport] = field(default_factory=set)
    probes: set[ProbeFailed] = field(default_factory=set)
    custodies: set[Custody] = field(default_factory=set)
    excuses: set[Excuse] = field(default_factory=set)
    decisions: set[Decision] = field(default_factory=set)

    def take_in(self, boot: Boot, grade: Grade) -> None:
        boots = self.self_boots if grade == "self" else self.boots
        known = boots.get(boot.boot_id)
        boots[boot.boot_id] = boot if known is None else merge(known, boot)

    def take_reading(self, line: Reading) -> None:
        self.take_in(from_reading(line.boot_id, line.boot_count, line.t, line.uptime_us), line.grade)
        self.first = min(self.first, line.t - line.uptime_us)

    def take_journal(self, line: Journal) -> None:
        boot = from_journal(line.boot_id, line.boot_count, line.last_uptime_us, line.end, line.t)
        self.take_in(boot, line.grade)


@dataclass(slots=True)
class Trace:
    """`first` and `last` as of a phone, over all lines; both None without any line. `override`: the policy line."""

    phones: dict[str, Dossier] = field(default_factory=dict)
    ups: dict[str, set[int]] = field(default_factory=dict)
    downs: dict[str, set[int]] = field(default_factory=dict)
    override: Override | None = None
    first: int | None = None
    last: int | None = None

    def add(self, line: Line) -> None:
        """Raise `NotUnderstood` for a second policy line that differs from the first."""
        begin = line.t - line.uptime_us if isinstance(line, Reading) else line.t
        self.first = begin if self.first is None else min(self.first, begin)
        self.last = line.t if self.last is None else max(self.last, line.t)
        if isinstance(line, Beat):
            (self.ups if line.up else self.downs).setdefault(line.observer, set()).add(line.t)
        elif isinstance(line, Override):
            if self.override not in {None, line}:
                raise NotUnderstood("another policy line stands before")
            self.override = line
        else:
            dossier = self.phones.get(line.phone)
            if dossier is None:
                dossier = self.phones[line.phone] = Dossier(line.phone, line.t, line.t)
            dossier.first, dossier.last = min(dossier.first, line.t), max(dossier.last, line.t)
            _file(dossier, line)

    def observers(self, beat_within: int) -> Observers:
        """Who was up when; `beat_within` is for how long, in microseconds, a beat speaks."""
        ups = {name: sorted(instants) for name, instants in self.ups.items()}
        downs = {name: sorted(instants) for name, instants in self.downs.items()}
        return Observers(ups, downs, beat_within)


def _file(
    dossier: Dossier,
    line: Reading | Journal | ProbeFailed | DialTest | CustomerReport | Custody | Excuse | Decision,
) -> None:
    match line:
        case Reading():
            dossier.take_reading(line)
        case Journal():
            dossier.take_journal(line)
        case ProbeFailed():
            dossier.probes.add(line)
        case DialTest():
            dossier.dial_tests.add(line)
        case CustomerReport():
            dossier.reports.add(line)
        case Custody():
            dossier.custodies.add(line)
        case Excuse():
            dossier.excuses.add(line)
        case Decision():
            dossier.decisions.add(line)


@dataclass(frozen=True, slots=True)
class Observers:
    """Instants at which each observer said that it was up, or down, in order."""

    ups: Mapping[str, list[int]]
    downs: Mapping[str, list[int]]
    beat_within: int

    def speaks(self, probe: ProbeFailed) -> bool:
        """Whether a failed probe is valid: its observer was up, and the reason is about the phone.

        A beat and a "down" of one instant: the "down" holds, for a doubtful observer accuses nobody.
        """
        if probe.reason in VOID_REASONS:
            return False
        up = _latest(self.ups.get(probe.observer, []), probe.t)
        down = _latest(self.downs.get(probe.observer, []), probe.t)
        if up is None or probe.t - up > self.beat_within:
            return False
        return down is None or down < up


def _latest(instants: list[int], until: int) -> int | None:
    """The last of the instants, which are in order, not after `until`."""
    at = bisect_right(instants, until)
    return instants[at - 1] if at else None


def read_trace(lines: Iterable[bytes], policy_problems: PolicyCheck) -> Trace:
    """All lines of a trace; blank ones say nothing. Raise `TraceError` for the first that is not understood.

    `policy_problems` tells what is wrong with overriding policy values, if anything.
    """
    trace = Trace()
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = parse_line(raw.decode())
            if isinstance(line, Override):
                _require_policy(line, policy_problems)
            trace.add(line)
        except UnicodeDecodeError:
            raise TraceError(number, "not UTF-8") from None
        except NotUnderstood as exc:
            raise TraceError(number, str(exc)) from None
    return trace


def _require_policy(line: Override, policy_problems: PolicyCheck) -> None:
    problems = policy_problems(line.body())
    if problems:
        raise NotUnderstood("; ".join(problems))
