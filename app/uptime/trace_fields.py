"""Checks of a trace line's fields: each takes a JSON value and gives ours, or raises `NotUnderstood`."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
# datetime.fromisoformat also takes week dates, hours without minutes and the like, which are no RFC 3339.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LATEST = (dt.datetime(9000, 1, 1, tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND
# Longer than any phone lives: with `_LATEST` it keeps every sum inside the calendar.
_LONGEST_S = 100 * 366 * 86_400
_MAX_COUNT = 2**53


class NotUnderstood(ValueError):
    """Why a line, or a field of it, cannot be taken for what it says."""


def json_object(line: str) -> dict[str, Any]:
    """The line as an object. A name that stands twice in it is an error: which of the two was meant is a guess."""
    try:
        body = _DECODER.decode(line)
    except NotUnderstood:
        raise
    except (ValueError, RecursionError):
        raise NotUnderstood("not JSON") from None
    if not isinstance(body, dict):
        raise NotUnderstood("not a JSON object")
    return body


def instant(value: object) -> int:
    """Microseconds since 1970 UTC of an RFC 3339 time with its offset; finer digits are cut off."""
    if not isinstance(value, str) or _RFC3339.fullmatch(value) is None:
        raise NotUnderstood("not an RFC 3339 time with an offset")
    try:
        return (dt.datetime.fromisoformat(value.upper()) - _EPOCH) // _MICROSECOND
    except ValueError as exc:
        raise NotUnderstood(str(exc)) from None


def event_time(value: object) -> int:
    """An instant at which a server can have dated an event."""
    try:
        t = instant(value)
    except NotUnderstood as exc:
        raise NotUnderstood(f"t: {exc}") from None
    if not 0 <= t <= _LATEST:
        raise NotUnderstood("t: not between 1970 and 9000")
    return t


def open_end(value: object) -> int | None:
    return None if value is None else instant(value)


def duration(value: object) -> int:
    """Microseconds of a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotUnderstood("not a number of seconds")
    # Written this way round, a NaN is refused too.
    if not 0 <= value <= _LONGEST_S:
        raise NotUnderstood("not between 0 and 100 years")
    return round(value * 1_000_000)


def count(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_COUNT:
        raise NotUnderstood("not a whole number from 0 on, or null")
    return value


def text(value: object) -> str:
    if not isinstance(value, str):
        raise NotUnderstood("not a text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotUnderstood("not a text that UTF-8 can hold") from None
    return value


def name(value: object) -> str:
    """A text that is not empty."""
    if not text(value):
        raise NotUnderstood("empty")
    return str(value)


def one_of(*words: str) -> Callable[[object], str]:
    known = frozenset(words)

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise NotUnderstood("not one of " + ", ".join(words))
        return value

    return check


def _no_number(word: str) -> float:
    raise NotUnderstood(f"{word} is no JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise NotUnderstood("a name stands twice")
    return body


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
