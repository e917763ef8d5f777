"""What settings, users and accounts change: everything of a phone that is not an app. Plain values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from app.apps.package_rules import drop_user
from app.apps.rules import FOLLOWED, Change, Kind, Memory, Outcome, Read

_SETUP = ("developer_options", "adb_wifi", "unknown_sources", "lock_screen")
_IDENTITY = ("android_id", "fingerprint", "android_release", "security_patch", "build_type", "brand", "model")
_PART = "accounts.user."


def fold_facts(memory: Memory, read: Read) -> Outcome:
    """Bring `memory` up to date with a content that is no list of packages."""
    outcome = Outcome()
    if read.name in read.unread:
        for key in _facts_of(memory.facts, read.name):
            memory.away.setdefault(key, read.before)
        return outcome
    flat = _flat(memory, read)
    if read.name == "identity" and _is_reset(memory, flat):
        _reset(memory, read, outcome)
    baseline = read.name not in memory.known or read.name in memory.renew
    memory.known.add(read.name)
    if memory.reset is None or read.at >= memory.reset[1]:
        memory.renew.discard(read.name)
    if baseline:
        _forget(memory, read.name)
    for key, value in flat.items():
        for change in _fold_one(memory, read, key, value, baseline):
            outcome.changes.append(change)
            _follow(memory, read, change, outcome)
    return outcome


def _fold_one(memory: Memory, read: Read, key: str, value: Any, baseline: bool) -> Iterator[Change]:
    if value is None:
        if key in memory.facts:
            memory.away.setdefault(key, read.before)
        return
    # A user that had no account so far stands in no earlier content.
    nothing: list[Any] | None = [] if key.startswith(_PART) and not baseline else None
    before, memory.facts[key] = memory.facts.get(key, nothing), value
    since = memory.away.pop(key, read.before)
    if before is not None and before != value:
        yield from _changes(read, since, key, before, value)


def _flat(memory: Memory, read: Read) -> dict[str, Any]:
    """The section as facts; None: could not be read."""
    if read.name == "users":
        return {"users": sorted(user["id"] for user in read.data)}
    if read.name == "accounts":
        return _accounts(memory, read)
    data: Mapping[str, Any] = read.data
    if read.name == "security":
        return _security(data)
    names = _SETUP if read.name == "setup" else _IDENTITY
    return {f"{read.name}.{name}": _plain(data.get(name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(value)
    return None if value == "unknown" else value


def _security(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in data.items():
        if name == "roles":
            found |= {f"security.roles.{role}": _plain(held) for role, held in (value or {}).items()}
        elif name == "device_owner":
            told = (value or {}).get("set")
            found["security.device_owner"] = (
                None if told is None else (value["package"] or "?") if told else ""
            )
        elif name == "profile_owners":
            found["security.profile_owners"] = (
                None if value is None else sorted(f"{row['package']}@{row['user']}" for row in value)
            )
        else:
            found[f"security.{name}"] = _plain(value)
    return found


def _accounts(memory: Memory, read: Read) -> dict[str, Any]:
    """User → its accounts, each `type` and what tells two of one type apart; a user that has none any more has none."""
    found: dict[str, Any] = {key: [] for key in memory.facts if key.startswith(_PART)}
    for row in read.data:
        found.setdefault(f"{_PART}{row['user']}", []).append([row["type"], row.get("name_hmac") or ""])
    return {key: None if key in read.unread else sorted(value) for key, value in found.items()}


def _is_reset(memory: Memory, flat: Mapping[str, Any]) -> bool:
    """A reset makes a new android_id; one that could not be read says nothing."""
    before, now = memory.facts.get("identity.android_id"), flat.get("identity.android_id")
    return before is not None and now is not None and before != now


def _reset(memory: Memory, read: Read, outcome: Outcome) -> None:
    since = memory.away.get("identity.android_id", read.before)
    outcome.changes.append(Change(Kind.RESET, read.at, since))
    memory.renew = set(FOLLOWED)
    memory.reset = (since, read.at)
    memory.away.clear()


def _forget(memory: Memory, section: str) -> None:
    for kept in (memory.facts, memory.away):
        for key in _facts_of(kept, section):
            del kept[key]


def _facts_of(kept: Mapping[str, Any], section: str) -> list[str]:
    return [key for key in kept if key == section or key.startswith(f"{section}.")]


def _changes(read: Read, since: int | None, key: str, before: Any, after: Any) -> Iterator[Change]:
    if key == "users":
        for user in sorted(set(before) ^ set(after)):
            kind = Kind.USER_ADDED if user in after else Kind.USER_REMOVED
            yield Change(kind, read.at, since, user)
    elif key.startswith(_PART):
        yield from _account_changes(read, since, int(key.removeprefix(_PART)), before, after)
    else:
        yield Change(Kind.SETTING, read.at, since, subject=key, before=before, after=after)


def _account_changes(
    read: Read, since: int | None, user: int, before: list[list[str]], after: list[list[str]]
) -> Iterator[Change]:
    """By type: more, fewer, or others. Names are no part of it: readings bring none."""
    old, new = Counter(row[0] for row in before), Counter(row[0] for row in after)
    for kind in sorted(old.keys() | new.keys()):
        if old[kind] != new[kind]:
            what = Kind.ACCOUNT_ADDED if new[kind] > old[kind] else Kind.ACCOUNT_REMOVED
            yield Change(what, read.at, since, user, subject=kind, before=old[kind], after=new[kind])
        elif 0 < len(_told(before, kind)) == len(_told(after, kind)) and _told(before, kind) != _told(
            after, kind
        ):
            yield Change(Kind.ACCOUNT_CHANGED, read.at, since, user, subject=kind)


def _told(rows: list[list[str]], kind: str) -> set[str]:
    return {row[1] for row in rows if row[0] == kind and row[1]}


def _follow(memory: Memory, read: Read, change: Change, outcome: Outcome) -> None:
    """What a change means for the apps."""
    if change.kind is Kind.USER_REMOVED and change.user is not None:
        outcome.steps.append(drop_user(memory, read, change.user, change.since))
    elif change.kind is Kind.USER_ADDED:
        memory.away[f"packages.user.{change.user}"] = change.since
    elif change.subject == "identity.fingerprint":
        memory.system_updated = True
