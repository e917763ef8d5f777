"""`getprop`: the phone's properties."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint

# A value may hold line ends and brackets: a record runs from `[key]: [` at a line's start to the `]` before
# the next record's start.
_START = re.compile(r"^\[([^\]\n]+)\]: \[", re.MULTILINE)


def parse_props(text: str) -> dict[str, str]:
    """All properties by name. A record without its closing bracket (cut output) is left out: its value is
    not whole.

    Raise `Unreadable` when there is not one record.
    """
    return read_props(text)[0]


def read_props(text: str) -> tuple[dict[str, str], int]:
    """`parse_props`, and how many records it left out."""
    starts = list(_START.finditer(text))
    if not starts:
        raise Unreadable(complaint(text) or "not understood")
    props, lost = {}, 0
    for at, mark in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(text)
        value = text[mark.end() : end].rstrip("\r\n")
        if value.endswith("]"):
            props[mark[1]] = value[:-1].replace("\r\n", "\n")
        else:
            lost += 1
    return props, lost


@dataclass(frozen=True, slots=True)
class BootReason:
    """Why the phone booted, and when by the phone's own (untrusted) clock in epoch seconds."""

    reason: str
    at: int | None


def parse_boot_reasons(history: str) -> list[BootReason]:
    """`persist.sys.boot.reason.history`: newest first, `reason,subreason,epoch`, parts possibly empty.

    Raise `Unreadable` when a line has no such form.
    """
    found = []
    for line in history.split("\n"):
        if not line.strip():
            continue
        reason, comma, stamp = line.strip().rpartition(",")
        if not comma or not (stamp == "" or re.fullmatch(r"[0-9]{1,12}", stamp, re.ASCII)):
            raise Unreadable("a line of the boot history was not understood")
        found.append(BootReason(reason.rstrip(","), int(stamp) if stamp else None))
    return found
