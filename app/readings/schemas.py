"""Checks entries of a check-in, by hand: a general schema library costs more than all the rest of a reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.wire import SECTIONS
from app.readings.contents import BadContent, check_section
from app.readings.model import MAX_SERIAL, MAX_SIM, MAX_TARGET
from app.readings.rules import Journal, LastWords, Power, Reading, Unreached

MAX_AGE_S = 400 * 86_400
MAX_UPTIME_S = 3_650 * 86_400
MAX_BOOT_COUNT = 2**31 - 1
MAX_REASON = 500
MAX_UNREAD = 500
MAX_LINES = 10_000_000
GRADES = ("gateway", "self")
UNREACHED_REASONS = (
    "unreachable", "unauthorized", "timeout", "dropped", "protocol", "too_large", "busy", "adb_down", "identity",
)  # fmt: skip
_READING = frozenset(
    "phone target age_s boot_id boot_count uptime_s grade power tags sections unread".split()
)
_READING_NEEDS = _READING - {"sections"}
_POWER = frozenset(Power._fields)
_UNREACHED = frozenset(("target", "phone", "age_s", "reason"))
_JOURNAL = frozenset(Journal._fields) - {"age_us", "first_uptime_us", "last_uptime_us"} | frozenset(
    ("age_s", "first_uptime_s", "last_uptime_s")
)
_LAST = frozenset(LastWords._fields)
_UNREAD = frozenset(("section", "reason"))
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TAG = re.compile(r"[0-9a-f]{32}")


class BadEntry(ValueError):
    """An entry that cannot be taken; `field` is its dotted path within the entry."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def parse_reading(entry: Any) -> Reading:
    """One entry of `readings`. Raise `BadEntry` naming the first field that is wrong."""
    _keys(entry, _READING, _READING_NEEDS, "")
    _boot_and_grade(entry)
    unread = _unread(entry["unread"])
    tags = _tags(entry["tags"], unread)
    return Reading(
        phone=text(entry["phone"], "phone", MAX_SERIAL),
        target=text(entry["target"], "target", MAX_TARGET),
        age_us=age_us(entry["age_s"]),
        boot_id=entry["boot_id"],
        boot_count=_count(entry["boot_count"], "boot_count", MAX_BOOT_COUNT),
        uptime_us=_seconds(entry["uptime_s"], "uptime_s", MAX_UPTIME_S),
        grade=entry["grade"],
        power=_power(entry["power"]),
        tags=tags,
        sections=_sections(entry.get("sections", {}), tags),
        unread=unread,
    )


def parse_unreached(entry: Any) -> Unreached:
    """One entry of `unreached`. Raise `BadEntry`."""
    _keys(entry, _UNREACHED, _UNREACHED, "")
    if entry["reason"] not in UNREACHED_REASONS:
        raise BadEntry("reason", "must be one of " + " ".join(UNREACHED_REASONS))
    phone = entry["phone"]
    return Unreached(
        target=text(entry["target"], "target", MAX_TARGET),
        phone=None if phone is None else text(phone, "phone", MAX_SERIAL),
        age_us=age_us(entry["age_s"]),
        reason=entry["reason"],
    )


def parse_journal(entry: Any) -> Journal:
    """One entry of `journals`. Raise `BadEntry`."""
    _keys(entry, _JOURNAL, _JOURNAL, "")
    _boot_and_grade(entry)
    if entry["end"] not in ("shutdown", "open"):
        raise BadEntry("end", "must be shutdown or open")
    first = _seconds(entry["first_uptime_s"], "first_uptime_s", MAX_UPTIME_S)
    last = _seconds(entry["last_uptime_s"], "last_uptime_s", MAX_UPTIME_S)
    lines = entry["lines"]
    if last < first:
        raise BadEntry("last_uptime_s", "must not be before first_uptime_s")
    if type(lines) is not int or not 1 <= lines <= MAX_LINES:
        raise BadEntry("lines", f"must be a whole number from 1 to {MAX_LINES}")
    return Journal(
        phone=text(entry["phone"], "phone", MAX_SERIAL),
        target=text(entry["target"], "target", MAX_TARGET),
        age_us=age_us(entry["age_s"]),
        boot_id=entry["boot_id"],
        boot_count=_count(entry["boot_count"], "boot_count", MAX_BOOT_COUNT),
        first_uptime_us=first,
        last_uptime_us=last,
        lines=lines,
        end=entry["end"],
        grade=entry["grade"],
        last=_last_words(entry["last"]),
    )


def _last_words(value: Any) -> LastWords:
    _keys(value, _LAST, _LAST, "last")
    for name in ("charging", "airplane_mode"):
        if value[name] is not None and type(value[name]) is not bool:
            raise BadEntry(f"last.{name}", "must be true, false or null")
    return LastWords(
        _count(value["battery_percent"], "last.battery_percent", 100),
        value["charging"],
        value["airplane_mode"],
        None if value["sim"] is None else text(value["sim"], "last.sim", MAX_SIM),
    )


def _boot_and_grade(entry: Any) -> None:
    boot_id = entry["boot_id"]
    if type(boot_id) is not str or not _UUID.fullmatch(boot_id):
        raise BadEntry("boot_id", "must be a UUID in lower case")
    if entry["grade"] not in GRADES:
        raise BadEntry("grade", "must be gateway or self")


def text(value: Any, field: str, limit: int) -> str:
    """A line of 1 to `limit` printable characters; NUL and half characters would break the database's text."""
    if type(value) is not str or not 0 < len(value) <= limit or not value.isprintable():
        raise BadEntry(field, f"must be text of 1 to {limit} printable characters")
    return value


def shown(name: str) -> str:
    """A name from outside as far as it may stand in an answer or a log: ASCII, printable, short."""
    return ascii(name)[1:-1][:40]


def age_us(value: Any, field: str = "age_s") -> int | None:
    """Microseconds, None for null."""
    return None if value is None else _seconds(value, field, MAX_AGE_S)


def _seconds(value: Any, field: str, limit: int) -> int:
    if type(value) not in (int, float) or not 0 <= value <= limit:
        raise BadEntry(field, f"must be a number from 0 to {limit}")
    microseconds: int = round(value * 1_000_000)
    return microseconds


def _count(value: Any, field: str, limit: int) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= limit):
        raise BadEntry(field, f"must be null or a whole number from 0 to {limit}")
    return value


def _keys(value: Any, known: frozenset[str], needed: frozenset[str], path: str) -> None:
    if type(value) is not dict:
        raise BadEntry(path or "entry", "must be an object")
    names = value.keys()
    if unknown := names - known:
        raise BadEntry(f"{path}.{shown(min(unknown))}".lstrip("."), "unknown field")
    if missing := needed - names:
        raise BadEntry(f"{path}.{min(missing)}".lstrip("."), "is missing")


def _power(value: Any) -> Power:
    _keys(value, _POWER, _POWER, "power")
    for name in ("charging", "airplane_mode", "screen_on"):
        if value[name] is not None and type(value[name]) is not bool:
            raise BadEntry(f"power.{name}", "must be true, false or null")
    return Power(
        _count(value["battery_percent"], "power.battery_percent", 100),
        value["charging"],
        value["airplane_mode"],
        value["screen_on"],
    )


def _unread(value: Any) -> tuple[tuple[str, str], ...]:
    if type(value) is not list or len(value) > MAX_UNREAD:
        raise BadEntry("unread", f"must be a list of at most {MAX_UNREAD}")
    found = []
    for i, item in enumerate(value):
        _keys(item, _UNREAD, _UNREAD, f"unread.{i}")
        reason = item["reason"]
        if type(reason) is not str or len(reason) > MAX_REASON:
            raise BadEntry(f"unread.{i}.reason", f"must be text of at most {MAX_REASON} characters")
        found.append((text(item["section"], f"unread.{i}.section", 100), _line(reason)))
    return tuple(found)


def _line(words: str) -> str:
    """A phone's own words as one printable line."""
    return words if words.isprintable() else "".join(c if c.isprintable() else " " for c in words)


def _tags(value: Any, unread: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    if type(value) is not dict:
        raise BadEntry("tags", "must be an object")
    for name, tag in value.items():
        if name not in SECTIONS:
            raise BadEntry("tags", "names an unknown section")
        if type(tag) is not str or not _TAG.fullmatch(tag):
            raise BadEntry(f"tags.{name}", "must be 32 hexadecimal digits")
    for part, _reason in unread:
        if part in value:
            raise BadEntry(f"tags.{part}", "this section is in unread")
    return value


def _sections(value: Any, tags: Mapping[str, str]) -> Mapping[str, Any]:
    if type(value) is not dict:
        raise BadEntry("sections", "must be an object")
    for name, data in value.items():
        if name not in tags:
            raise BadEntry("sections", "holds a section without a tag")
        try:
            check_section(name, data)
        except BadContent as exc:
            raise BadEntry(f"sections.{name}{exc.path}", exc.message) from exc
    return value
