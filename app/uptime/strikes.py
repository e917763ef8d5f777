"""Strikes: when they fall, whose they are, and what a month of them costs. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from app.uptime.incidents import Incident, Status
from app.uptime.limits import Limits
from app.uptime.spans import Span, closed_at, holds
from app.uptime.trace import Custody, Excuse

Allowance = Literal["cancelled", "undecided", "payable"]
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def strikes_of(incidents: Sequence[Incident], excused: Sequence[Span], limits: Limits) -> list[list[int]]:
    """The instants of the strikes of each incident of one phone; `excused` are all maintenance and repair, in order.

    The phone's hits are gone through in order of time, so that a strike keeps others away for its time whichever
    incident it belongs to.
    """
    given: list[list[int]] = [[] for _ in incidents]
    last: int | None = None
    for at, number in sorted(_candidates(incidents, excused, limits)):
        if last is not None and (at == last or at - last < limits.strike_every):
            continue
        if given[number] and not limits.strike_every:
            continue
        given[number].append(at)
        last = at
    return given


def _candidates(
    incidents: Iterable[Incident], excused: Sequence[Span], limits: Limits
) -> Iterator[tuple[int, int]]:
    """Each instant at which an incident could give a strike, and the incident's number."""
    for number, incident in enumerate(incidents):
        if incident.status is not Status.CONFIRMED:
            continue
        episode = incident.episode
        hits = [hit.at for hit in episode.hits if not holds(excused, hit.at)]
        if not hits and not limits.needs_hit:
            hits = [episode.start]
        for at in hits if episode.kind == "a" else hits[:1]:
            yield at, number


def answers_at(incident: Incident, excused: Sequence[Span]) -> int:
    """The instant whose month and person an open incident waits in: that of the strike it would give."""
    outside = (hit.at for hit in incident.episode.hits if not holds(excused, hit.at))
    return next(outside, incident.episode.start)


@dataclass(frozen=True, slots=True)
class Answerable:
    """Who answers for a phone: `custodies` and `delegations`, of which at any instant the later `start` holds."""

    phone: str
    custodies: tuple[Custody, ...]
    delegations: tuple[Excuse, ...]

    def at(self, instant: int) -> str:
        """The delegate inside a delegation, else whoever has custody, else the unnamed holder."""
        delegation = _latest(self.delegations, instant)
        if isinstance(delegation, Excuse) and delegation.delegate is not None:
            return delegation.delegate
        custody = _latest(self.custodies, instant)
        return custody.employee if isinstance(custody, Custody) else self.holder

    @property
    def holder(self) -> str:
        return f"holder:{self.phone}"

    def months(self, first: int, last: int) -> Iterator[tuple[str, str]]:
        """Each employee and month of custody within the trace; without any custody the holder's."""
        for custody in self.custodies:
            start, end = max(custody.start, first), min(closed_at(custody.end) - 1, last)
            if start <= end:
                yield from ((custody.employee, month) for month in months_between(start, end))
        if not self.custodies:
            yield from ((self.holder, month) for month in months_between(first, last))


def answerable(phone: str, custodies: Iterable[Custody], excuses: Iterable[Excuse]) -> Answerable:
    """Spans that hold no instant make nobody answer, and leave no phone without its holder."""
    return Answerable(
        phone,
        tuple(line for line in custodies if line.start != line.end),
        tuple(line for line in excuses if line.delegate is not None and line.start != line.end),
    )


def _latest(lines: Iterable[Custody | Excuse], instant: int) -> Custody | Excuse | None:
    holding = (line for line in lines if line.start <= instant < closed_at(line.end))
    return max(holding, key=_precedence, default=None)


def _precedence(line: Custody | Excuse) -> tuple[int, int, str]:
    """Two that begin at once: the later written holds; the name only makes the choice the same each time."""
    name = line.employee if isinstance(line, Custody) else line.delegate or ""
    return (line.start, line.t, name)


def month_of(instant: int) -> str:
    """`2026-11`, as in Shanghai."""
    return (_EPOCH + instant * _MICROSECOND).astimezone(_SHANGHAI).strftime("%Y-%m")


def months_between(first: int, last: int) -> Iterator[str]:
    """The months of two instants, and those between."""
    year, month = (int(part) for part in month_of(first).split("-"))
    until = month_of(last)
    while (name := f"{year:04}-{month:02}") <= until:
        yield name
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def allowance(strikes: int, pending: int, limits: Limits) -> Allowance:
    """`pending`: incidents that are suspected or undecided, each of which could still become a strike."""
    if strikes >= limits.strikes:
        return "cancelled"
    return "undecided" if strikes + pending >= limits.strikes else "payable"
