"""The lines of a trace as values: one JSON object a line, checked strictly. Plain values only.

Instants are whole microseconds since 1970 UTC, spans half-open `[start, end)` with `end` None for open. Each class is
one kind of line; two lines that say the same are equal, however they were written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.uptime import trace_fields as check
from app.uptime.boots import Grade, JournalEnd


@dataclass(frozen=True, slots=True)
class Reading:
    """`t` is the instant of the reading itself; who read it makes no difference to what it proves."""

    t: int
    phone: str
    boot_id: str
    boot_count: int | None
    uptime_us: int
    grade: Grade = "gateway"


@dataclass(frozen=True, slots=True)
class Journal:
    t: int
    phone: str
    boot_id: str
    boot_count: int | None
    last_uptime_us: int
    end: JournalEnd
    grade: Grade = "gateway"


@dataclass(frozen=True, slots=True)
class ProbeFailed:
    t: int
    phone: str
    observer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    t: int
    observer: str
    up: bool


@dataclass(frozen=True, slots=True)
class DialTest:
    t: int
    phone: str
    result: str
    by: str


@dataclass(frozen=True, slots=True)
class CustomerReport:
    t: int
    phone: str


@dataclass(frozen=True, slots=True)
class Custody:
    t: int
    phone: str
    start: int
    end: int | None
    employee: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """`delegate` is given with a delegation, and only then."""

    t: int
    phone: str
    start: int
    end: int | None
    reason: str
    delegate: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    t: int
    phone: str
    start: int
    end: int | None
    status: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Override:
    """`values` is canonical JSON: as Python values, `1` and `true` would be equal lines."""

    t: int
    values: str

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.values)
        return body


Line = (
    Reading
    | Journal
    | ProbeFailed
    | Beat
    | DialTest
    | CustomerReport
    | Custody
    | Excuse
    | Decision
    | Override
)
_Check = Callable[[object], Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a kind beside `t` and `kind`, each with its check, and what they make."""

    fields: Mapping[str, _Check]
    build: Callable[[int, dict[str, Any]], Line]
    optional: frozenset[str] = frozenset()


def parse_line(text: str) -> Line:
    """One line of a trace. Raise `NotUnderstood` saying why; nothing of a doubtful line is guessed."""
    body = check.json_object(text)
    kind = body.pop("kind", None)
    if "t" not in body:
        raise check.NotUnderstood("t is missing")
    t = check.event_time(body.pop("t"))
    if kind == "policy":
        return _override(t, body)
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise check.NotUnderstood("unknown kind")
    values = {}
    for name, checked in shape.fields.items():
        if name in body:
            try:
                values[name] = checked(body.pop(name))
            except check.NotUnderstood as exc:
                raise check.NotUnderstood(f"{name}: {exc}") from None
        elif name not in shape.optional:
            raise check.NotUnderstood(f"{name} is missing")
    if body:
        raise check.NotUnderstood("unknown field " + ", ".join(sorted(body)))
    return shape.build(t, values)


def _override(t: int, body: dict[str, Any]) -> Override:
    if "phone" in body:
        raise check.NotUnderstood("a policy holds for no single phone")
    for name, value in body.items():
        if not isinstance(value, str | int):
            raise check.NotUnderstood(f"{name}: not a whole number, true, false or text")
    return Override(t, json.dumps(body, sort_keys=True, separators=(",", ":")))


def _reading(t: int, told: dict[str, Any]) -> Line:
    # The observer's name makes no difference to what is proved.
    grade = told.get("grade", "gateway")
    return Reading(t, told["phone"], told["boot_id"], told["boot_count"], told["uptime_s"], grade)


def _journal(t: int, told: dict[str, Any]) -> Line:
    grade = told.get("grade", "gateway")
    boot = (told["phone"], told["boot_id"], told["boot_count"])
    return Journal(t, *boot, told["last_uptime_s"], told["end"], grade)


def _beat(up: bool) -> _Shape:
    return _Shape({"observer": check.name}, lambda t, v: Beat(t, v["observer"], up))


def _spanned(build: Callable[..., Line]) -> Callable[[int, dict[str, Any]], Line]:
    def built(t: int, values: dict[str, Any]) -> Line:
        start, end = values.pop("from"), values.pop("to")
        if end is not None and end < start:
            raise check.NotUnderstood("to lies before from")
        return build(t, start=start, end=end, **values)

    return built


def _excuse(t: int, *, reason: str, delegate: str | None = None, **values: Any) -> Excuse:
    if (reason == "delegation") is not (delegate is not None):
        raise check.NotUnderstood("delegate: belongs to a delegation, and to nothing else")
    return Excuse(t, reason=reason, delegate=delegate, **values)


_PHONE: Mapping[str, _Check] = {"phone": check.name}
_BOOT: Mapping[str, _Check] = {**_PHONE, "boot_id": check.name, "boot_count": check.count}
_SPAN: Mapping[str, _Check] = {**_PHONE, "from": check.instant, "to": check.open_end}
_GRADE = check.one_of("gateway", "self")
_RESULTS = ("answered", "rings", "powered_off", "suspended", "no_coverage", "busy", "unclear")
_SHAPES: Mapping[str, _Shape] = MappingProxyType(
    {
        "reading": _Shape(
            {**_BOOT, "uptime_s": check.duration, "observer": check.name, "grade": _GRADE},
            _reading,
            optional=frozenset({"observer", "grade"}),
        ),
        "journal": _Shape(
            {
                **_BOOT,
                "last_uptime_s": check.duration,
                "end": check.one_of("shutdown", "open"),
                "grade": _GRADE,
            },
            _journal,
            optional=frozenset({"grade"}),
        ),
        "probe_failed": _Shape(
            {**_PHONE, "observer": check.name, "reason": check.name}, lambda t, v: ProbeFailed(t, **v)
        ),
        "observer_up": _beat(True),
        "observer_down": _beat(False),
        "dial_test": _Shape(
            {**_PHONE, "result": check.one_of(*_RESULTS), "by": check.name}, lambda t, v: DialTest(t, **v)
        ),
        "customer_report": _Shape(_PHONE, lambda t, v: CustomerReport(t, **v)),
        "custody": _Shape({**_SPAN, "employee": check.name}, _spanned(Custody)),
        "excuse": _Shape(
            {
                **_SPAN,
                "reason": check.one_of("maintenance", "repair", "delegation"),
                "delegate": check.name,
            },
            _spanned(_excuse),
            optional=frozenset({"delegate"}),
        ),
        "decision": _Shape(
            {**_SPAN, "status": check.one_of("confirmed", "refuted"), "by": check.name, "why": check.text},
            _spanned(Decision),
        ),
    }
)
