"""Since when each app is on the phone: `Package [`, `codePath=` and `firstInstallTime=` of `dumpsys package packages`.

Up to Android 12 an app has one such time, later releases print one for each user, the first of them for user 0.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint, is_noise
from agent.parsers.evidence import PhoneDate

_HEAD = re.compile(r"Package \[([^\]]{1,255})\]")
_NEVER = dt.datetime(1971, 1, 1, tzinfo=dt.UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Installed:
    """`at`: epoch seconds by the phone's clock, None where user 0 does not have it or no time is told."""

    path: str
    at: int | None

    @property
    def of_the_system(self) -> bool:
        """Whether it lies on a partition that only the maker fills."""
        return not self.path.startswith(("/data/", "/mnt/expand/")) and self.path.startswith("/")


def parse_first_installs(text: str, date: PhoneDate) -> dict[str, Installed]:
    """By package name. Of a name that comes twice the first counts; factory versions behind `Hidden` are left out.

    Raise `Unreadable` when no package is there, or a time was not understood.
    """
    found: dict[str, Installed] = {}
    name, path, at, dated = "", "", None, False
    for line in text.partition("Hidden system packages:")[0].split("\n"):
        if is_noise(line):
            continue
        words = line.strip()
        head = _HEAD.match(words)
        key, _, value = words.partition("=")
        if head is not None:
            _keep(found, name, Installed(path, at))
            name, path, at, dated = head[1], "", None, False
        elif key == "codePath":
            path = value
        elif key == "firstInstallTime" and not dated:
            at, dated = _epoch(value, date), True
    _keep(found, name, Installed(path, at))
    if not found:
        raise Unreadable(complaint(text) or "not understood")
    return found


def _keep(found: dict[str, Installed], name: str, installed: Installed) -> None:
    if name:
        found.setdefault(name, installed)


def _epoch(text: str, date: PhoneDate) -> int | None:
    zone = dt.timezone(dt.timedelta(seconds=date.offset_s))
    try:
        at = int(dt.datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        raise Unreadable("an app's time was not understood") from None
    return at if at > _NEVER else None
