"""Off-times and accusations gathered into episodes: one episode is one incident. Plain values only.

Kind (a) is proved-off time that is long enough; kind (b) are accusations that lie near no such time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.uptime.limits import Limits
from app.uptime.proofs import Place, Proofs
from app.uptime.spans import Span

Kind = Literal["a", "b"]
Source = Literal["probe_failed", "dial_test", "customer_report"]


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A test or report that found the phone off. `who` tested, `what` came of it; both empty for a report."""

    at: int
    source: Source
    who: str = ""
    what: str = ""

    @property
    def accuses(self) -> bool:
        """A failed probe alone is no accusation."""
        return self.source != "probe_failed"


@dataclass(frozen=True, slots=True)
class Episode:
    """`hits` in order. (a): `off` are its spans, `[start, end)` reaches over them. (b): `place` is where its
    accusations lie, `start` and `end` are the first and the last of them, both included.
    """

    kind: Kind
    start: int
    end: int
    hits: tuple[Hit, ...]
    off: tuple[Span, ...] = ()
    place: Place | None = None


def find_episodes(proofs: Proofs, hits: Iterable[Hit], limits: Limits) -> list[Episode]:
    """All episodes of a phone, in order of time; `hits` are its valid failed probes and its accusations."""
    groups = _off_groups(proofs.off, limits)
    spans = [(start, end, number) for number, group in enumerate(groups) for start, end in group]
    hit: list[list[Hit]] = [[] for _ in groups]
    loose: dict[tuple[bool, int], tuple[Place, list[Hit]]] = {}
    extents = [(group[0][0], group[-1][1], number) for number, group in enumerate(groups)]
    for one in sorted(hits):
        for number in _near(spans, one.at, limits.hit_within):
            hit[number].append(one)
        if one.accuses and not _near(extents, one.at, limits.hit_within):
            place = proofs.place(one.at)
            loose.setdefault((place.on, place.number), (place, []))[1].append(one)
    found = [
        Episode("a", group[0][0], group[-1][1], tuple(hit[number]), off=tuple(group))
        for number, group in enumerate(groups)
    ]
    found += [
        Episode("b", accusations[0].at, accusations[-1].at, tuple(accusations), place=place)
        for place, accusations in loose.values()
    ]
    return sorted(found, key=lambda episode: (episode.start, episode.end))


def _off_groups(off: Iterable[Span], limits: Limits) -> list[list[Span]]:
    """The spans that are long enough, those close to each other in one group."""
    groups: list[list[Span]] = []
    for start, end in off:
        if end - start < limits.min_off:
            continue
        if groups and start - groups[-1][-1][1] < limits.merge:
            groups[-1].append((start, end))
        else:
            groups.append([(start, end)])
    return groups


def _near(spans: Sequence[tuple[int, int, int]], instant: int, within: int) -> list[int]:
    """Numbers of the disjoint spans, which are in order, that lie at most `within` from the instant."""
    found: dict[int, None] = {}
    at = bisect_right(spans, instant + within, key=lambda span: span[0]) - 1
    while at >= 0 and spans[at][1] + within >= instant:
        found[spans[at][2]] = None
        at -= 1
    return list(found)
