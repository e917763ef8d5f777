"""SIM slots, storage, and how the phone is set up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agent.parsers.common import Unreadable, complaint, is_noise

LockScreen = Literal["set", "none", "unknown"]

_STATES = frozenset(
    {
        "UNKNOWN",
        "ABSENT",
        "PIN_REQUIRED",
        "PUK_REQUIRED",
        "NETWORK_LOCKED",
        "READY",
        "NOT_READY",
        "PERM_DISABLED",
        "CARD_IO_ERROR",
        "CARD_RESTRICTED",
        "LOADED",
        "PRESENT",
    }
)
_OPERATOR = re.compile(r"[0-9]{5,6}", re.ASCII)
_STORAGE = re.compile(r"(\d{1,12}):(\d{1,18}):(\d{1,18})", re.ASCII)
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+", re.ASCII)
_CREDENTIALS: dict[str, LockScreen] = {
    "none": "none",
    "-1": "none",
    "pattern": "set",
    "pin": "set",
    "password": "set",
    "1": "set",
    "2": "set",
    "3": "set",
    "4": "set",
}


@dataclass(frozen=True, slots=True)
class Sim:
    """One slot. `operator` is the MCC and MNC digits. ICCID and number are None: shell may not read them."""

    slot: int
    state: str
    operator: str | None
    iccid: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of the data partition; `data_free_bytes` is what apps may still use."""

    data_total_bytes: int
    data_free_bytes: int


def parse_sims(props: Mapping[str, str]) -> list[Sim]:
    """`gsm.sim.state` and `gsm.sim.operator.numeric`, comma-separated by slot. Raise `Unreadable`."""
    text = props.get("gsm.sim.state", "").strip()
    if not text:
        raise Unreadable("the phone does not say (no modem, or it is not up yet)")
    states = [state.strip().upper() for state in text.split(",")]
    if not set(states) <= _STATES:
        raise Unreadable("not understood")
    operators = [part.strip() for part in props.get("gsm.sim.operator.numeric", "").split(",")]
    operators += [""] * (len(states) - len(operators))
    return [
        Sim(slot, state, operator if _OPERATOR.fullmatch(operator) else None)
        for slot, (state, operator) in enumerate(zip(states, operators, strict=False))
    ]


def parse_storage(text: str) -> Storage:
    """`stat -f -c %S:%b:%a /data`: block size, blocks, blocks free to apps. Raise `Unreadable`."""
    found = _STORAGE.fullmatch(text.strip())
    if not found:
        raise Unreadable(complaint(text) or "not understood")
    block, total, free = (int(part) for part in found.groups())
    if not block or free > total:
        raise Unreadable("not understood")
    return Storage(block * total, block * free)


def parse_settings(text: str) -> dict[str, str]:
    """Filtered lines of `settings list`. Raise `Unreadable`, also when a name comes twice:
    which one holds?
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.rstrip("\r").partition("=")
        if not equals or not name.isidentifier() or name in found:
            if is_noise(line):
                continue
            raise Unreadable(complaint(text) or "not understood")
        found[name] = value
    if not found:
        raise Unreadable("no setting was listed")
    return found


def parse_lock(lock: str, trust: str) -> LockScreen:
    """Whether the owner's screen has a lock.

    `dumpsys lock_settings` says it on newer phones. `dumpsys trust` proves one while the screen is locked by
    it; its `deviceLocked=0` proves nothing: the phone may just be in use.
    """
    owner = False
    for line in lock.split("\n"):
        key, _, value = line.strip().partition(":")
        if re.fullmatch(r"User \d+", key, re.ASCII):
            owner = key == "User 0"
        elif owner and key == "CredentialType":
            return _CREDENTIALS.get(value.strip().lower(), "unknown")
    first = next((line for line in trust.split("\n") if "(id=0," in line), "")
    return "set" if re.search(r"\bdeviceLocked=1\b", first) else "unknown"


def parse_unknown_sources(text: str) -> list[str]:
    """`appops query-op … allow`: apps that may install apps.

    Raise `Unreadable` at any line that is no package name.
    """
    lines = [line.strip() for line in text.split("\n") if not is_noise(line)]
    found = [] if lines == ["No operations."] else lines
    if not all(_PACKAGE.fullmatch(line) for line in found):
        raise Unreadable(complaint(text) or "not understood")
    return found
