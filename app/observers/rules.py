"""When an observer may be believed. Plain values only.

All that is concluded rests on stretches that are proved up. A beat that is lost takes proof away and never adds any:
the more beats are lost, the fewer phones can be suspected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

TOUCH = dt.timedelta(seconds=2)
"""Two proofs that lie this near to each other are one stretch: ages are rounded, and travel takes time."""
SAMPLE_EVERY = dt.timedelta(minutes=5)
_SAME_HOUR = dt.timedelta(minutes=30)
_DAY = dt.timedelta(days=1)
_ENOUGH_SAMPLES = 3
_FEWEST_USUAL = 3


class Stretch(NamedTuple):
    """`[start, end]`, both ends proved."""

    start: dt.datetime
    end: dt.datetime


class Beat(NamedTuple):
    """One checked beat of the wire. `up_for_us`: for how long its self-check had passed without a break."""

    age_us: int | None
    up: bool
    up_for_us: int
    reason: str | None


@dataclass(frozen=True)
class Limits:
    """The numbers of policy `probing` that say when an observer may be believed."""

    lease: dt.timedelta
    recover: dt.timedelta
    pause: dt.timedelta
    site_phones: int
    site_percent: int
    site_within: dt.timedelta
    quiet: dt.timedelta
    usual_percent: int


def limits_of(body: Mapping[str, Any]) -> Limits:
    """`body` fits the policy's schema."""
    minutes = {
        name: dt.timedelta(minutes=body[f"{name}_minutes"])
        for name in ("lease", "recover", "site_within", "quiet")
    }
    return Limits(
        pause=dt.timedelta(seconds=body["pause_seconds"]),
        site_phones=body["site_phones"],
        site_percent=body["site_percent"],
        usual_percent=body["usual_percent"],
        **minutes,
    )


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches that touch are one; in order. The same for any order, and for stretches given twice."""
    joined: list[Stretch] = []
    for one in sorted(stretches):
        if joined and one.start <= joined[-1].end + TOUCH:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return joined


def gaps(ups: Sequence[Stretch], start: dt.datetime, end: dt.datetime) -> list[Stretch]:
    """What of `[start, end]` is not proved up; `ups` are in order and apart."""
    found: list[Stretch] = []
    at = start
    for up in ups:
        if up.end < start or up.start > end:
            continue
        if up.start > at:
            found.append(Stretch(at, up.start))
        at = max(at, up.end)
    if at < end:
        found.append(Stretch(at, end))
    return found


def steady_at(ups: Iterable[Stretch], at: dt.datetime, limits: Limits) -> bool:
    """Whether an observer had been up for long enough at `at`, and was heard lately enough.

    One that restarted since is believed until the lease ends: to ask for the later stretch would let a beat that is
    lost make it more believed. What it then says of a phone rests on its own word for how long it had been up.
    """
    return any(up.start <= at - limits.recover and up.end >= at - limits.lease for up in ups)


def quiet_together(heard: Sequence[dt.datetime], now: dt.datetime, limits: Limits) -> dt.datetime | None:
    """Since when a site is quiet as a whole: enough phones, and their share, fell silent within a short time.

    `heard`: when each of the site's phones was last heard. Phones that had been silent before are not asked for.
    """
    order = sorted(heard)
    silent = [at for at in order if now - at > limits.quiet]
    for i in range(len(silent) - 1, -1, -1):
        together = sum(1 for at in silent[i:] if at - silent[i] <= limits.site_within)
        alive = sum(1 for at in order if at >= silent[i])
        if together >= limits.site_phones and together * 100 >= limits.site_percent * alive:
            return silent[i]
    return None


def usual(samples: Sequence[tuple[dt.datetime, int]], now: dt.datetime) -> float | None:
    """How many phones are heard at this time of day as a rule, by the samples of the days before; None: not known."""
    same = [heard for at, heard in samples if _apart(now, at) <= _SAME_HOUR and now - at > _SAME_HOUR]
    if len(same) < _ENOUGH_SAMPLES:
        same = [heard for at, heard in samples if now - at <= _DAY]
    return median(same) if len(same) >= _ENOUGH_SAMPLES else None


def _apart(now: dt.datetime, at: dt.datetime) -> dt.timedelta:
    """How far two instants lie apart by the time of day."""
    rest = (now - at) % _DAY
    return min(rest, _DAY - rest)


def intake_low(heard: int, usual_number: float | None, limits: Limits) -> bool:
    if usual_number is None or usual_number < _FEWEST_USUAL:
        return False
    return heard * 100 < limits.usual_percent * usual_number
