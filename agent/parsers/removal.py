"""What an app is to one user, by `dumpsys package NAME`, and what `pm` said of an order, as codes.

The dump alone tells whether an order worked: `pm` prints `Success` for what it did not do, fails with exit code 0, and
each vendor refuses in words of its own. Words serve only to tell a person why.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeGuard

from agent.parsers.common import Unreadable, complaint

UNCLEAR = "words"
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+", re.ASCII)
_MAX_PACKAGE = 255
_HIDDEN = "Hidden system packages:"
_FAILURE = re.compile(r"Fail(?:ure|ed)\b[^\[\n]*\[([^\]\n]{1,120})")
_DONE = re.compile(
    r"^(?:Success\b|Package \S+ (?:new state: |new suspended state: true|installed for user))", re.MULTILINE
)
_LACKS = re.compile(r"Neither user 2000 nor current process has android\.permission\.(\w+)")
_OURS = frozenset({"DELETE_PACKAGES", "CHANGE_COMPONENT_ENABLED_STATE", "INSTALL_PACKAGES", "SUSPEND_APPS"})
"""What Android gives to its shell: where that lacks one, the vendor keeps it back behind a switch of its own."""
_CODES = {
    "DELETE_FAILED_DEVICE_POLICY_MANAGER": "device_policy",
    "DELETE_FAILED_OWNER_BLOCKED": "device_policy",
    "DELETE_FAILED_USER_RESTRICTED": "user_restricted",
    "DELETE_FAILED_INTERNAL_ERROR": "internal_error",
    "DELETE_FAILED_ABORTED": "needs_tap",
    "DELETE_FAILED_APP_PINNED": "app_pinned",
    "INSTALL_FAILED_USER_RESTRICTED": "vendor_setting",
}
_WORDS = (
    (re.compile(r"not installed for|[Uu]nknown package|doesn't exist|NameNotFound"), "not_installed"),
    (re.compile(r"permission to access user|INTERACT_ACROSS_USERS"), "user_not_readable"),
    (re.compile(r"[Ii]nstall canceled by user"), "vendor_setting"),
    (re.compile(r"[Uu]nknown (?:command|option)|^usage:", re.MULTILINE), "not_supported"),
    (re.compile(r"new suspended state: false"), "not_suspended"),
    (
        re.compile(r"SecurityException|[Pp]ermission [Dd]eni|[Cc]annot disable|can ?not delete"),
        "not_permitted",
    ),
)


@dataclass(frozen=True, slots=True)
class AppState:
    """An app as one user has it. `enabled` is Android's number: 0 as it comes, 1 on, 2 off, 3 off by the user, 4 off
    until used. None: the phone does not say. `known`: the phone has it at all, for whichever user.
    """

    installed: bool
    enabled: int | None = None
    suspended: bool | None = None
    system: bool | None = None
    version_code: int | None = None
    known: bool = True


ABSENT = AppState(installed=False, known=False)


def is_package(name: object) -> TypeGuard[str]:
    """Whether this is a package name by Android's own grammar, so that it may stand in a command line as it is."""
    return isinstance(name, str) and len(name) <= _MAX_PACKAGE and _PACKAGE.fullmatch(name) is not None


def parse_app(dump: str, name: str, user: int, listed: Collection[str] | None) -> AppState:
    """`dumpsys package NAME`, whole. `listed`: the names in `pm list packages` of that user, None if not read.

    An app of which the dump has no block is absent only where the list, which must be a whole one, lacks it, too.
    Raise `Unreadable` at anything less plain, and where the two contradict each other.
    """
    blocks = _blocks(dump, name)
    if not blocks:
        if listed is None or "android" not in listed or name in listed or "DUMP TIMEOUT" in dump:
            raise Unreadable(complaint(dump) or "the phone does not say whether it is there")
        return ABSENT
    states = {_state(block, user) for block in blocks}
    if len(states) != 1:
        raise Unreadable("the phone says two things of it")
    (state,) = states
    if listed is not None and not state.installed and name in listed:
        raise Unreadable("the phone lists it and denies it")
    return state


def _blocks(dump: str, name: str) -> list[str]:
    """The lines of each block of this very app; the factory's version of an updated one is not what runs."""
    found: list[list[str]] = []
    inside = False
    for line in dump.partition(_HIDDEN)[0].splitlines():
        if line.startswith("  Package ["):
            inside = line.startswith(f"  Package [{name}] ")
            if inside:
                found.append([])
        elif line.strip() and not line.startswith("   "):
            inside = False
        elif inside:
            found[-1].append(line)
    return ["\n".join(lines) for lines in found]


def _state(block: str, user: int) -> AppState:
    lines = re.findall(rf"^ +User {user}:(.*)$", block, re.MULTILINE)
    if len(lines) != 1:
        raise Unreadable("the phone does not say how this user has it")
    told = dict(re.findall(r"\b(installed|enabled|suspended)=(\w+)", lines[0]))
    if told.get("installed") not in ("true", "false"):
        raise Unreadable("the phone does not say whether it is installed")
    enabled = told.get("enabled", "")
    flags = re.search(r"^ +(?:pkgFlags|flags)=\[([^\]\n]*)\]", block, re.MULTILINE)
    version = re.search(r"^ +versionCode=([0-9]{1,18})\b", block, re.MULTILINE)
    return AppState(
        installed=told["installed"] == "true",
        enabled=int(enabled) if enabled in ("0", "1", "2", "3", "4") else None,
        suspended={"true": True, "false": False}.get(told.get("suspended", "")),
        system=None if flags is None else "SYSTEM" in flags[1].split(),
        version_code=None if version is None else int(version[1]),
    )


def said_code(text: str) -> str:
    """What `pm` said, standard error included: `success`, why not, or `words`.

    `vendor_setting`: the phone's maker keeps this from ADB until somebody turns on its own switch (Xiaomi: USB
    debugging (security settings)). A code of Android's that is not known here comes as it is, in lower case.
    """
    failure = _FAILURE.search(text)
    if failure is not None:
        token = failure[1].split(":")[0].strip()
        if token in _CODES:
            return _CODES[token]
    lacks = _LACKS.search(text)
    if lacks is not None:
        return "vendor_setting" if lacks[1] in _OURS else "not_permitted"
    for pattern, code in _WORDS:
        if pattern.search(text):
            return code
    if failure is not None:
        return token.lower() if re.fullmatch(r"[A-Z_]{1,60}", token, re.ASCII) else "vendor_refuses"
    return "success" if _DONE.search(text) else UNCLEAR
