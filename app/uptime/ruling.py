"""R02 as a whole: from all that was said of the phones to incidents, strikes and allowances. Plain values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.uptime.dossier import Dossier, Observers, Trace
from app.uptime.episodes import Hit, find_episodes
from app.uptime.incidents import Incident, Status, judge
from app.uptime.limits import Limits
from app.uptime.proofs import prove
from app.uptime.rules import Timeline, dated_runs, decide
from app.uptime.spans import Span, closed_at, union
from app.uptime.strikes import Allowance, allowance, answerable, answers_at, month_of, strikes_of

_PENDING = frozenset({Status.SUSPECTED, Status.UNDECIDED})
_PROVES_ON = frozenset({"answered", "rings"})


@dataclass(frozen=True, slots=True)
class Strike:
    """`month` is Shanghai's, as `2026-11`."""

    at: int
    employee: str
    month: str


@dataclass(frozen=True, slots=True)
class IncidentRuling:
    """`answers` and `month`: whose and which month's it is as long as no strike has come of it."""

    incident: Incident
    strikes: tuple[Strike, ...]
    answers: str
    month: str


@dataclass(frozen=True, slots=True)
class PhoneRuling:
    """`calls`: instants at which a call reached the phone; `shares`: employee and month of custody in the trace."""

    phone: str
    timeline: Timeline
    calls: tuple[tuple[int, str], ...]
    incidents: tuple[IncidentRuling, ...]
    excused: tuple[Span, ...]
    shares: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MonthRuling:
    """Of one employee and month; numbers of strikes, and of incidents that wait."""

    strikes: int
    suspected: int
    undecided: int
    allowance: Allowance


def rule(trace: Trace, limits: Limits) -> list[PhoneRuling]:
    """The ruling of each phone, by name: the same for any order of the lines, and for lines given twice."""
    if trace.first is None or trace.last is None:
        return []
    observers = trace.observers(limits.beat_within)
    dossiers = (trace.phones[phone] for phone in sorted(trace.phones))
    return [rule_phone(dossier, observers, limits, trace.first, trace.last) for dossier in dossiers]


def rule_phone(
    dossier: Dossier, observers: Observers, limits: Limits, trace_first: int, trace_last: int
) -> PhoneRuling:
    """`trace_first` and `trace_last` bound the whole trace, not this phone's lines."""
    calls = tuple(sorted((d.t, d.result) for d in dossier.dial_tests if d.result in _PROVES_ON))
    timeline = decide([*dossier.boots.values(), *dossier.self_boots.values()], dossier.first, dossier.last)
    vouched = dated_runs(dossier.boots.values()) if dossier.self_boots else timeline.runs
    proofs = prove(timeline, vouched, [at for at, _ in calls])
    excused = union((e.start, closed_at(e.end)) for e in dossier.excuses if e.reason != "delegation")
    episodes = find_episodes(proofs, _hits(dossier, observers), limits)
    incidents = judge(episodes, proofs, dossier.decisions, excused, limits, trace_last)
    who = answerable(dossier.phone, dossier.custodies, dossier.excuses)
    ruled = []
    for incident, strikes in zip(incidents, strikes_of(incidents, excused, limits), strict=True):
        waits = answers_at(incident, excused)
        ruled.append(
            IncidentRuling(
                incident,
                tuple(Strike(at, who.at(at), month_of(at)) for at in strikes),
                who.at(waits),
                month_of(waits),
            )
        )
    shares = frozenset(who.months(trace_first, trace_last))
    return PhoneRuling(dossier.phone, timeline, calls, tuple(ruled), tuple(excused), shares)


def _hits(dossier: Dossier, observers: Observers) -> Iterable[Hit]:
    for test in dossier.dial_tests:
        if test.result == "powered_off":
            yield Hit(test.t, "dial_test", test.by, test.result)
    for report in dossier.reports:
        yield Hit(report.t, "customer_report")
    for probe in dossier.probes:
        if observers.speaks(probe):
            yield Hit(probe.t, "probe_failed", probe.observer, probe.reason)


def rule_months(phones: Iterable[PhoneRuling], limits: Limits) -> dict[str, dict[str, MonthRuling]]:
    """Employee → month → ruling: every month of custody in the trace, and others with a strike or open incident."""
    strikes: Counter[tuple[str, str]] = Counter()
    pending: Counter[tuple[str, str, Status]] = Counter()
    shares: set[tuple[str, str]] = set()
    for phone in phones:
        shares |= phone.shares
        for ruled in phone.incidents:
            strikes.update((strike.employee, strike.month) for strike in ruled.strikes)
            if ruled.incident.status in _PENDING:
                pending[ruled.answers, ruled.month, ruled.incident.status] += 1
                shares.add((ruled.answers, ruled.month))
    months: dict[str, dict[str, MonthRuling]] = {}
    for employee, month in sorted(shares | strikes.keys()):
        struck = strikes[employee, month]
        suspected = pending[employee, month, Status.SUSPECTED]
        undecided = pending[employee, month, Status.UNDECIDED]
        months.setdefault(employee, {})[month] = MonthRuling(
            struck, suspected, undecided, allowance(struck, suspected + undecided, limits)
        )
    return months
