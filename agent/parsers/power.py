"""Whether the phone is on, since when, and what feeds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, whole_number

_UPTIME = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,9})?) +[0-9.]+\s*\Z", re.ASCII)
_BOOT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_FIELD = re.compile(r"^ *(level|scale|status): *(-?\d{1,9})\s*$", re.MULTILINE | re.ASCII)
_WAKE = re.compile(r"^[ \t]*mWakefulness=(\w+)", re.MULTILINE)
_STATUS = {2: True, 3: False, 4: False, 5: True}
_AWAKE = {"Awake": True, "Dreaming": True, "Asleep": False, "Dozing": False}


@dataclass(frozen=True, slots=True)
class Battery:
    """`percent` 0 to 100; `charging` is true while charging or full on the cable. None:
    the phone does not say.
    """

    percent: int | None
    charging: bool | None


def parse_uptime(text: str) -> float:
    """Seconds since boot, sleep included, from `/proc/uptime`. Raise `Unreadable`."""
    found = _UPTIME.match(text)
    if not found:
        raise Unreadable(complaint(text) or "not understood")
    return float(found[1])


def parse_boot_id(text: str) -> str:
    """The kernel's boot id in lower case. Raise `Unreadable`."""
    boot_id = text.strip().lower()
    if not _BOOT_ID.fullmatch(boot_id) or set(boot_id) <= set("0-"):
        raise Unreadable(complaint(text) or "not understood")
    return boot_id


def parse_battery(text: str) -> Battery:
    """`dumpsys battery`; vendors add lines.

    Raise `Unreadable` also when someone has overridden the values.
    """
    if "UPDATES STOPPED" in text:
        raise Unreadable("the battery's values are overridden on the phone")
    fields: dict[str, int] = {}
    for name, value in _FIELD.findall(text):
        fields.setdefault(name, int(value))
    level, scale = fields.get("level"), fields.get("scale", 100)
    if level is None or not 0 <= level <= scale or scale <= 0:
        raise Unreadable(complaint(text) or "not understood")
    return Battery(round(100 * level / scale), _STATUS.get(fields.get("status", 0)))


def parse_screen_on(text: str) -> bool:
    """`mWakefulness=` of `dumpsys power`. Raise `Unreadable`."""
    found = _WAKE.search(text)
    if not found or found[1] not in _AWAKE:
        raise Unreadable(complaint(text) or "not understood")
    return _AWAKE[found[1]]


def parse_boot_count(setting: str | None, boot_completed: str | None) -> int:
    """The boot's number; before Android has booted the setting still holds the former boot's.

    Raise `Unreadable`.
    """
    if (boot_completed or "").strip() != "1":
        raise Unreadable("the phone is still booting")
    count = whole_number(setting)
    if count is None or count < 0:
        raise Unreadable("the phone keeps no boot count" if setting in {None, "null"} else "not understood")
    return count
