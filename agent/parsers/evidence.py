"""What is read of a phone beside a snapshot, to judge whether it was erased."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agent.parsers.common import Unreadable, complaint, is_noise, whole_number

Encryption = Literal["file", "full", "none", "unknown"]
VolumeKind = Literal["sd", "usb", "internal"]

_DATE = re.compile(r"([0-9]{1,12}) ([+-])([0-9]{2})([0-9]{2})", re.ASCII)
_VOLUME = re.compile(r"((?:public|private|emulated|stub)[:;,0-9A-Za-z_-]*) ([a-z_]+) (\S+)", re.ASCII)
_MAJOR = re.compile(r"[a-z]+:([0-9]+),", re.ASCII)
_USB_MAJORS = frozenset({8, *range(65, 72), *range(128, 136)})
_NEVER = dt.datetime(1971, 1, 1, tzinfo=dt.UTC).timestamp()
"""Android writes the epoch's first day where a user does not have an app."""


@dataclass(frozen=True, slots=True)
class PhoneDate:
    """The phone's own clock, which may be wrong: epoch seconds, and what its local time is ahead of UTC, seconds."""

    now_s: int
    offset_s: int


@dataclass(frozen=True, slots=True)
class Volume:
    id: str
    kind: VolumeKind
    state: str


@dataclass(frozen=True, slots=True)
class Installs:
    """When the first and the last of the apps on the data partition came onto it, by the phone's clock; None: none."""

    oldest: int | None
    newest: int | None


def parse_date(text: str) -> PhoneDate:
    """`date '+%s %z'`. Raise `Unreadable`."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise Unreadable(complaint(text) or "not understood")
    offset = int(found[3]) * 3600 + int(found[4]) * 60
    return PhoneDate(int(found[1]), -offset if found[2] == "-" else offset)


def parse_volumes(text: str) -> list[Volume]:
    """`sm list-volumes all`. Raise `Unreadable` if any line is not understood: a missed card would be forgotten.

    A medium of no known kind counts as a card: somebody has to look.
    """
    found = []
    for line in text.splitlines():
        if is_noise(line):
            continue
        words = _VOLUME.fullmatch(line.strip())
        if words is None:
            raise Unreadable(complaint(text) or "not understood")
        found.append(Volume(words[1], _kind(words[1]), words[2]))
    return found


def _kind(volume: str) -> VolumeKind:
    major = _MAJOR.match(volume)
    if major is None:
        return "internal"
    return "usb" if int(major[1]) in _USB_MAJORS else "sd"


def parse_installs(text: str, date: PhoneDate) -> Installs:
    """`codePath` and `firstInstallTime` lines of `dumpsys package packages`; only apps on `/data` count.

    Raise `Unreadable` when such an app's time is missing or not understood.
    """
    times: list[int] = []
    on_data, seen, dated = False, 0, True
    for line in text.splitlines():
        name, _, value = line.strip().partition("=")
        if name == "codePath":
            if not dated:
                raise Unreadable("an app's time is missing")
            seen += 1
            on_data = value.startswith(("/data/", "/mnt/expand/"))
            dated = not on_data
        elif name == "firstInstallTime" and on_data:
            at = _epoch(value, date)
            dated = True
            times += [at] if at > _NEVER else []
    if not seen or not dated:
        raise Unreadable(complaint(text) or "an app's time is missing")
    return Installs(min(times, default=None), max(times, default=None))


def _epoch(text: str, date: PhoneDate) -> int:
    zone = dt.timezone(dt.timedelta(seconds=date.offset_s))
    try:
        return int(dt.datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        raise Unreadable("an app's time was not understood") from None


def parse_encryption(props: Mapping[str, str]) -> Encryption:
    """How the data partition is encrypted."""
    state, kind = props.get("ro.crypto.state", ""), props.get("ro.crypto.type", "")
    if state == "unencrypted":
        return "none"
    kinds: dict[str, Encryption] = {"file": "file", "block": "full"}
    return kinds.get(kind, "unknown") if state == "encrypted" else "unknown"


def parse_count(text: str) -> int:
    """A number alone. Raise `Unreadable`."""
    number = whole_number(text)
    if number is None or number < 0:
        raise Unreadable(complaint(text) or "not understood")
    return number
