"""Verdicts as values, and which stored incident each computed one is. Plain values only.

The engine knows no identities: it tells the episodes of a phone afresh each time. An incident keeps its name as long as
something of it is left, so that a decision, an appeal and a notice stay with what they were about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PENDING = frozenset({"suspected", "undecided"})
CAUSES: Mapping[str, str] = {
    "boots": "手机的开关机证据有更新",
    "tests": "拨测、客户反映或探测有更新",
    "custody": "保管记录有更正",
    "excuses": "保养、维修或委托有变更",
    "decisions": "负责人作出了决定",
    "policy": "制度参数有调整",
    "time": "等待期已满，手机仍未再读到",
}
"""The kinds of input, and what is said when one of them changed a verdict."""
_MOVED = 60_000_000


@dataclass(frozen=True, slots=True)
class HitFact:
    """A test or report that found the phone off; `excused`: inside maintenance or repair."""

    at: int
    source: str
    who: str
    what: str
    excused: bool


@dataclass(frozen=True, slots=True)
class StrikeFact:
    at: int
    answers: str
    month: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One incident as the engine rules it. Instants in microseconds; `end` as in `model.Incident`."""

    kind: str
    status: str
    start: int
    end: int
    answers: str
    month: str
    hits: tuple[HitFact, ...]
    off: tuple[tuple[int, int], ...]
    strikes: tuple[StrikeFact, ...]

    @property
    def pending(self) -> bool:
        return self.status in PENDING

    @property
    def extent(self) -> tuple[int, int]:
        """From the first to the last instant that it is about, hits included."""
        ats = [hit.at for hit in self.hits]
        return min([self.start, *ats]), max([self.end, *ats])

    @property
    def persons(self) -> frozenset[str]:
        """Whom it costs, or while it waits may cost, something."""
        return frozenset(strike.answers for strike in self.strikes) or frozenset({self.answers})

    def differs(self, other: Verdict) -> bool:
        """Whether a person would call it another verdict: bounds that move by seconds are the same."""
        same = ("kind", "status", "answers", "month", "hits", "strikes")
        moved = max(abs(self.start - other.start), abs(self.end - other.end))
        return moved >= _MOVED or any(getattr(self, name) != getattr(other, name) for name in same)

    def told(self) -> dict[str, Any]:
        """As JSON, for the history of changes."""
        return {
            "kind": self.kind,
            "status": self.status,
            "start": self.start,
            "end": self.end,
            "answers": self.answers,
            "month": self.month,
            "hits": [hit.at for hit in self.hits],
            "strikes": [{"at": s.at, "answers": s.answers, "month": s.month} for s in self.strikes],
        }


def said_of(verdict: Verdict, status: str) -> tuple[int, int]:
    """The first and the last instant that a person's word is about.

    Whoever confirms what is not proved confirms one hit, the one that counts: should the phone later prove that it was
    on in between, two incidents come of the one, and one word must not become two strikes.
    """
    counting = [hit.at for hit in verdict.hits if not hit.excused]
    if status == "confirmed" and verdict.kind == "b" and counting:
        return min(counting), min(counting)
    return verdict.extent


@dataclass(frozen=True, slots=True)
class Matching:
    """`same[n]`: the stored one that computed `n` is. `joined[m]`: the computed one that took in stored `m`.

    `parted[n]`: the stored one of which computed `n`, a new one, is a part.
    """

    same: dict[int, int]
    joined: dict[int, int]
    parted: dict[int, int]


def match(stored: Sequence[tuple[Verdict, bool]], found: Sequence[Verdict]) -> Matching:
    """Which is which, by what they have in common. `stored` with whether each still counts; in a stable order.

    Those that still count come before those that are gone, then more shared hits, then more shared time: the same for
    any order in which evidence came in between.
    """
    pairs = []
    for n, verdict in enumerate(found):
        for m, (known, counts) in enumerate(stored):
            shared = _shared(verdict, known)
            if shared is not None:
                pairs.append((not counts, -shared[0], -shared[1], m, n))
    same: dict[int, int] = {}
    joined: dict[int, int] = {}
    parted: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, _, m, n in sorted(pairs):
        if n not in same and m not in taken:
            same[n] = m
            taken.add(m)
    for gone, _, _, m, n in sorted(pairs):
        if m not in taken:
            joined.setdefault(m, n)
        if n not in same and not gone:
            parted.setdefault(n, m)
    return Matching(same, joined, parted)


def _shared(one: Verdict, other: Verdict) -> tuple[int, int] | None:
    """Hits and microseconds in common; None when they do not touch."""
    start = max(one.extent[0], other.extent[0])
    end = min(one.extent[1], other.extent[1])
    if start > end:
        return None
    hits = {(hit.at, hit.source) for hit in one.hits} & {(hit.at, hit.source) for hit in other.hits}
    return len(hits), end - start


def causes_of(before: Mapping[str, str] | None, after: Mapping[str, str]) -> list[str]:
    """Which inputs differ from those of the ruling before; only time is left when none does."""
    if before is None:
        return ["tests"]
    changed = [name for name in CAUSES if name in after and before.get(name) != after[name]]
    return changed or ["time"]
