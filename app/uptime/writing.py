"""Lines of a trace from what is stored: the counterpart of reading one. Plain values only.

The live ruling is made from these very lines, so that a trace that is handed out rules as the server did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app.uptime.boots import Boot, Grade
from app.uptime.replay import rfc3339
from app.uptime.trace import (
    Beat,
    Custody,
    CustomerReport,
    Decision,
    DialTest,
    Excuse,
    Journal,
    Line,
    Override,
    ProbeFailed,
    Reading,
)


def lines_of_boots(phone: str, boots: Sequence[tuple[Grade, Boot]], now: int) -> list[Line]:
    """All that is known of a phone's boots. A journal without a date gets an instant that changes nothing."""
    known = [t for _, b in boots for t in (b.heard_first, b.read_last) if t is not None]
    otherwise = max(known, default=now)
    return [line for grade, boot in boots for line in boot_lines(phone, boot, grade, otherwise)]


def boot_lines(phone: str, boot: Boot, grade: Grade, otherwise: int) -> list[Line]:
    """A few readings and journals that fold into this very summary; `otherwise`: the `t` of journals without a date.

    Of thousands of readings the summary keeps the bounds, and these are told by at most one line a bound.
    """
    readings = [
        Reading(at, phone, boot.boot_id, boot.count_low, uptime, grade) for at, uptime in sorted(_dated(boot))
    ]
    lines: list[Line] = [*readings, *_journals(phone, boot, grade, otherwise)]
    if boot.count_high != boot.count_low and lines:
        lines.append(_counted(lines[0], boot.count_high))
    return lines


def _dated(boot: Boot) -> set[tuple[int, int]]:
    """Instants and uptimes of readings that touch each bound of the dated ones and pass none.

    Each bound was touched by some reading within all others, so there is room for one here too.
    """
    first, last, longest = boot.read_first, boot.read_last, boot.uptime_us
    low, high = boot.started_earliest, boot.started_latest
    if first is None or last is None or longest is None or low is None or high is None:
        return set()
    pairs = [
        (first, max(low, first - longest)),
        (last, max(low, last - longest)),
        (min(last, low + longest), low),
        (max(first, high), high),
    ]
    start = max(low, first - longest)
    pairs.append((start + longest, start))
    return {(at, at - started) for at, started in pairs}


def _journals(phone: str, boot: Boot, grade: Grade, otherwise: int) -> Iterator[Journal]:
    heard = boot.heard_first
    early = heard is not None and (boot.read_first is None or heard < boot.read_first)
    t = heard if early and heard is not None else max(otherwise, heard or 0)
    ends: list[tuple[int | None, Any]] = [
        (boot.open_us, "open"),
        (boot.shutdown_first_us, "shutdown"),
        (boot.shutdown_last_us, "shutdown"),
    ]
    for uptime, end in dict.fromkeys(ends):
        if uptime is not None:
            yield Journal(t, phone, boot.boot_id, boot.count_low, uptime, end, grade)


def _counted(line: Line, count: int | None) -> Line:
    if isinstance(line, Reading):
        return Reading(line.t, line.phone, line.boot_id, count, line.uptime_us, line.grade)
    assert isinstance(line, Journal)
    return Journal(line.t, line.phone, line.boot_id, count, line.last_uptime_us, line.end, line.grade)


def as_json(line: Line) -> bytes:
    """The line as a trace has it, without its end."""
    body = {"t": rfc3339(line.t), **_fields(line)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _fields(line: Line) -> dict[str, Any]:
    if isinstance(line, Override):
        return {"kind": "policy", **line.body()}
    if isinstance(line, Beat):
        return {"observer": line.observer, "kind": "observer_up" if line.up else "observer_down"}
    told: dict[str, Any]
    match line:
        case Reading() | Journal():
            told = _boot_fields(line)
        case ProbeFailed():
            told = {"kind": "probe_failed", "observer": line.observer, "reason": line.reason}
        case DialTest():
            told = {"kind": "dial_test", "result": line.result, "by": line.by}
        case CustomerReport():
            told = {"kind": "customer_report"}
        case Custody():
            told = {"kind": "custody", **_span(line), "employee": line.employee}
        case Excuse():
            told = {"kind": "excuse", **_span(line), "reason": line.reason}
            told |= {} if line.delegate is None else {"delegate": line.delegate}
        case Decision():
            told = {"kind": "decision", **_span(line), "status": line.status, "by": line.by, "why": line.why}
    return {"phone": line.phone, **told}


def _boot_fields(line: Reading | Journal) -> dict[str, Any]:
    told: dict[str, Any] = {"boot_id": line.boot_id, "boot_count": line.boot_count}
    if isinstance(line, Reading):
        told |= {"kind": "reading", "uptime_s": line.uptime_us / 1_000_000}
    else:
        told |= {"kind": "journal", "last_uptime_s": line.last_uptime_us / 1_000_000, "end": line.end}
    return told if line.grade == "gateway" else {**told, "grade": line.grade}


def _span(line: Custody | Excuse | Decision) -> dict[str, Any]:
    return {"from": rfc3339(line.start), "to": None if line.end is None else rfc3339(line.end)}
