"""What is installed: `pm list packages` for each user, with details from `dumpsys package packages`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.parsers.common import Unreadable, complaint, is_noise

# package:[PATH=]NAME[ versionCode:N][  installer=WHO][ uid:N]; paths hold "==": a name follows the last "="
# of its word, and only of that word, or the installer would be taken for the name.
_LISTED = re.compile(
    r"package:(?:/\S*=)?([A-Za-z0-9_.\-]+)(?: versionCode:(-?\d{1,19}))?"
    r"(?:  installer=(\S+))?(?: uid:[\d,]+)?\s*\Z",
    re.ASCII,
)
_PACKAGE = re.compile(r" *Package \[([^\]\s]+)\]")
_USER = re.compile(r" *User (\d{1,9}): (.*)", re.ASCII)
_HIDDEN = "Hidden system packages:"


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of `pm list packages`; fields that its flags did not ask for are None."""

    name: str
    version_code: int | None
    installer: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """All lines of one `pm list packages`; `strange` counts those that were not understood."""

    packages: list[Listed]
    strange: int = 0

    def names(self) -> frozenset[str]:
        return frozenset(p.name for p in self.packages)


@dataclass(slots=True)
class Details:
    """What `dumpsys package` adds for a package; `suspended` by user."""

    version_code: int | None = None
    version_name: str | None = None
    suspended: dict[int, bool] = field(default_factory=dict)


def parse_listing(text: str, *, may_be_empty: bool = False) -> Listing:
    """`pm list packages` with any of `-f -i -U --show-versioncode -s -d`.

    Raise `Unreadable` when the phone refused, or when nothing is listed although no phone has nothing
    (`may_be_empty` for the list of disabled packages).
    """
    packages, strange = [], 0
    for line in text.split("\n"):
        match = _LISTED.match(line)
        if match:
            installer = match[3] if match[3] != "null" else None
            packages.append(Listed(match[1], int(match[2]) if match[2] else None, installer))
        elif not is_noise(line):
            strange += 1
    if strange and (said := complaint(text)):
        raise Unreadable(said)
    if not packages and (strange or not may_be_empty):
        raise Unreadable("not understood" if strange else "no package was listed")
    return Listing(packages, strange)


def parse_details(text: str) -> dict[str, Details]:
    """The filtered lines of `dumpsys package packages`, by package name. Raise `Unreadable` if there are
    none.

    The factory's versions of updated system apps, listed behind `Hidden system packages:`, are not what
    runs: they are left out.
    """
    found: dict[str, Details] = {}
    current: Details | None = None
    for line in text.partition(_HIDDEN)[0].split("\n"):
        part = line.strip()
        if part.startswith("Package ["):
            mark = _PACKAGE.match(line)
            current = found.setdefault(mark[1], Details()) if mark else None
        elif current is not None:
            _detail(current, part)
    if not found:
        raise Unreadable(complaint(text) or "not understood")
    return found


def _detail(package: Details, part: str) -> None:
    key, equals, value = part.partition("=")
    if key == "versionName" and equals:
        package.version_name = None if value == "null" else value
    elif key == "versionCode" and equals:
        number = value.partition(" ")[0]
        package.version_code = int(number) if number.isdecimal() and number.isascii() else None
    elif user := _USER.match(part):
        for word in user[2].split():
            if word.startswith("suspended="):
                package.suspended[int(user[1])] = word == "suspended=true"
