"""The numbers of R02, taken from a policy's body into microseconds. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.uptime.rules import MINUTE

_HOUR = 60 * MINUTE
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """All but `strikes` and `needs_hit` are microseconds; `strike_every` 0: no further strike in one episode."""

    min_off: int
    merge: int
    hit_within: int
    beat_within: int
    strikes: int
    strike_every: int
    needs_hit: bool
    unproved: int
    unmet: int


def limits_of(body: Mapping[str, Any]) -> Limits:
    """`body` fits the policy's schema."""
    return Limits(
        min_off=body["min_off_minutes"] * MINUTE,
        merge=body["merge_minutes"] * MINUTE,
        hit_within=body["hit_within_minutes"] * MINUTE,
        beat_within=body["beat_within_minutes"] * MINUTE,
        strikes=body["strikes"],
        strike_every=body["strike_every_hours"] * _HOUR,
        needs_hit=body["needs_hit"],
        unproved=body["unproved_hours"] * _HOUR,
        unmet=body["unmet_days"] * _DAY,
    )
