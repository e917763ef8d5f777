"""What a list of packages changes. Plain values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.apps.rules import MAX_NAME, App, Change, Kind, Memory, Outcome, Read, Step, listed_apps

_PART = "packages.user."


def fold_packages(memory: Memory, read: Read, forbidden: frozenset[str]) -> Outcome:
    """Bring `memory` up to date. The first list, of a phone or of a user, is a baseline: nothing was installed then."""
    now = _grouped(read)
    partial = _partial(read, now)
    if memory.apps is None or "packages" in memory.renew:
        return _baseline(memory, read, now, partial, forbidden)
    outcome = Outcome()
    system_updated, memory.system_updated = memory.system_updated, False
    for user in sorted(memory.apps.keys() | now.keys()):
        known, there = memory.apps.get(user), now.get(user)
        if there is None:
            _goes_away(memory, read, user, outcome)
        elif known is None:
            _first_of_user(memory, read, user, there, user in partial, forbidden, outcome)
        else:
            _compare(memory, read, user, there, user in partial, system_updated, outcome)
    return outcome


def drop_user(memory: Memory, read: Read, user: int, since: int | None) -> Step:
    """The user is gone, and all in it."""
    if memory.apps is not None:
        memory.apps.pop(user, None)
    memory.away.pop(f"{_PART}{user}", None)
    return Step("left", read.at, since, user)


def _grouped(read: Read) -> dict[int, dict[str, App]]:
    found: dict[int, dict[str, App]] = {}
    for row in read.data:
        found.setdefault(row["user"], {})[row["name"][:MAX_NAME]] = App._make(map(row.get, App._fields))
    return found


def _partial(read: Read, now: Mapping[int, object]) -> set[int]:
    """Users whose list is not whole: what it lacks may be there all the same."""
    if "packages" in read.unread:
        return set(now)
    noted = {part.removeprefix(_PART) for part in read.unread if part.startswith(_PART)}
    return {int(user) for user in noted if user.isascii() and user.isdecimal()}


def _baseline(
    memory: Memory, read: Read, now: dict[int, dict[str, App]], partial: set[int], forbidden: frozenset[str]
) -> Outcome:
    memory.apps = now
    memory.system_updated = False
    memory.away |= {f"{_PART}{user}": None for user in partial}
    late = memory.reset is not None and read.at < memory.reset[1]
    if not late:  # a list from before the reset, come late, is not yet the new phone's
        memory.renew.discard("packages")
    listed = listed_apps(now, forbidden)
    outcome = Outcome(steps=[Step("renew", read.at, memory.reset[0] if memory.reset else None)])
    outcome.steps += [Step("put", read.at, None, user, name, app) for user, name, app in listed]
    if not late:
        own = len({name for _, name, app in listed if app.system is not True})
        after = {"apps": own, "users": sorted(now)}
        outcome.changes.append(Change(Kind.BASELINE, read.at, None, after=after))
    return outcome


def _goes_away(memory: Memory, read: Read, user: int, outcome: Outcome) -> None:
    key = f"{_PART}{user}"
    if key not in memory.away:
        memory.away[key] = read.before
        outcome.changes.append(Change(Kind.USER_AWAY, read.at, read.before, user))
        outcome.steps.append(Step("away", read.at, read.before, user))


def _first_of_user(
    memory: Memory,
    read: Read,
    user: int,
    there: dict[str, App],
    partial: bool,
    forbidden: frozenset[str],
    outcome: Outcome,
) -> None:
    assert memory.apps is not None
    key = f"{_PART}{user}"
    since = memory.away.pop(key, None)
    memory.apps[user] = there
    if partial:
        memory.away[key] = since
    listed = listed_apps({user: there}, forbidden)
    names = sorted(name for _, name, app in listed if app.system is not True)
    outcome.changes.append(
        Change(Kind.USER_READ, read.at, since, user, after={"apps": len(names), "names": names[:10]})
    )
    outcome.steps += [Step("put", read.at, since, user, name, app) for _, name, app in listed]


def _compare(
    memory: Memory,
    read: Read,
    user: int,
    there: dict[str, App],
    partial: bool,
    system_updated: bool,
    outcome: Outcome,
) -> None:
    assert memory.apps is not None
    key = f"{_PART}{user}"
    known = memory.apps[user]
    was_away = key in memory.away
    since = memory.away[key] if was_away else read.before
    silent = 0
    for name in sorted(known.keys() | there.keys()):
        before, after = known.get(name), there.get(name)
        if before == after or (after is None and partial):
            continue
        app = _merged(before, after)
        found = list(_differences(before, after, app, read, since, user, name))
        if system_updated and found and app.system is True:
            # A new version of the system brings new versions of a hundred of its parts: that is one event.
            silent += 1
            outcome.steps.append(_step("touch", app, after, read, since, user, name))
        elif found:
            outcome.changes += found
            outcome.steps.append(_step("put", app, after, read, since, user, name))
        if after is None:
            del known[name]
        else:
            known[name] = app
    if silent:
        outcome.changes.append(Change(Kind.SYSTEM_APPS, read.at, since, user, after={"apps": silent}))
    _note_reach(memory, read, user, partial, was_away, outcome)


def _note_reach(
    memory: Memory, read: Read, user: int, partial: bool, was_away: bool, outcome: Outcome
) -> None:
    key = f"{_PART}{user}"
    if partial and not was_away:
        _goes_away(memory, read, user, outcome)
    elif was_away and not partial:
        since = memory.away.pop(key)
        outcome.changes.append(Change(Kind.USER_BACK, read.at, since, user))
        outcome.steps.append(Step("back", read.at, since, user))


def _step(act: str, app: App, after: App | None, read: Read, since: int | None, user: int, name: str) -> Step:
    return Step("gone" if after is None else act, read.at, since, user, name, app)


def _merged(before: App | None, after: App | None) -> App:
    """The row as it is known now: what a reading does not tell is as it was. No installer is told as such, not unknown,
    wherever the row was read in full.
    """
    newest = after or before
    assert newest is not None
    if before is None or after is None:
        return newest
    filled = App._make(old if new is None else new for old, new in zip(before, after, strict=True))
    return filled._replace(installer=after.installer) if after.enabled is not None else filled


_SWITCHES = (("enabled", Kind.ENABLED, Kind.DISABLED), ("suspended", Kind.SUSPENDED, Kind.RESUMED))


def _differences(
    before: App | None, after: App | None, app: App, read: Read, since: int | None, user: int, name: str
) -> Iterator[Change]:
    def change(kind: Kind, old: object = None, new: object = None) -> Change:
        return Change(kind, read.at, since, user, name, before=old, after=new)

    if before is None:
        yield change(Kind.INSTALLED, new=_version(app) | {"installer": app.installer, "system": app.system})
    elif after is None:
        yield change(Kind.REMOVED, old=_version(before) | {"system": before.system})
    else:
        if before.version_code != app.version_code and before.version_code is not None:
            yield change(Kind.UPDATED, _version(before), _version(app))
        for member, on, off in _SWITCHES:
            old, new = getattr(before, member), getattr(app, member)
            if old is not None and old != new:
                yield change(on if new else off)
        if before.installer != app.installer:
            yield change(Kind.INSTALLER, before.installer, app.installer)
        if before.signer is not None and before.signer != app.signer:
            yield change(Kind.SIGNER, before.signer, app.signer)


def _version(app: App) -> dict[str, object]:
    return {"code": app.version_code, "name": app.version_name}
