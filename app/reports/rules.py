"""Rooms as people write them, codes, and which reports count. Plain values only."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_DASHES = re.compile(r"[\-‐-―−﹘﹣－~_/\\.·、]+")
_CODE_BYTES = 16
WHEN: Mapping[str, str] = {"now": "刚才（10 分钟内）", "today": "今天早些时候", "earlier": "昨天或更早"}
"""When the customer says that he called."""
MATCHES: Mapping[str, tuple[str, str]] = {
    "found": ("good", "房号已登记"),
    "none": ("unknown", "查无此房号"),
    "several": ("unknown", "对应多户"),
}


def new_code() -> str:
    """128 bits of chance as 22 characters: nobody guesses another post's."""
    return secrets.token_urlsafe(_CODE_BYTES)


def normal_room(text: str) -> str:
    """A room in the form in which two spellings of it are compared: `１－101 `, `1—101` and `1-101` are one."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(_DASHES.sub("-", plain).split()).strip("-")


def match(room: str, households: Mapping[uuid.UUID, str]) -> tuple[str, uuid.UUID | None]:
    """`found` with the household, `none`, or `several`; `households` are those of the grid with their rooms."""
    wanted = normal_room(room)
    found = [key for key, name in households.items() if wanted and normal_room(name) == wanted]
    if len(found) == 1:
        return "found", found[0]
    return ("several" if found else "none"), None


def hour_of(now: dt.datetime) -> dt.datetime:
    return now.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Confirmed:
    """A confirmed report: when the household called, and for how long it then counts no second time."""

    at: dt.datetime
    household: uuid.UUID
    quiet: dt.timedelta


def once_a_household(reports: Iterable[Confirmed]) -> list[dt.datetime]:
    """When reports count, in order of time: of a household's reports the earliest, then none within its quiet time."""
    quiet_until: dict[uuid.UUID, dt.datetime] = {}
    counted = []
    for report in sorted(reports, key=lambda r: (r.at, r.household)):
        until = quiet_until.get(report.household)
        if until is None or report.at >= until:
            counted.append(report.at)
            quiet_until[report.household] = report.at + report.quiet
    return counted
