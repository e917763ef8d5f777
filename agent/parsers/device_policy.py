"""`dumpsys device_policy`, Android 7 to 16: who owns the phone or a user of it, and which apps administrate it.

The owners stand before the first list of administrators, so that a dump which reaches one has told all owners; a list
is whole when another line of its own depth follows it. A dump that ends before says nothing.
`Device Owner Type: -1`, which newer releases print further down, is no owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, is_noise
from agent.parsers.components import component, package_of

_STATE = "Current Device Policy Manager state:"
_OWNER = re.compile(r"(?:Device Owner|Profile Owner \(User (\d{1,9})\)):\s*(.*)\Z", re.ASCII)
_ADMINS = re.compile(r"Enabled Device Admins \(User (\d{1,9})\b.*", re.ASCII)
_NAMED = re.compile(r"(?:package=|admin=ComponentInfo\{|ComponentInfo\{)([A-Za-z][\w.]*)", re.ASCII)
_BEHIND = re.compile(r"[A-Za-z]\w*=|Removing Device Admins", re.ASCII)
CUT = "the dump ends too early"


@dataclass(frozen=True, slots=True)
class ProfileOwner:
    """The app that owns one user (a work profile, a secure folder)."""

    user: int
    package: str


def parse_device_owner(text: str) -> str | None:
    """The package that owns the phone, None where the dump says that there is none. Raise `Unreadable`."""
    owners = [package for user, package in _owners(text) if user is None]
    if len(owners) > 1:
        raise Unreadable("more than one device owner")
    return owners[0] if owners else None


def parse_profile_owners(text: str) -> list[ProfileOwner]:
    """The owners of single users, in the order of the dump. Raise `Unreadable`."""
    return [ProfileOwner(user, package) for user, package in _owners(text) if user is not None]


def parse_admins(text: str, user: int = 0) -> list[str]:
    """A user's active administrators as `package/class`, owners included. Raise `Unreadable`."""
    found: list[str] = []
    inside = whole = False
    depth, admins_at = 0, None
    for at, line in _lines(text):
        head = _ADMINS.fullmatch(line)
        if head is not None or (inside and at <= depth):
            whole |= inside
            inside = head is not None and int(head[1]) == user
            depth, admins_at = at, None
        elif inside and at == (admins_at := at if admins_at is None else admins_at):
            whole |= _ends_list(line, found, whole)
    if not whole:
        raise Unreadable(complaint(text) or CUT)
    return found


def _ends_list(line: str, found: list[str], whole: bool) -> bool:
    """Whether a line at the administrators' depth is the first one behind them. An administrator is put to `found`.

    Raise `Unreadable` at neither: an administrator may hide in it.
    """
    if _BEHIND.match(line):
        return True
    admin = component(line.removesuffix(":")) if line.endswith(":") and not whole else None
    if admin is None:
        raise Unreadable("not understood")
    found.append(admin)
    return False


def _owners(text: str) -> list[tuple[int | None, str]]:
    """Each owner's user (None: the phone's) and package."""
    found: list[tuple[int | None, str]] = []
    lines = list(_lines(text))
    if not any(line == _STATE for _, line in lines) or not any(_ADMINS.fullmatch(line) for _, line in lines):
        raise Unreadable(complaint(text) or CUT)
    for place, (depth, line) in enumerate(lines):
        head = _OWNER.match(line)
        if head is not None:
            block = [head[2]]
            for at, inner in lines[place + 1 : place + 9]:
                if at <= depth:
                    break
                block.append(inner)
            found.append((int(head[1]) if head[1] else None, _named(block)))
    return found


def _named(block: list[str]) -> str:
    """The one package that an owner's block names."""
    names = {found[1] for line in block if (found := _NAMED.match(line))}
    inline = package_of(block[0])
    names |= {inline} if inline else set()
    if len(names) != 1:
        raise Unreadable("the owner was not understood")
    return names.pop()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Depth and words of each line that says something."""
    for raw in text.split("\n"):
        if not is_noise(raw):
            words = raw.strip()
            yield len(raw) - len(raw.lstrip()), words
