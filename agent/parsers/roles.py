"""Which apps hold Android's roles (default SMS app, dialer, launcher …), Android 10 to 16.

Before Android 10 there are no roles: see `components.parse_default_app` and `components.parse_resolved`.
"""

from __future__ import annotations

import re

from agent.parsers.common import Unreadable, complaint, is_noise
from agent.parsers.components import PACKAGE

ROLES = {
    "sms": "android.app.role.SMS",
    "dialer": "android.app.role.DIALER",
    "home": "android.app.role.HOME",
    "browser": "android.app.role.BROWSER",
    "assistant": "android.app.role.ASSISTANT",
}
"""A snapshot's names of roles → Android's."""
_HEAD = re.compile(r"^ROLE (?:MANAGER )?STATE \(dumpsys role\):", re.MULTILINE)
_FIELD = re.compile(r"(user_id|name|holders)=(.*)", re.ASCII)


def parse_roles(text: str, user: int = 0) -> dict[str, list[str]]:
    """`dumpsys role`: the holders of those `ROLES` that the phone knows; an empty list: nobody was chosen.

    Raise `Unreadable`, also when the dump does not come to its end.
    """
    lines = [line.strip() for line in text.split("\n") if not is_noise(line)]
    if not _HEAD.search(text) or text.rstrip().rpartition("\n")[2] != "}":
        raise Unreadable(complaint(text) or "not understood")
    held = _holders(lines, str(user))
    if not held:
        raise Unreadable("the user's roles are not listed")
    return {short: held[name] for short, name in ROLES.items() if name in held}


def _holders(lines: list[str], user: str) -> dict[str, list[str]]:
    """All roles of one user. One holder stands behind the word, several on lines of their own up to a bracket."""
    held: dict[str, list[str]] = {}
    of_user = several = False
    role = ""
    for line in lines:
        field = _FIELD.fullmatch(line)
        kind, value = field.groups() if field else ("", line)
        if several and kind == "" and line != "]":
            _hold(held, role, line)
        elif kind == "user_id":
            of_user = value == user
        elif of_user and kind == "name":
            role = value
            held.setdefault(role, [])
        elif of_user and kind == "holders" and value != "[":
            _hold(held, role, value)
        several = of_user and ((kind == "holders" and value == "[") or (several and line != "]"))
    return held


def _hold(held: dict[str, list[str]], role: str, package: str) -> None:
    if role not in held or not PACKAGE.fullmatch(package):
        raise Unreadable("a role's holder was not understood")
    held[role].append(package)


def parse_role_holders(text: str) -> list[str]:
    """`cmd role get-role-holders ROLE`: packages by line or parted by `;`. Raise `Unreadable`."""
    words = [word.strip() for line in text.split("\n") if not is_noise(line) for word in line.split(";")]
    if not all(PACKAGE.fullmatch(word) for word in words):
        raise Unreadable(complaint(text) or "not understood")
    return list(dict.fromkeys(words))
