"""What one more content of a phone changes in what is remembered of it. Plain values only; instants in microseconds.

What could not be read is not known: it is neither gone nor changed, and what is found different afterwards happened at
any time since it was last read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

MAX_NAME = 255
FOLLOWED = ("identity", "users", "packages", "accounts", "setup", "security")
"""In this order within one reading: a reset or a new user explains what the apps then show."""


class Kind(StrEnum):
    BASELINE = "baseline"
    RESET = "reset"
    INSTALLED = "installed"
    REMOVED = "removed"
    UPDATED = "updated"
    DISABLED = "disabled"
    ENABLED = "enabled"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    INSTALLER = "installer"
    SIGNER = "signer"
    SYSTEM_APPS = "system_apps"
    USER_ADDED = "user_added"
    USER_REMOVED = "user_removed"
    USER_READ = "user_read"
    USER_AWAY = "user_away"
    USER_BACK = "user_back"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_REMOVED = "account_removed"
    ACCOUNT_CHANGED = "account_changed"
    SETTING = "setting"


PUT_AWAY = (Kind.DISABLED, Kind.SUSPENDED, Kind.REMOVED)
BROUGHT_BACK = (Kind.ENABLED, Kind.RESUMED, Kind.INSTALLED)
AGAIN = 2
"""Who puts an app away and takes it out again so often does it for a reason; once is a change like others."""


def came_back(kinds: Iterable[str]) -> int:
    """How often an app was brought back after it had been put away, by its changes in their order. The first that
    brings it is none: before it there was nothing, or nobody saw it.
    """
    times, away = 0, False
    for kind in kinds:
        times += away and kind in BROUGHT_BACK
        away = kind in PUT_AWAY
    return times


class App(NamedTuple):
    """One row of a package list; None: not told."""

    version_code: int | None
    version_name: str | None
    system: bool | None
    enabled: bool | None
    suspended: bool | None
    installer: str | None
    signer: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """It was not so yet at `since` (None: nothing was read before) and was so at `at`."""

    kind: Kind
    at: int
    since: int | None
    user: int | None = None
    package: str | None = None
    subject: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of an app's row: `put`, `touch` (only where there is one), `gone`; of all of a user: `away`, `back`,
    `left`. `renew`: all of a phone's rows begin anew with those that follow.
    """

    act: str
    at: int
    since: int | None
    user: int = 0
    package: str = ""
    app: App | None = None


@dataclass
class Memory:
    """`apps`: user → package → row, None before the first list. `facts`: flat settings. `away`: what could not be read
    lately → when it last was (None: never). `renew`: sections whose next content is a baseline.
    """

    apps: dict[int, dict[str, App]] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    away: dict[str, int | None] = field(default_factory=dict)
    renew: set[str] = field(default_factory=set)
    reset: tuple[int | None, int] | None = None
    system_updated: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A content: `data` of section `name`, read at `at`; another one was last confirmed at `before`."""

    name: str
    at: int
    before: int | None
    unread: frozenset[str]
    data: Any


@dataclass
class Outcome:
    changes: list[Change] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def pack(memory: Memory) -> bytes:
    users = None if memory.apps is None else {str(user): rows for user, rows in memory.apps.items()}
    kept = [
        users,
        memory.facts,
        sorted(memory.known),
        memory.away,
        sorted(memory.renew),
        memory.reset,
        memory.system_updated,
    ]
    return zlib.compress(orjson.dumps(kept, default=tuple), 1)


def unpack(packed: bytes) -> Memory:
    users, facts, known, away, renew, reset, updated = orjson.loads(zlib.decompress(packed))
    apps: dict[int, dict[str, App]] | None = None
    if users is not None:
        apps = {int(user): {name: App(*row) for name, row in rows.items()} for user, rows in users.items()}
    return Memory(apps, facts, set(known), away, set(renew), reset and (reset[0], reset[1]), updated)


def in_order(reads: Sequence[Read]) -> list[Read]:
    """By instant, and within one reading by what explains what."""
    return sorted(reads, key=lambda read: (read.at, FOLLOWED.index(read.name)))


def listed_apps(
    apps: Mapping[int, Mapping[str, App]] | None, forbidden: frozenset[str]
) -> list[tuple[int, str, App]]:
    """The apps that are shown of a phone: all but the system's own, and of those the forbidden ones."""
    return [
        (user, name, app)
        for user, rows in (apps or {}).items()
        for name, app in rows.items()
        if app.system is not True or name in forbidden
    ]
