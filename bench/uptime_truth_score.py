"""What the engine says of a fleet, held against the truth; and what plain rules of monitors would have said.

Verdicts are microseconds since 1970 as the engine's, the truth seconds after `BEGIN`; all sums are seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from app.uptime.incidents import Status
from app.uptime.limits import Limits
from app.uptime.rules import State
from app.uptime.ruling import PhoneRuling, rule_months
from app.uptime.strikes import month_of
from bench.uptime_truth_evidence import Evidence
from bench.uptime_truth_lives import BEGIN, DAY, MINUTE, Boot, Fleet, Phone, Span

EDGE = 2 * MINUTE
_SECOND = 1_000_000
_ZERO = round(BEGIN.timestamp())
Score = Counter[str]
"""Seconds and numbers by name."""
MUST_BE_NONE = (
    "wrong: on called off",
    "wrong: off called on",
    "wrong: cancellations",
    "wrong: strikes counted twice",
    "wrong: strikes of the wrong person",
    "wrong: strikes in an excuse",
    "wrong: boots nobody met inside a proved off-time",
    "wrong: proofs turned into their opposite",
    "wrong: order or doubles made a difference",
)


def second(instant: int) -> float:
    return instant / _SECOND - _ZERO


def score(fleet: Fleet, evidence: Evidence, rulings: Sequence[PhoneRuling], limits: Limits) -> Score:
    found: Score = Counter()
    phones = {phone.name: phone for phone in fleet.phones}
    right: Counter[tuple[str, str]] = Counter()
    for ruling in rulings:
        phone = phones[ruling.phone]
        found += _minutes(fleet, phone, ruling)
        found += _provable(fleet, phone, evidence, ruling)
        found += _incidents(phone, ruling, right)
    for employee, months in rule_months(rulings, limits).items():
        for month, one in months.items():
            found[f"months {one.allowance}"] += 1
            if one.allowance == "cancelled" and right[employee, month] < limits.strikes:
                found["wrong: cancellations"] += 1
    for grace in (10 * MINUTE, 120 * MINUTE):
        downs = {p.name: _silences(fleet, evidence.heard[p.name], grace) for p in fleet.phones}
        found += _plain(fleet, f"silent {grace // MINUTE} min", downs, limits)
    downs = {p.name: _failures(fleet, evidence.tests[p.name], evidence.heard[p.name]) for p in fleet.phones}
    return found + _plain(fleet, "4 tries failed", downs, limits)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def truth(fleet: Fleet, phone: Phone) -> Iterator[tuple[int, int, str]]:
    """Contiguous over the month; `hung`: the kernel ran, but Android never came up and nobody could use the phone."""
    last, end = 0, fleet.days * DAY
    for boot in phone.boots:
        start, stop = min(max(boot.start, 0), end), min(max(boot.end, 0), end)
        if start > last:
            yield last, start, "off"
        if stop > start:
            yield start, stop, "hung" if boot.count is None else "on"
        last = max(last, stop)


def _minutes(fleet: Fleet, phone: Phone, ruling: PhoneRuling) -> Score:
    found: Score = Counter()
    month = (0.0, float(fleet.days * DAY))
    pieces = list(truth(fleet, phone))
    known = 0.0
    for interval in ruling.timeline.intervals:
        span = (max(second(interval.start), month[0]), min(second(interval.end), month[1]))
        for start, end, state in pieces:
            shared = _overlap(span, (start, end))
            known += shared
            found[f"{state} as {interval.state}"] += round(shared)
            inner = _overlap(span, (start + EDGE, end - EDGE)) if end - start > 2 * EDGE else 0.0
            if {state, interval.state.value} == {"on", "off"}:
                found[f"wrong: {state} called {interval.state}"] += round(inner)
        if interval.state is State.OFF:
            for boot in phone.boots:
                # The boots at both ends were met, and reach out by more than the datings err.
                if span[0] - 10 <= boot.start and boot.end <= span[1] + 10:
                    what = "hung boots" if boot.count is None else "wrong: boots nobody met"
                    found[f"{what} inside a proved off-time"] += 1
    # What no line of the phone touches has no interval.
    found["no line"] += round(month[1] - known)
    return found


def _provable(fleet: Fleet, phone: Phone, evidence: Evidence, ruling: PhoneRuling) -> Score:
    """Off-time that what survived does prove: a mark kept, both boots dated and counted, and none between them."""
    found: Score = Counter()
    called = [(second(i.start), second(i.end)) for i in ruling.timeline.intervals if i.state is State.OFF]
    for one, following in pairwise(phone.boots):
        before, after = evidence.survived[one.name], evidence.survived[following.name]
        gap = (max(one.end, 0), min(following.start, fleet.days * DAY))
        if gap[0] >= gap[1]:
            continue
        found["off time"] += gap[1] - gap[0]
        whole = before.dated and before.counted and before.marked and after.dated and after.counted
        if whole and following.count is not None and not following.wiped:
            found["off time provable"] += gap[1] - gap[0]
            found["off time provable and called off"] += round(sum(_overlap(gap, span) for span in called))
    return found


def _off_near(phone: Phone, start: float, end: float) -> bool:
    """Whether the phone was in no use at some instant of a span, edges of two minutes included."""
    return any(
        after.start > start - EDGE and before.end < end + EDGE for before, after in _neighbours(phone.boots)
    )


def _neighbours(boots: Sequence[Boot]) -> Iterator[tuple[Boot, Boot]]:
    """Each completed boot with the next."""
    completed = [boot for boot in boots if boot.count is not None]
    return pairwise(completed)


def _incidents(phone: Phone, ruling: PhoneRuling, right: Counter[tuple[str, str]]) -> Score:
    """`right` counts the strikes that are for a time in which the phone was off, by whom they belong to in truth.

    One of accusations (b) is dated by the first of them, which may have been a mistake where a later one was none.
    """
    found: Score = Counter()
    struck: list[float] = []
    for ruled in ruling.incidents:
        episode = ruled.incident.episode
        kind = f"incidents {episode.kind} {ruled.incident.status}"
        found[kind] += 1
        if ruled.incident.status is Status.CONFIRMED:
            start, end = second(episode.start), second(episode.end)
            found["wrong incidents"] += not _off_near(phone, start, end)
        if ruled.incident.status is Status.REFUTED:
            found["refuted though off"] += all(not phone.is_on(round(second(h.at))) for h in episode.hits)
        for strike in ruled.strikes:
            at = second(strike.at)
            found["strikes"] += 1
            found["wrong: strikes of the wrong person"] += strike.employee != phone.answers(round(at))
            found["wrong: strikes in an excuse"] += any(s <= at < e for (s, e), _ in phone.excused)
            found["strikes dated while on"] += not _off_near(phone, at, at)
            # A hit may lie two minutes beside a proved off-time, whose ends are known to some seconds.
            reach = (at - 5, at + 5) if episode.kind == "a" else (second(episode.start), second(episode.end))
            if _off_near(phone, *reach):
                right[phone.answers(round(at)), strike.month] += 1
            else:
                found["wrong strikes"] += 1
            struck.append(at)
    struck.sort()
    found["wrong: strikes counted twice"] += sum(later - one < DAY for one, later in pairwise(struck))
    return found


# --- what monitors do -------------------------------------------------------------------------------------------------


def _silences(fleet: Fleet, heard: Iterable[Span], grace: int) -> list[Span]:
    """Down from the end of the grace time until heard again."""
    downs, last = [], 0
    for start, end in [*heard, (fleet.days * DAY, fleet.days * DAY)]:
        if start - last > grace and start > 0:
            downs.append((last + grace, start))
        last = max(last, end)
    return downs


def _failures(fleet: Fleet, tests: Iterable[tuple[int, bool]], heard: Sequence[Span]) -> list[Span]:
    """Down from the last of four tries that failed until heard again."""
    downs: list[Span] = []
    for at in (at + 10 * MINUTE for at, reached in tests if not reached):
        if not downs or at >= downs[-1][1]:
            number = bisect_right(heard, at, key=lambda span: span[1])
            downs.append((at, max(at, heard[number][0]) if number < len(heard) else fleet.days * DAY))
    return downs


def _plain(fleet: Fleet, name: str, downs: dict[str, list[Span]], limits: Limits) -> Score:
    """Each "down" gives a strike, and one more each day that it lasts.

    An accusation and its strikes are wrong if the phone was never off in all that time.
    """
    found: Score = Counter()
    strikes: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for phone in fleet.phones:
        states = list(truth(fleet, phone))
        for down in downs[phone.name]:
            for start, end, state in states:
                found[f"{name}: {state} called off"] += round(_overlap(down, (start, end)))
            was_off = _off_near(phone, *down)
            found[f"{name}: accusations"] += 1
            found[f"{name}: wrong accusations"] += not was_off
            for at in range(down[0], max(down[1], down[0] + 1), limits.strike_every // _SECOND or DAY):
                key = (phone.answers(at), month_of((at + _ZERO) * _SECOND))
                strikes[key] += 1
                right[key] += was_off
                found[f"{name}: strikes"] += 1
                found[f"{name}: strikes dated while on"] += not _off_near(phone, at, at)
    for key, count in strikes.items():
        if count >= limits.strikes:
            found[f"{name}: cancellations"] += 1
            found[f"{name}: wrong cancellations"] += right[key] < limits.strikes
    return found
