"""What is installed: `pm list packages` for each user, with details from `dumpsys package packages`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from agent.parsers.common import Unreadable, complaint, is_noise

# package:[PATH=]NAME[ versionCode:N][  installer=WHO][ uid:N]; paths hold "==": a name follows the last "="
# of its word, and only of that word, or the installer would be taken for the name.
_LINE = (
    r"package:(?:/\S*=)?([A-Za-z0-9_.\-]+)(?: versionCode:(-?\d{1,19}))?"
    r"(?:  installer=(\S+))?(?: uid:[\d,]+)?[ \t\r]*"
)
_LISTED = re.compile(f"^{_LINE}$", re.ASCII | re.MULTILINE)
_NAMES_ONLY = re.compile(r"package:[A-Za-z0-9_.\-]+(?:\npackage:[A-Za-z0-9_.\-]+)*", re.ASCII)
# A package's head line, then whichever of its lines are there, in the order in which Android prints them.
_BLOCK = re.compile(
    r"Package \[([^\]\n]{1,255})\][^\n]*"
    r"(?:\n *versionCode=([0-9]{1,18})[^\n]*)?"
    r"(?:\n *versionName=([^\n\r]*)\r?)?"
    r"((?:\n *User [0-9][^\n]*)*)"
)
_NOBODY = frozenset({"", "null"})
_HIDDEN = "Hidden system packages:"


class Listed(NamedTuple):
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
        return frozenset([package[0] for package in self.packages])


class Details(NamedTuple):
    """What `dumpsys package` says of one package; `user_lines` are its lines for each user, as they stand."""

    version_code: int | None
    version_name: str | None
    user_lines: str

    def suspended(self, user: int) -> bool | None:
        """Whether the package is suspended for a user; None when the dump does not say."""
        lines = self.user_lines
        at = lines.find(f" User {user}: ")
        if at < 0:
            return None
        end = lines.find("\n", at)
        if lines.find(" suspended=false", at, end if end >= 0 else None) >= 0:
            return False
        return True if lines.find(" suspended=true", at, end if end >= 0 else None) >= 0 else None


def parse_listing(text: str, *, may_be_empty: bool = False) -> Listing:
    """`pm list packages` with any of `-f -i -U --show-versioncode -s -d`.

    Raise `Unreadable` when the phone refused, or when nothing is listed although no phone has nothing
    (`may_be_empty` for the list of disabled packages).
    """
    packages = [
        Listed(name, int(code) if code else None, installer if installer not in _NOBODY else None)
        for name, code, installer in _LISTED.findall(text)
    ]
    strange = 0
    if len(packages) != text.count("\n") + 1:
        strange = sum(not _LISTED.match(line) and not is_noise(line) for line in text.split("\n"))
    if strange and (said := complaint(text)):
        raise Unreadable(said)
    if not packages and (strange or not may_be_empty):
        raise Unreadable("not understood" if strange else "no package was listed")
    return Listing(packages, strange)


def parse_names(text: str) -> Listing:
    """`pm list packages` without further flags: names only, as `parse_listing(…, may_be_empty=True)` reads them."""
    if _NAMES_ONLY.fullmatch(text):
        return Listing([Listed(line[8:], None, None) for line in text.split("\n")])
    return parse_listing(text, may_be_empty=True)


def parse_details(text: str) -> dict[str, Details]:
    """The filtered lines of `dumpsys package packages`, by package name. Raise `Unreadable` if there are none.

    The factory's versions of updated system apps, listed behind `Hidden system packages:`, are not what
    runs: they are left out.
    """
    found: dict[str, Details] = {}
    for name, code, version, lines in _BLOCK.findall(text.partition(_HIDDEN)[0]):
        if name not in found:
            found[name] = Details(
                int(code) if code else None, version if version not in _NOBODY else None, lines
            )
    if not found:
        raise Unreadable(complaint(text) or "not understood")
    return found
