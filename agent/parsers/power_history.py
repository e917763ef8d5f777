"""What Android itself noted of shutdowns and starts. By the phone's own clock, in its local time: hints, no proof.

After a loss of power the next boot writes a made-up shutdown into the usage statistics, at the last moment that was
saved: so a shutdown here is no proof of a clean one, and its time only a lower bound.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.parsers.common import Unreadable, complaint

MAX_EVENTS = 40
_USAGE = re.compile(
    r'time="(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)" type=DEVICE_(SHUTDOWN|STARTUP)(?:\s|$)', re.ASCII
)
_BATTERY = re.compile(r"^\s*(0|\+[0-9dhms]+) \(\d+\) (.*)$", re.ASCII)
_TIME = re.compile(r"(?:RESET:)?TIME: (\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)", re.ASCII)
_SPAN = re.compile(
    r"\+(?:(\d{1,4})d)?(?:(\d{1,2})h)?(?:(\d{1,2})m)?(?:(\d{1,2})s)?(?:(\d{1,3})ms)?", re.ASCII
)
_CLOCK = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class PowerEvent:
    """`source` usagestats or batterystats, `event` shutdown or startup, `phone_clock` as `YYYY-MM-DD HH:MM:SS`."""

    source: str
    event: str
    phone_clock: str


def parse_usagestats(text: str) -> list[PowerEvent]:
    """`dumpsys usagestats`: some 24 hours; one event may stand in several of its tables. Raise `Unreadable`."""
    if "user=" not in text:
        raise Unreadable(complaint(text) or "not understood")
    told = [(clock, kind) for clock, kind in _USAGE.findall(text) if _clock(clock, _CLOCK)]
    return list(dict.fromkeys(PowerEvent("usagestats", kind.lower(), clock) for clock, kind in told))


def parse_batterystats(text: str) -> list[PowerEvent]:
    """`dumpsys batterystats --history`: since the last full charge. Raise `Unreadable`.

    Its elapsed time stands still while the phone is off, so it counts only from one TIME line to the next; a start is
    dated by the TIME line after it.
    """
    if "Battery History" not in text:
        raise Unreadable(complaint(text) or "not understood")
    found: list[PowerEvent] = []
    clock: dt.datetime | None = None
    clock_at = dt.timedelta()
    started = False
    for elapsed, words in _battery_lines(text):
        told = _TIME.fullmatch(words)
        if told is not None:
            clock, clock_at = _clock(told[1], "%Y-%m-%d-%H-%M-%S"), elapsed
            if clock is not None and started:
                found.append(_event("startup", clock))
            started = False
        elif words == "START":
            started, clock = True, None
        elif words == "SHUTDOWN" and clock is not None:
            found.append(_event("shutdown", clock + (elapsed - clock_at)))
    return list(dict.fromkeys(found))


def newest_first(events: Iterable[PowerEvent]) -> list[PowerEvent]:
    """The last `MAX_EVENTS` by the phone's clock, which may have been set in between."""
    return sorted(events, key=lambda e: (e.phone_clock, e.event, e.source), reverse=True)[:MAX_EVENTS]


def _battery_lines(text: str) -> Iterable[tuple[dt.timedelta, str]]:
    for line in text.split("\n"):
        entry = _BATTERY.match(line)
        elapsed = _span(entry[1]) if entry else None
        if entry is not None and elapsed is not None:
            yield elapsed, entry[2].strip()


def _event(kind: str, clock: dt.datetime) -> PowerEvent:
    return PowerEvent("batterystats", kind, clock.strftime(_CLOCK))


def _clock(text: str, form: str) -> dt.datetime | None:
    try:
        found = dt.datetime.strptime(text, form)  # noqa: DTZ007 - the phone tells no zone
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _span(text: str) -> dt.timedelta | None:
    if text == "0":
        return dt.timedelta()
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds, thousandths = (int(part or 0) for part in found.groups())
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=thousandths)
