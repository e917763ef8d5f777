"""Random small traces on a grid of minutes: a life with evidence of it, accusations near its edges, and noise."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

from hypothesis import strategies as st

from tests.app.uptime.oracle import BASE, Line

POLICIES: list[dict[str, Any]] = [
    {},
    {"min_off_minutes": 4, "merge_minutes": 6, "strike_every_hours": 1, "unproved_hours": 1, "unmet_days": 1},
    {"min_off_minutes": 5, "merge_minutes": 0, "strike_every_hours": 0, "unproved_hours": 2, "strikes": 1},
    {"min_off_minutes": 3, "merge_minutes": 9, "strike_every_hours": 1, "needs_hit": False, "strikes": 3},
    {"min_off_minutes": 1, "merge_minutes": 2, "hit_within_minutes": 0, "beat_within_minutes": 3},
]
_TIMES = {"t", "from", "to"}
_SECONDS = {"uptime_s", "last_uptime_s"}


def as_time(minute: int) -> str:
    return (BASE + dt.timedelta(minutes=minute)).isoformat()


def as_json(line: Line) -> bytes:
    """A line of the grid as one of a trace."""
    body = {}
    for name, value in line.items():
        if name in _TIMES and value is not None:
            body[name] = as_time(value)
        else:
            body[name] = value * 60 if name in _SECONDS else value
    return json.dumps(body).encode()


@st.composite
def traces(draw: st.DrawFn, phones: int = 2) -> tuple[list[Line], dict[str, Any]]:
    """Lines in any order, and the policy values that override the file's."""
    # A seed, not draws: a trace has hundreds of choices, more than hypothesis likes to keep.
    dice = random.Random(draw(st.integers(0, 2**32)))
    lines: list[Line] = []
    for phone in ("A1", "B2")[: draw(st.integers(1, phones))]:
        lines += _life(dice, phone)
    lines += _beats(dice)
    dice.shuffle(lines)
    return lines, draw(st.sampled_from(POLICIES))


def _life(dice: random.Random, phone: str) -> list[Line]:
    lines: list[Line] = []
    edges: list[int] = [0, 240]
    clock, count = dice.randint(-300, 200), dice.choice([3, 40])
    for number in range(dice.randint(0, 6)):
        clock += dice.choice([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 30, 60, 90, dice.randint(0, 300)])
        length = dice.choice([0, 1, 2, 5, 6, 9, 29, 30, dice.randint(0, 200)])
        edges += [clock, clock + length]
        count += dice.choice([1, 1, 1, 1, 1, 1, 0, 2])
        lines += _boot(dice, phone, f"{phone}-{number}", clock, length, count)
        clock += length
    for _ in range(dice.randint(0, 8)):
        at = dice.choice(edges) + dice.choice([-3, -2, -1, 0, 1, 2, 3, dice.randint(-60, 60)])
        lines.append(_tested(dice, phone, at))
    for _ in range(dice.randint(0, 4)):
        lines.append(_spanned(dice, phone, dice.choice(edges) + dice.randint(-12, 12)))
    return lines


def _boot(dice: random.Random, phone: str, boot: str, start: int, length: int, count: int) -> list[Line]:
    common = {"phone": phone, "boot_id": boot}
    lines: list[Line] = []
    for _ in range(dice.choice([0, 1, 1, 2, 3])):
        up = dice.randint(0, length)
        told = dice.choice([count, count, count, count, None])
        grade = dice.choice([{}, {}, {}, {"grade": "gateway"}, {"grade": "self"}])
        off_by = dice.choice([0, 0, 0, 0, 0, 1, -1, 2, 3])
        reading = {"t": start + up + off_by, "kind": "reading", "boot_count": told, "uptime_s": up}
        lines.append(common | reading | grade)
    for _ in range(dice.choice([0, 1, 1, 1, 2])):
        end = dice.choice(["shutdown", "shutdown", "shutdown", "open"])
        up = max(0, length - dice.choice([0, 0, 0, 0, 1, 2, 3]))
        heard = start + length + dice.choice([0, 5, 400, 400, -1])
        told = dice.choice([count, count, None])
        grade = dice.choice([{}, {}, {}, {"grade": "self"}])
        journal = {"t": heard, "kind": "journal", "boot_count": told, "last_uptime_s": up, "end": end}
        lines.append(common | journal | grade)
    return lines


def _tested(dice: random.Random, phone: str, at: int) -> Line:
    kind = dice.choice(["dial_test", "dial_test", "customer_report", "probe_failed"])
    line: Line = {"t": at, "phone": phone, "kind": kind}
    if kind == "dial_test":
        results = ["powered_off"] * 5 + ["answered", "rings", "suspended", "no_coverage", "busy", "unclear"]
        return line | {"result": dice.choice(results), "by": "ops"}
    if kind == "probe_failed":
        reason = dice.choice(["timeout", "timeout", "refused", "unauthorized", "busy", "adb_down"])
        return line | {"observer": dice.choice("PQ"), "reason": reason}
    return line


def _spanned(dice: random.Random, phone: str, start: int) -> Line:
    kind = dice.choice(["custody", "custody", "excuse", "excuse", "decision"])
    end = dice.choice([None, start, *(start + n for n in (1, 5, 12, 40, 200, 200, 200))])
    line: Line = {"t": dice.randint(-5, 5) * 60, "phone": phone, "kind": kind, "from": start, "to": end}
    if kind == "custody":
        return line | {"employee": dice.choice(["E1", "E2", "E3"])}
    if kind == "decision":
        return line | {"status": dice.choice(["confirmed", "refuted"]), "by": "lead", "why": "seen"}
    if dice.random() < 0.4:
        return line | {"reason": "delegation", "delegate": dice.choice(["E2", "E4"])}
    return line | {"reason": dice.choice(["maintenance", "repair"])}


def _beats(dice: random.Random) -> list[Line]:
    lines: list[Line] = []
    for observer in "PQ":
        for at in range(-320, 900, dice.choice([1, 5, 10, 40])):
            if dice.random() < 0.9:
                lines.append({"t": at, "kind": "observer_up", "observer": observer})
            if dice.random() < 0.05:
                lines.append({"t": at, "kind": "observer_down", "observer": observer})
    if dice.random() < 0.5:
        lines = dice.sample(lines, min(len(lines), 60))
    if dice.random() < 0.3:
        lines.append({"t": dice.choice([1440, 1600, 1899]), "kind": "observer_up", "observer": "R"})
    return lines
