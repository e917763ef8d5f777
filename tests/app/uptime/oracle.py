"""R02 a second time, slowly and by other means: every minute and every instant between is a cell that is looked at.

Times are whole minutes after `BASE`, cell 2m is the instant m, cell 2m+1 what lies between m and m+1. Lines are dicts
as in a trace, with minutes for times and uptimes. Written from the rule's words, without a look at the product.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

BASE = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
MONTH_ENDS_AT = 240
"""Midnight of December 1 in Shanghai."""
LOW, HIGH = -700, 1900
Line = dict[str, Any]


def solve(lines: Iterable[Line], policy: dict[str, Any]) -> dict[str, Any]:
    """`cells`: phone → minute → state; `incidents`: phone → tuples; `people`: employee → month → counts, allowance."""
    unique: list[Line] = []
    for line in lines:
        if line not in unique:
            unique.append(line)
    ends = [line["t"] for line in unique]
    begins = [line["t"] - line.get("uptime_s", 0) for line in unique]
    people: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    cells, incidents = {}, {}
    for phone in {line["phone"] for line in unique if "phone" in line}:
        own = [line for line in unique if line.get("phone") == phone]
        beats = [line for line in unique if line["kind"].startswith("observer")]
        one = _Phone(phone, own, beats, policy, max(ends))
        cells[phone] = one.minutes()
        incidents[phone] = sorted(one.told())
        for minute in range(min(begins), max(ends) + 1):
            for employee in one.custodians(minute):
                people[employee][_month(minute)]
        for _, _, status, _, strikes, first in one.told():
            for at in strikes:
                people[one.answers(at)][_month(at)][0] += 1
            if status in {"suspected", "undecided"}:
                people[one.answers(first)][_month(first)][1 if status == "suspected" else 2] += 1
    return {
        "cells": cells,
        "incidents": {p: [i[:5] for i in found] for p, found in incidents.items()},
        "people": {
            e: {m: (*n, _allowance(n[0], sum(n), policy["strikes"])) for m, n in months.items()}
            for e, months in people.items()
        },
    }


def _month(minute: int) -> str:
    return "2026-11" if minute < MONTH_ENDS_AT else "2026-12"


def _allowance(strikes: int, all_that_may_be: int, limit: int) -> str:
    if strikes >= limit:
        return "cancelled"
    return "payable" if all_that_may_be < limit else "undecided"


def _inside(line: Line, minute: float) -> bool:
    return line["from"] <= minute and (line["to"] is None or minute < line["to"])


def _reached(call: Line) -> bool:
    return call["result"] in {"answered", "rings"}


class _BootFacts:
    def __init__(self, boot: str, lines: list[Line]) -> None:
        self.id = boot
        readings = [line for line in lines if line["kind"] == "reading"]
        journals = [line for line in lines if line["kind"] == "journal"]
        starts = [line["t"] - line["uptime_s"] for line in readings]
        self.dated = bool(readings)
        self.counts = [line["boot_count"] for line in lines if line["boot_count"] is not None]
        self.odd = False
        self.mark: int | None = None
        if not readings:
            return
        self.start, latest = min(starts), max(starts)
        self.reads = [line["t"] for line in readings]
        self.end = max([*self.reads, *(latest + line["last_uptime_s"] for line in journals)])
        self.slack = 2 + max(line["uptime_s"] for line in readings) / 10_000
        longest = max([line["uptime_s"] for line in readings] + [j["last_uptime_s"] for j in journals])
        marks = [j["last_uptime_s"] for j in journals if j["end"] == "shutdown"]
        opens = [j["last_uptime_s"] for j in journals if j["end"] == "open"]
        if marks and max(marks) > max(opens, default=-1):
            self.mark = latest + max(marks)
        self.odd = (
            latest - self.start > self.slack
            or bool(marks and longest - min(marks) >= 2)
            or any(line["t"] < self.start for line in lines)
        )


class _Phone:
    def __init__(
        self, phone: str, lines: list[Line], beats: list[Line], policy: dict[str, Any], end: int
    ) -> None:
        self.phone, self.lines, self.beats, self.policy, self.trace_end = phone, lines, beats, policy, end
        by_boot: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            if "boot_id" in line:
                by_boot[line["boot_id"]].append(line)
        self.boots = [_BootFacts(boot, found) for boot, found in by_boot.items()]
        self.dated = sorted((b for b in self.boots if b.dated), key=lambda b: (b.start, b.id))
        for one in self.dated:
            for two in self.dated:
                shared = min(one.end, two.end) - max(one.start, two.start)
                if one is not two and shared > max(one.slack, two.slack):
                    one.odd = True
        self.cells = dict.fromkeys(range(2 * LOW, 2 * HIGH), "unknown")
        self._paint()
        self.vouched: set[int] = set()
        for boot, found in by_boot.items():
            facts = _BootFacts(boot, [line for line in found if line.get("grade") != "self"])
            if facts.dated:
                self.vouched.update(range(2 * facts.start, 2 * facts.end + 1))
        self.vouched.update(2 * call["t"] for call in self.of("dial_test") if _reached(call))

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    def _paint(self) -> None:
        for one in self.dated:
            for two in self.dated:
                if self._proves_off(one, two):
                    assert one.mark is not None
                    for cell in range(2 * one.mark + 1, 2 * two.start):
                        self.cells[cell] = "off"
        for boot in self.dated:
            for cell in range(2 * boot.start, 2 * boot.end + 1):
                self.cells[cell] = "on"
        for call in self.of("dial_test"):
            if _reached(call):
                self.cells[2 * call["t"]] = "on"

    def _proves_off(self, one: _BootFacts, two: _BootFacts) -> bool:
        if one is two or one.mark is None or one.odd or two.odd or not one.counts or not two.counts:
            return False
        wanted = max(one.counts) + 1
        bearing = [b for b in self.boots if b.counts and wanted in {min(b.counts), max(b.counts)}]
        if min(two.counts) != wanted or bearing != [two]:
            return False
        hidden = [b for b in self.boots if not b.dated and b.counts]
        if any(wanted - 1 in {min(b.counts), max(b.counts)} for b in hidden):
            return False
        one_at, two_at = self.dated.index(one), self.dated.index(two)
        reach = max(b.end for b in self.dated[: one_at + 1])
        return two_at == one_at + 1 and reach <= one.mark + one.slack

    def minutes(self) -> dict[int, str]:
        touched = [line["t"] - line.get("uptime_s", 0) for line in self.lines]
        last = max(line["t"] for line in self.lines)
        return {m: self.cells[2 * m + 1] for m in range(min(touched), last)}

    # --- who answers ------------------------------------------------------------------------------------------------

    def _excuses(self, *reasons: str) -> list[Line]:
        return [line for line in self.of("excuse") if line["reason"] in reasons]

    def excused(self, minute: float) -> bool:
        return any(_inside(line, minute) for line in self._excuses("maintenance", "repair"))

    def custodians(self, minute: int) -> list[str]:
        if not any(line["from"] != line["to"] for line in self.of("custody")):
            return [f"holder:{self.phone}"]
        return [line["employee"] for line in self.of("custody") if _inside(line, minute)]

    def answers(self, minute: int) -> str:
        for lines, name in ((self._excuses("delegation"), "delegate"), (self.of("custody"), "employee")):
            holding = [line for line in lines if _inside(line, minute)]
            if holding:
                best = max(holding, key=lambda line: (line["from"], line["t"], line[name]))
                return str(best[name])
        return f"holder:{self.phone}"

    # --- incidents --------------------------------------------------------------------------------------------------

    def accusations(self) -> list[int]:
        off = [c["t"] for c in self.of("dial_test") if c["result"] == "powered_off"]
        return sorted(off + [c["t"] for c in self.of("customer_report")])

    def valid_probes(self) -> list[int]:
        found = []
        for probe in self.of("probe_failed"):
            own = [b for b in self.beats if b["observer"] == probe["observer"] and b["t"] <= probe["t"]]
            up = any(
                b["kind"] == "observer_up"
                and probe["t"] - b["t"] <= self.policy["beat_within_minutes"]
                and not any(d["kind"] == "observer_down" and d["t"] >= b["t"] for d in own)
                for b in own
            )
            if up and probe["reason"] not in {"unauthorized", "busy", "adb_down"}:
                found.append(probe["t"])
        return found

    def off_spans(self) -> list[tuple[int, int]]:
        spans, begun = [], None
        for cell in range(2 * LOW, 2 * HIGH):
            if self.cells[cell] == "off" and begun is None:
                begun = cell
            elif self.cells[cell] != "off" and begun is not None:
                spans.append((begun // 2, cell // 2))
                begun = None
        return [(a, b) for a, b in spans if b - a >= self.policy["min_off_minutes"]]

    def told(self) -> list[tuple[int, int, str, str, tuple[int, ...], int]]:
        """from, to, status, kind, strikes, first hit that nothing excuses."""
        near = self.policy["hit_within_minutes"]
        groups: list[list[tuple[int, int]]] = []
        for span in self.off_spans():
            if groups and span[0] - groups[-1][-1][1] < self.policy["merge_minutes"]:
                groups[-1].append(span)
            else:
                groups.append([span])
        found = []
        for group in groups:
            hits = [
                t
                for t in {*self.accusations(), *self.valid_probes()}
                if any(a - near <= t <= b + near for a, b in group)
            ]
            start, end = group[0][0], group[-1][1]
            found.append((start, end, self._status_a(group), "a", sorted(hits)))
        away = [
            t for t in self.accusations() if not any(g[0][0] - near <= t <= g[-1][1] + near for g in groups)
        ]
        stretches: dict[tuple[int, int], list[int]] = defaultdict(list)
        for t in away:
            stretches[self._stretch(t)].append(t)
        found += [
            (min(ts), max(ts), self._status_b(stretch, ts), "b", sorted(ts))
            for stretch, ts in stretches.items()
        ]
        return self._struck(sorted(found))

    def _stretch(self, minute: int) -> tuple[int, int]:
        on = 2 * minute in self.vouched
        low = high = 2 * minute
        while low >= 2 * LOW and (low in self.vouched) is on:
            low -= 1
        while high < 2 * HIGH and (high in self.vouched) is on:
            high += 1
        return low, high

    def _word(self, start: int, end: int, *, closed: bool) -> str | None:
        best = None
        for line in self.of("decision"):
            until = 10**9 if line["to"] is None else line["to"]
            shared = [c for c in range(2 * start, 2 * end + closed) if line["from"] <= c / 2 < until]
            if shared:
                rank = (line["t"], line["status"] == "refuted", line["status"])
                best = rank if best is None else max(best, rank)
        return best and best[2]

    def _status_a(self, group: list[tuple[int, int]]) -> str:
        word = self._word(group[0][0], group[-1][1], closed=False)
        if word:
            return word
        for a, b in group:
            bare = 0
            for minute in range(a, b):
                bare = 0 if self.excused(minute) else bare + 1
                if bare >= self.policy["min_off_minutes"]:
                    return "confirmed"
        return "excused"

    def _status_b(self, stretch: tuple[int, int], ts: list[int]) -> str:
        first, last = min(ts), max(ts)
        bounded = stretch[0] >= 2 * LOW and stretch[1] < 2 * HIGH
        if 2 * first in self.vouched or (
            bounded and (stretch[1] - stretch[0]) / 2 < self.policy["min_off_minutes"]
        ):
            return "refuted"
        word = self._word(first, last, closed=True)
        if word:
            return word
        if all(self.excused(t) for t in ts):
            return "excused"
        readings = [line for line in self.of("reading") if line.get("grade") != "self"]
        after = [(r["t"], r["boot_id"]) for r in readings if r["t"] > last]
        before = [(r["t"], r["boot_id"]) for r in readings if r["t"] < first]
        if not after:
            old = self.trace_end - last >= self.policy["unmet_days"] * 1440
            return "undecided" if old else "suspected"
        if any(self.cells[2 * t] == "on" for t in ts):
            return "undecided"
        dialled = any(c["result"] == "powered_off" and c["t"] in ts for c in self.of("dial_test"))
        if dialled and before:
            (t0, boot0), (t1, boot1) = max(before), min(after)
            if boot0 != boot1 and t1 - t0 < self.policy["unproved_hours"] * 60:
                return "confirmed"
        return "undecided"

    def _struck(
        self, found: list[tuple[int, int, str, str, list[int]]]
    ) -> list[tuple[int, int, str, str, tuple[int, ...], int]]:
        every = self.policy["strike_every_hours"] * 60
        strikes: list[list[int]] = [[] for _ in found]
        counted: list[int] = []
        bare = [[t for t in hits if not self.excused(t)] for *_, hits in found]
        for minute in range(LOW, HIGH):
            for number, (start, _, status, kind, _) in enumerate(found):
                due = bare[number]
                if not due and not self.policy["needs_hit"]:
                    due = [start]
                if status != "confirmed" or minute not in (due if kind == "a" else due[:1]):
                    continue
                free = all(minute - t >= every and minute != t for t in counted)
                if free and (not strikes[number] or every):
                    strikes[number].append(minute)
                    counted.append(minute)
        return [
            (start, end, status, kind, tuple(strikes[n]), bare[n][0] if bare[n] else start)
            for n, (start, end, status, kind, _) in enumerate(found)
        ]
