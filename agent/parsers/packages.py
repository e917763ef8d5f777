"""What is installed: `pm list packages` for each user, with details from `dumpsys package packages`.

A phone has hundreds of packages, and these are most of what a reading costs: fields come as the phone printed them,
empty where it printed none; nothing is made of them that no snapshot holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, is_noise

Listed = tuple[str, str, str]
"""A line of `pm list packages`: name, version code, installer."""

Block = tuple[str, str, str, str, str]
"""A package in `dumpsys package`: name, version code, version name, signer, its lines for each user.

The signer is the 32-bit print that Android 9 and later show of the one certificate, in hexadecimal: it tells a mix-up
and is no proof. Empty for several signers, and before Android 9, which prints a number that changes with every boot.
"""

# package:[PATH=]NAME[ versionCode:N][  installer=WHO][ uid:N]; paths hold "==": a name follows the last "="
# of its word, and only of that word, or the installer would be taken for the name.
_LINE = (
    r"package:(?:/\S*=)?([A-Za-z0-9_.\-]{1,255})(?: versionCode:(-?\d{1,18}))?"
    r"(?:  installer=(\S+))?(?: uid:[\d,]+)?[ \t\r]*"
)
_LISTED = re.compile(f"^{_LINE}$", re.ASCII | re.MULTILINE)
_NAMES = re.compile(r"[A-Za-z0-9_.\-\n]+", re.ASCII)
# A package's head line, then whichever of its lines are there, in the order in which Android prints them.
_BLOCK = re.compile(
    r"Package \[([^\]\n]{1,255})\][^\n]*"
    r"(?:\n *versionCode=([0-9]{1,18})[^\n]*)?"
    r"(?:\n *versionName=([^\n\r]*)\r?)?"
    r"(?:\n *signatures=(?:\w+\{\w+ version:\w+, signatures:\[([0-9a-f]{1,8})\])?[^\n]*)?"
    r"((?:\n *User [0-9][^\n]*)*)"
)
NOTHING: dict[str, None] = {"": None, "null": None}
"""Texts that stand for none: `NOTHING.get(text, text)`. A call of a function for each field would cost more."""
_HIDDEN = "Hidden system packages:"


@dataclass(frozen=True, slots=True)
class Listing:
    """All lines of one `pm list packages`; `strange` counts those that were not understood."""

    packages: list[Listed]
    strange: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """Names that a `pm list packages` holds; `strange` counts lines that were not understood."""

    names: frozenset[str]
    strange: int = 0


def suspended(user_lines: str, head: str) -> bool | None:
    """Whether a package is suspended for the user whose line of a block has `head` (`user_head`).

    None when the dump does not say.
    """
    _, _, line = user_lines.partition(head)
    if "\n" in line:
        line = line[: line.index("\n")]
    if " suspended=false" in line:
        return False
    return True if " suspended=true" in line else None


def user_head(user: int) -> str:
    """How a user's line begins in a block of `dumpsys package`."""
    return f" User {user}: "


def parse_listing(text: str, *, may_be_empty: bool = False) -> Listing:
    """`pm list packages` with any of `-f -i -U --show-versioncode -s -d`.

    Raise `Unreadable` when the phone refused, or when nothing is listed although no phone has nothing
    (`may_be_empty` for the list of disabled packages).
    """
    packages: list[Listed] = _LISTED.findall(text)
    strange = 0
    if len(packages) != text.count("\n") + 1:
        strange = sum(not _LISTED.match(line) and not is_noise(line) for line in text.split("\n"))
    if strange and (said := complaint(text)):
        raise Unreadable(said)
    if not packages and (strange or not may_be_empty):
        raise Unreadable("not understood" if strange else "no package was listed")
    return Listing(packages, strange)


def parse_names(text: str) -> Names:
    """The names in `pm list packages` without further flags, of which there may be none. Raise `Unreadable`."""
    bare = f"\n{text}".replace("\npackage:", "\n")
    names = frozenset(bare[1:].split("\n"))
    # As many shorter as there are lines: each of them began with the word.
    if len(text) - len(bare) + 1 == 8 * (text.count("\n") + 1) and _NAMES.fullmatch(bare) and "" not in names:
        return Names(names)
    listing = parse_listing(text, may_be_empty=True)
    return Names(frozenset(name for name, _, _ in listing.packages), listing.strange)


def parse_details(text: str) -> dict[str, Block]:
    """The filtered lines of `dumpsys package packages`, by package name. Raise `Unreadable` if there are none.

    The factory's versions of updated system apps, listed behind `Hidden system packages:`, are not what
    runs: they are left out. Of a name that comes twice the first counts.
    """
    blocks: list[Block] = _BLOCK.findall(text.partition(_HIDDEN)[0])
    if not blocks:
        raise Unreadable(complaint(text) or "not understood")
    blocks.reverse()
    return {block[0]: block for block in blocks}
