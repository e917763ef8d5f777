"""What is known of one run of a phone, from power-on to power-off: one boot id. Plain values only.

All numbers are whole microseconds: instants since 1970 UTC on the server's clock, uptimes on the phone's own clock.
A summary holds only bounds (lowest, highest), so evidence may arrive in any order, twice, or in any batches, and the
summary comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

JournalEnd = Literal["shutdown", "open"]
Grade = Literal["gateway", "self"]
"""Who vouches for evidence: another machine, or an agent on the phone itself, which its holder could have changed."""
Bound = Literal["min", "max"]

BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {
        "count_low": "min",
        "count_high": "max",
        "started_earliest": "min",
        "started_latest": "max",
        "heard_first": "min",
        "read_first": "min",
        "read_last": "max",
        "uptime_us": "max",
        "open_us": "max",
        "shutdown_first_us": "min",
        "shutdown_last_us": "max",
    }
)
"""How each field of a summary takes in more evidence; the database's columns have the same names and the same rule."""


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot id's summary; None: no evidence says.

    `count_*`: `boot_count` as told. `started_*`: instant less uptime of each dated reading. `heard_first`: the first
    instant at which anything was told of it. `read_first`, `read_last`, `uptime_us`: the first and the last dated
    reading, and the longest uptime of such. `open_us`, `shutdown_*_us`: the uptimes at which a journal just stops, or
    saw the phone's own shutdown; a reading without a date is a journal that just stops.
    """

    boot_id: str
    count_low: int | None = None
    count_high: int | None = None
    started_earliest: int | None = None
    started_latest: int | None = None
    heard_first: int | None = None
    read_first: int | None = None
    read_last: int | None = None
    uptime_us: int | None = None
    open_us: int | None = None
    shutdown_first_us: int | None = None
    shutdown_last_us: int | None = None

    def ends_in_shutdown(self) -> bool:
        """Whether the last journal saw the shutdown. Where both kinds end at one uptime, the milder (`open`) holds."""
        if self.shutdown_last_us is None:
            return False
        return self.open_us is None or self.shutdown_last_us > self.open_us

    def journal_us(self) -> int | None:
        """The uptime that the journals prove, of either kind."""
        told = [us for us in (self.open_us, self.shutdown_last_us) if us is not None]
        return max(told, default=None)


def from_reading(boot_id: str, count: int | None, at: int | None, uptime_us: int) -> Boot:
    """One reading. `at` None (its age is not known): a journal that just stops, of which nothing else is dated."""
    if at is None:
        return from_journal(boot_id, count, uptime_us, "open", heard=None)
    started = at - uptime_us
    return Boot(boot_id, count, count, started, started, at, read_first=at, read_last=at, uptime_us=uptime_us)


def from_journal(
    boot_id: str, count: int | None, last_uptime_us: int, end: JournalEnd, heard: int | None
) -> Boot:
    """What the phone's own journal says of one boot; `heard` is the server's time of it, None: not known."""
    if end == "open":
        return Boot(boot_id, count, count, heard_first=heard, open_us=last_uptime_us)
    us = last_uptime_us
    return Boot(boot_id, count, count, heard_first=heard, shutdown_first_us=us, shutdown_last_us=us)


def merge(one: Boot, other: Boot) -> Boot:
    """Both summaries of the same boot in one. Commutative, associative, idempotent."""
    return Boot(
        one.boot_id,
        _low(one.count_low, other.count_low),
        _high(one.count_high, other.count_high),
        _low(one.started_earliest, other.started_earliest),
        _high(one.started_latest, other.started_latest),
        _low(one.heard_first, other.heard_first),
        _low(one.read_first, other.read_first),
        _high(one.read_last, other.read_last),
        _high(one.uptime_us, other.uptime_us),
        _high(one.open_us, other.open_us),
        _low(one.shutdown_first_us, other.shutdown_first_us),
        _high(one.shutdown_last_us, other.shutdown_last_us),
    )


def fold(boots: Iterable[Boot]) -> list[Boot]:
    """One summary a boot id, in the order of the ids."""
    found: dict[str, Boot] = {}
    for boot in boots:
        known = found.get(boot.boot_id)
        found[boot.boot_id] = boot if known is None else merge(known, boot)
    return [found[boot_id] for boot_id in sorted(found)]


def _low(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _high(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
