"""The status of each episode: what it is called before anybody loses anything. Plain values only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.uptime.episodes import Episode
from app.uptime.limits import Limits
from app.uptime.proofs import Proofs
from app.uptime.spans import Span, closed_at, holds, subtract
from app.uptime.trace import Decision


class Status(StrEnum):
    REFUTED = "refuted"
    CONFIRMED = "confirmed"
    EXCUSED = "excused"
    SUSPECTED = "suspected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Incident:
    """`decision`: the lead's word that holds for it, whether or not the status came of it."""

    episode: Episode
    status: Status
    decision: Decision | None


def judge(
    episodes: Sequence[Episode],
    proofs: Proofs,
    decisions: Iterable[Decision],
    excused: Sequence[Span],
    limits: Limits,
    trace_end: int,
) -> list[Incident]:
    """The episodes, in their order, each with its status. `excused`: all maintenance and repair, disjoint, in order."""
    spoken = _decided(episodes, decisions)
    return [
        Incident(episode, _status(episode, proofs, decision, excused, limits, trace_end), decision)
        for episode, decision in zip(episodes, spoken, strict=True)
    ]


def _decided(episodes: Sequence[Episode], decisions: Iterable[Decision]) -> list[Decision | None]:
    """The decision that holds for each episode: of those that overlap it the latest, on a tie the milder.

    Episodes are in order and share no instant, so that a decision overlaps neighbours.
    """
    held: list[Decision | None] = [None] * len(episodes)
    for decision in sorted(decisions, key=_weight):
        if decision.start == decision.end:
            continue
        low = bisect_left(episodes, decision.start, key=_reach)
        high = bisect_left(episodes, closed_at(decision.end), key=lambda episode: episode.start)
        held[low:high] = [decision] * (high - low)
    return held


def _weight(decision: Decision) -> tuple[int, bool, str, str]:
    return (decision.t, decision.status == Status.REFUTED, decision.by, decision.why)


def _reach(episode: Episode) -> int:
    """The last instant of an episode, which of kind (a) is the one before its end."""
    return episode.end - 1 if episode.kind == "a" else episode.end


def _status(
    episode: Episode,
    proofs: Proofs,
    decision: Decision | None,
    excused: Sequence[Span],
    limits: Limits,
    trace_end: int,
) -> Status:
    """The first that applies: proof of on, the lead's word, an excuse, proof of off, and then what the readings say."""
    if _refuted_by_proof(episode, limits):
        return Status.REFUTED
    if decision is not None:
        return Status(decision.status)
    if _is_excused(episode, excused, limits):
        return Status.EXCUSED
    if episode.kind == "a":
        return Status.CONFIRMED
    assert episode.place is not None
    before, after = proofs.readings_around(episode.place.number)
    if after is None:
        unmet = trace_end - episode.end >= limits.unmet
        return Status.UNDECIDED if unmet else Status.SUSPECTED
    # No need to compare boot ids: one boot read on both sides would have proved the phone on in between.
    dialled = any(hit.source == "dial_test" for hit in episode.hits)
    if any(proofs.is_claimed(hit.at) for hit in episode.hits):
        return Status.UNDECIDED
    if dialled and before is not None and after - before < limits.unproved:
        return Status.CONFIRMED
    return Status.UNDECIDED


def _refuted_by_proof(episode: Episode, limits: Limits) -> bool:
    place = episode.place
    if place is None or place.on:
        return place is not None
    # Open at one end, the stretch may be of any length.
    return place.start is not None and place.end is not None and place.end - place.start < limits.min_off


def _is_excused(episode: Episode, excused: Sequence[Span], limits: Limits) -> bool:
    if episode.kind == "b":
        return all(holds(excused, hit.at) for hit in episode.hits)
    left = (piece for span in episode.off for piece in subtract(span, excused))
    return all(end - start < limits.min_off for start, end in left)
