"""The kinds of value that a field may hold: how each is read from text, and how it is written back.

`parse` serves the JSON API, the sheets and the forms alike, so that a value is right or wrong everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

from app.kernel.clock import from_rfc3339, to_rfc3339
from app.kernel.money import format_yuan, parse_yuan
from app.registry import rules

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_FEN = 10**11
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_LOCAL = re.compile(r"(?P<date>\S+?)(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?")
_DATE_HELP = "日期请写成 2026-05-03 / write dates as 2026-05-03"
_SPEC_KEYS = 40

Form = Literal["text", "date", "instant", "fen", "choice", "ref", "map"]


@dataclass(frozen=True)
class Kind:
    """`exact`: digits matter, so a numeric cell is refused. `parse` raises `ValueError` with a message for people."""

    form: Form
    parse: Callable[[str], Any]
    exact: bool = False
    limit: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


def parse_date(text: str) -> dt.date:
    """`2026-05-03`, `2026/5/3`, `2026年5月3日`; day-first and two-digit years are guesses, hence refused."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(_DATE_HELP)
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError(f"没有这一天；{_DATE_HELP}") from None
    if not 1990 <= day.year <= 2100:
        raise ValueError("年份应在 1990 至 2100 之间 / the year must be 1990 to 2100")
    return day


def parse_instant(text: str) -> dt.datetime:
    """RFC 3339 with an offset, or a date with or without time as people write it, which means Beijing time."""
    text = text.strip()
    match = _LOCAL.fullmatch(text)
    try:
        if match is not None and _DATE.fullmatch(match["date"]):
            day = parse_date(match["date"])
            clock = dt.time(int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0))
            return dt.datetime.combine(day, clock, SHANGHAI).astimezone(dt.UTC)
        instant = from_rfc3339(text)
    except (ValueError, OverflowError):
        raise ValueError("时间请写成 2026-05-03 或 2026-05-03 09:30 / write 2026-05-03 09:30") from None
    if not 1990 <= instant.year <= 2100:
        raise ValueError("年份应在 1990 至 2100 之间 / the year must be 1990 to 2100")
    return instant


def show_instant(instant: dt.datetime) -> str:
    """Beijing time for people and sheets; `parse_instant` reads it back, to the microsecond where there is one."""
    local = instant.astimezone(SHANGHAI)
    return to_rfc3339(instant) if local.microsecond else local.strftime("%Y-%m-%d %H:%M:%S")


def _parse_fen(text: str) -> int:
    try:
        fen = int(parse_yuan(text))
    except ValueError:
        raise ValueError("金额请写成 1299.00，不加逗号和单位 / write the amount as 1299.00") from None
    if not 0 <= fen <= MAX_FEN:
        raise ValueError("金额超出范围 / the amount is out of range")
    return fen


def _parse_choice(choices: Mapping[str, str], text: str) -> str:
    """The value itself or its label."""
    text = text.strip()
    for value, label in choices.items():
        if text in (value, label):
            return value
    words = "、".join(choices.values())
    raise ValueError(f"请填写其中之一：{words} / one of: {words}")


def _parse_map(text: str) -> dict[str, str]:
    """`内存=8GB; 存储=128GB`."""
    pairs = {}
    for part in re.split(r"[;；\n]", text):
        if part.strip():
            name, mark, value = part.replace("＝", "=").partition("=")
            if not mark:
                raise ValueError("规格请写成 内存=8GB; 存储=128GB / write name=value; name=value")
            pairs[name] = value
    return clean_map(pairs)


def clean_map(pairs: Mapping[str, str]) -> dict[str, str]:
    """Names with texts, both such that a sheet can hold them as `name=value; name=value`."""
    found = {rules.clean_text(n, 60): rules.clean_text(v, 200) for n, v in pairs.items()}
    if len(found) > _SPEC_KEYS:
        raise ValueError(f"最多 {_SPEC_KEYS} 项 / at most {_SPEC_KEYS} entries")
    if any(set(n) & set("=＝;；") or set(v) & set(";；") for n, v in found.items()):
        raise ValueError("规格的名称不能含 = 和 ;，内容不能含 ; / no = or ; in names, no ; in values")
    return found


def text(limit: int) -> Kind:
    return Kind("text", partial(rules.clean_text, limit=limit), limit=limit)


def note(limit: int = 2000) -> Kind:
    return Kind("text", partial(rules.clean_note, limit=limit), limit=limit)


def code(limit: int = 40) -> Kind:
    return Kind("text", partial(rules.normal_code, limit=limit), exact=True, limit=limit)


def choice(**labels: str) -> Kind:
    return Kind("choice", partial(_parse_choice, labels), choices=labels)


SERIAL = Kind("text", rules.normal_serial, exact=True, limit=64)
IMEI = Kind("text", rules.normal_imei, exact=True, limit=15)
ICCID = Kind("text", rules.normal_iccid, exact=True, limit=20)
PHONE = Kind("text", rules.normal_e164, exact=True, limit=16)
DATE = Kind("date", parse_date)
INSTANT = Kind("instant", parse_instant)
FEN = Kind("fen", _parse_fen)
MAP = Kind("map", _parse_map)
REF = Kind("ref", partial(rules.clean_text, limit=100), exact=True)


def show(kind: Kind, value: Any) -> str:
    """The value as a sheet holds it: always text, so that no program rounds or runs it; "" for None."""
    if value is None:
        return ""
    match kind.form:
        case "date":
            return str(value.isoformat())
        case "instant":
            return show_instant(value)
        case "fen":
            return format_yuan(value)
        case "choice":
            return kind.choices.get(value, value)
        case "map":
            return "; ".join(f"{name}={item}" for name, item in value.items())
    return str(value)
