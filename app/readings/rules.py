"""What a reading means for what is known already. Plain values only."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Unread = tuple[tuple[str, str], ...]
WATCHED = frozenset({"identity", "setup", "packages", "users", "accounts", "security"})
"""Sections whose every content is kept until whoever follows what changes on phones has taken it."""


@dataclass(frozen=True)
class AgentRef:
    """An agent as the rooms below `fleet` know it. `handset_id` is set for `self` agents alone: their own phone."""

    id: uuid.UUID
    centre_id: uuid.UUID
    kind: str
    handset_id: uuid.UUID | None = None


class Power(NamedTuple):
    battery_percent: int | None
    charging: bool | None
    airplane_mode: bool | None
    screen_on: bool | None


class Reading(NamedTuple):
    """One checked reading of the wire. `age_us` None: not known, it dates nothing."""

    phone: str
    target: str
    age_us: int | None
    boot_id: str
    boot_count: int | None
    uptime_us: int
    grade: str
    power: Power
    tags: Mapping[str, str]
    sections: Mapping[str, Any]
    unread: Unread


class Unreached(NamedTuple):
    target: str
    phone: str | None
    age_us: int | None
    reason: str


class LastWords(NamedTuple):
    """What the last line of a journal said; None: it did not know. `sim` as Android tells it, a state a slot."""

    battery_percent: int | None
    charging: bool | None
    airplane_mode: bool | None
    sim: str | None


class Journal(NamedTuple):
    """What a phone wrote down of one boot, checked. `age_us` is that of its collection, None: not known."""

    phone: str
    target: str
    age_us: int | None
    boot_id: str
    boot_count: int | None
    first_uptime_us: int
    last_uptime_us: int
    lines: int
    end: Literal["shutdown", "open"]
    grade: str
    last: LastWords


@dataclass(frozen=True)
class JournalNote:
    """How far a phone's own journal of one boot goes, for people to read; what it proves `app.uptime` says.

    `collected_at` None: its age was not known, it came with the batch of `received_at`.
    """

    boot_id: str
    boot_count: int | None
    first_uptime: dt.timedelta
    last_uptime: dt.timedelta
    lines: int
    end: Literal["shutdown", "open"]
    grade: str
    last: LastWords
    collected_at: dt.datetime | None
    received_at: dt.datetime
    agent_id: uuid.UUID

    def battery_empty(self, percent: int) -> bool:
        """Whether the last line saw at most `percent` and no charger: a mark beside an off-time, no excuse (R02)."""
        battery = self.last.battery_percent
        return battery is not None and battery <= percent and self.last.charging is False


class AbsorbedReading(NamedTuple):
    """A reading that was taken in. `at` None: undated, proves only how far that boot ran.

    `sections` holds only what changed, `unread_changed` whether other parts than before could not be read,
    `airplane_changed` whether the airplane mode is another; `returned`: nothing newer had come for an hour.
    """

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    at: dt.datetime | None
    boot_id: str
    boot_count: int | None
    uptime_us: int
    grade: str
    agent_id: uuid.UUID
    sections: Mapping[str, Any]
    unread: Unread
    tags: Mapping[str, str]
    unread_changed: bool
    airplane_changed: bool = False
    returned: bool = False


class TagMerge(NamedTuple):
    """`known` after the reading, the sections whose content is new, and those whose content must be asked for."""

    known: dict[str, list[Any]]
    fresh: list[str]
    wanted: list[str]


def dated(now: dt.datetime, age_us: int | None) -> dt.datetime | None:
    """The server's own clock at receipt less the age; nothing else ever dates a reading."""
    return None if age_us is None else now - dt.timedelta(microseconds=age_us)


def merge_tags(
    known: Mapping[str, list[Any]], tags: Mapping[str, str], sent: Collection[str], at_us: int
) -> TagMerge:
    """Fold one dated reading's tags into `known`. What is older than what is known sets nothing back.

    A tag that is confirmed carries the later instant: else a late reading from between would undo it.
    """
    merged, fresh, wanted = dict(known), [], []
    for name, tag in tags.items():
        before = merged.get(name)
        if before is not None and before[1] > at_us:
            continue
        if before is not None and before[0] == tag:
            merged[name] = [tag, at_us]
        elif name in sent:
            merged[name] = [tag, at_us]
            fresh.append(name)
        else:
            wanted.append(name)
    return TagMerge(merged, fresh, wanted)


def contradicts(identity: Mapping[str, Any], serial: str, imeis: Collection[str]) -> str | None:
    """Why an identity that a phone tells cannot be the registered phone's; None while nothing speaks against it.

    Many phones tell no IMEI, or only one of two: only a set without any that is registered contradicts.
    """
    told = identity.get("serial")
    if told is not None and told != serial:
        return "identity.serial"
    read = identity.get("imei") or ()
    if read and imeis and not set(read) & set(imeis):
        return "identity.imei"
    return None


def supersedes(
    at_us: int, boot_id: str, uptime_us: int, known_at: int | None, known_boot: str | None, known_uptime: int | None
) -> bool:  # fmt: skip
    """Whether a dated reading is newer than the one that `phone_state` shows; within a tie the longer run of a boot."""
    if known_at is None or at_us > known_at:
        return True
    return at_us == known_at and boot_id == known_boot and uptime_us > (known_uptime or 0)
