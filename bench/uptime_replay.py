"""Replaying a month of traces, in multiples of parsing the same lines as JSON; whether twice the phones cost twice; and
whether a phone with twice the boots costs twice when one more boot of it becomes known late.

Each phone is read every ten minutes, reboots now and then, is dialled and reported, and has custody and excuses.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

PHONES = 40
MINUTES = 30 * 1440
LIMIT = 12.0
"""Times the parsing of the lines alone: checks of each field, folding into boots, and the whole ruling."""
LINEAR = 1.35
BOOTS = 16_000
"""Far more than a phone has: below, the collector of garbage joins in at some size and looks like growth."""
ROUNDS = 3


def trace(phones: int) -> list[bytes]:
    """A month of lines, in any order."""
    from app.uptime.replay import rfc3339

    dice = random.Random(phones)
    base = 1_793_491_200
    lines: list[dict[str, Any]] = []
    for number in range(phones):
        lines += [
            {"at": base, "phone": f"P{number}", "kind": "custody", "to": None, "employee": f"E{number}"}
        ]
        lines += _life(dice, f"P{number}", base)
    lines += [{"at": base + m * 60, "kind": "observer_up", "observer": "g"} for m in range(0, MINUTES, 5)]
    dice.shuffle(lines)
    for line in lines:
        line["t"] = rfc3339(line.pop("at") * 1_000_000)
        if line["kind"] == "custody":
            line["from"] = line["t"]
    return [json.dumps(line).encode() for line in lines]


def _life(dice: random.Random, phone: str, base: int) -> list[dict[str, Any]]:
    lines, clock, count = [], 0, 10
    while clock < MINUTES:
        length, count, boot = (
            dice.randint(1000, 5000),
            count + 1,
            {"phone": phone, "boot_id": f"{phone}-{count}"},
        )
        for up in range(5, length, 10):
            at = base + (clock + up) * 60
            lines.append({"at": at, **boot, "kind": "reading", "boot_count": count, "uptime_s": up * 60.25})
        end = base + (clock + length) * 60
        journal = {"boot_count": count, "last_uptime_s": length * 60.25, "end": "shutdown"}
        lines.append({"at": end + 40_000, **boot, "kind": "journal", **journal})
        clock += length + dice.choice([1, 5, 30, 200])
        dialled = {"kind": "dial_test", "result": "powered_off", "by": "ops"}
        lines.append({"at": end + dice.randint(-600, 600), "phone": phone, **dialled})
        failed = {"kind": "probe_failed", "observer": "g", "reason": "timeout"}
        lines += [{"at": end + n * 60, "phone": phone, **failed} for n in range(10)]
    return lines


def _best_s(act: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return min(taken)


def _late(boots: int) -> Callable[[], object]:
    """A phone with so many boots, of which one in the middle is met last: the act is to take it in and rule anew."""
    from app.policy import PolicyFiles
    from app.settings import ROOT
    from app.uptime.dossier import Trace
    from app.uptime.limits import limits_of
    from app.uptime.ruling import rule
    from app.uptime.trace import DialTest, Journal, Line, Reading

    limits = limits_of(PolicyFiles(ROOT / "policies").latest("uptime").body)
    hour, minute = 3_600_000_000, 60_000_000
    trace, late = Trace(), []
    for number in range(boots):
        start, boot = number * hour, (f"b{number}", number)
        lines: list[Line] = [
            Reading(start + 30 * minute, "A1", *boot, 30 * minute),
            Journal(start + hour + 5 * minute, "A1", *boot, 40 * minute, "shutdown"),
            DialTest(start + 50 * minute, "A1", "powered_off", "ops"),
        ]
        if number == boots // 2:
            late = lines
        else:
            for line in lines:
                trace.add(line)

    def met() -> object:
        for line in late:
            trace.add(line)
        return rule(trace, limits)

    return met


def measure() -> list[dict[str, Any]]:
    """Processor time; the best of some rounds."""
    from app.policy import PolicyFiles
    from app.settings import ROOT
    from app.uptime.dossier import read_trace
    from app.uptime.limits import limits_of
    from app.uptime.replay import replay

    limits = limits_of(PolicyFiles(ROOT / "policies").latest("uptime").body)
    half, whole = trace(PHONES // 2), trace(PHONES)
    parsing = _best_s(lambda: [json.loads(line) for line in whole])
    took_half = _best_s(lambda: replay(read_trace(half, lambda _: []), limits, {}))
    took = _best_s(lambda: replay(read_trace(whole, lambda _: []), limits, {}))
    growth = (took / len(whole)) / (took_half / len(half))
    detail = {
        "lines": len(whole),
        "parsing_s": round(parsing, 3),
        "replay_s": round(took, 3),
        "lines_per_s": round(len(whole) / took),
    }
    return [
        {
            "figure": "replay of a trace / parsing its lines as JSON",
            "value": round(took / parsing, 2),
            "limit": LIMIT,
            "ok": took <= LIMIT * parsing,
            "unit": "x",
            "detail": detail,
        },
        {
            "figure": "replay: cost of a line with twice the phones / with half of them",
            "value": round(growth, 2),
            "limit": LINEAR,
            "ok": growth <= LINEAR,
            "unit": "x",
            "detail": {"lines": [len(half), len(whole)]},
        },
        _late_evidence(),
    ]


def _late_evidence() -> dict[str, Any]:
    few, many = _best_s(_late(BOOTS // 2)), _best_s(_late(BOOTS))
    growth = many / few / 2
    return {
        "figure": "late boot: cost for each boot of a phone with twice the boots / with half of them",
        "value": round(growth, 2),
        "limit": LINEAR,
        "ok": growth <= LINEAR,
        "unit": "x",
        "detail": {"boots": [BOOTS // 2, BOOTS], "ruling_s": [round(few, 4), round(many, 4)]},
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
