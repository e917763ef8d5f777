"""The engine against a second, slow reading of the rule; and what holds for any trace at all."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.clock import from_rfc3339
from app.policy import PolicyFiles
from app.settings import ROOT
from app.uptime.dossier import read_trace
from app.uptime.limits import limits_of
from app.uptime.replay import replay
from tests.app.uptime.oracle import BASE, Line, solve
from tests.app.uptime.traces import as_json, traces

BODY = dict(PolicyFiles(ROOT / "policies").latest("uptime").body)
Trace = tuple[list[Line], dict[str, Any]]


def told(lines: list[Line], policy: dict[str, Any]) -> dict[str, Any]:
    gathered = read_trace([as_json(line) for line in lines], lambda _: [])
    return replay(gathered, limits_of(BODY | policy), {})


def minute(text: str) -> int:
    whole, rest = divmod(from_rfc3339(text) - BASE, dt.timedelta(minutes=1))
    assert not rest
    return whole


def cells(intervals: list[dict[str, Any]]) -> dict[int, str]:
    return {
        m: piece["state"] for piece in intervals for m in range(minute(piece["from"]), minute(piece["to"]))
    }


def on_the_grid(answer: dict[str, Any]) -> dict[str, Any]:
    incidents = {
        name: [
            (
                minute(i["from"]),
                minute(i["to"]),
                i["status"],
                i["kind"],
                tuple(minute(s["at"]) for s in i["strikes"]),
            )
            for i in phone["incidents"]
        ]
        for name, phone in answer["phones"].items()
    }
    return {
        "cells": {name: cells(phone["intervals"]) for name, phone in answer["phones"].items()},
        "incidents": incidents,
        "people": {
            employee: {
                month: (one["strikes"], one["suspected"], one["undecided"], one["allowance"])
                for month, one in months.items()
            }
            for employee, months in answer["people"].items()
        },
    }


@settings(max_examples=250)
@given(traces())
def test_the_engine_says_what_the_slow_reading_says(trace: Trace) -> None:
    lines, policy = trace
    assert on_the_grid(told(lines, policy)) == solve(lines, BODY | policy)


def test_the_traces_reach_every_status_and_allowance() -> None:
    """Or the test above would compare nothing with nothing."""
    seen: set[tuple[str, str]] = set()
    allowances: set[str] = set()

    @settings(max_examples=400, database=None, derandomize=True)
    @given(traces())
    def look(trace: Trace) -> None:
        answer = told(*trace)
        for phone in answer["phones"].values():
            seen.update((i["kind"], i["status"]) for i in phone["incidents"])
        allowances.update(m["allowance"] for months in answer["people"].values() for m in months.values())

    look()
    kind_b = {("b", s) for s in ("refuted", "confirmed", "excused", "suspected", "undecided")}
    assert seen == kind_b | {("a", s) for s in ("refuted", "confirmed", "excused")}
    assert allowances == {"cancelled", "undecided", "payable"}


@settings(max_examples=100)
@given(traces(), st.randoms(use_true_random=False))
def test_order_and_doubles_make_no_difference(trace: Trace, dice: random.Random) -> None:
    lines, policy = trace
    shuffled = lines + dice.choices(lines, k=5) if lines else []
    dice.shuffle(shuffled)
    assert told(shuffled, policy) == told(lines, policy)


@settings(max_examples=100)
@given(traces())
def test_intervals_are_contiguous_over_what_the_lines_touch(trace: Trace) -> None:
    lines, policy = trace
    for name, phone in told(lines, policy)["phones"].items():
        own = [line for line in lines if line.get("phone") == name]
        first = min(line["t"] - line.get("uptime_s", 0) for line in own)
        last = max(line["t"] for line in own)
        pieces = phone["intervals"]
        assert (first == last) == (not pieces)
        if pieces:
            assert (minute(pieces[0]["from"]), minute(pieces[-1]["to"])) == (first, last)
        for left, right in pairwise(pieces):
            assert left["to"] == right["from"]
            assert left["state"] != right["state"]


@settings(max_examples=150)
@given(traces(phones=1), st.randoms(use_true_random=False))
def test_one_more_line_turns_no_proof_into_its_opposite(trace: Trace, dice: random.Random) -> None:
    """On stays on, whatever is added. Off becomes on only where the added line's own boot proves on, which always
    wins; else it stays off or, where the line makes the proof doubtful, becomes unknown.
    """
    lines, policy = trace
    own = [line for line in lines if "boot_id" in line]
    if not own:
        return
    more = dice.choice(own)
    fewer = [line for line in lines if line != more]
    before = told(fewer, policy)["phones"].get("A1", {"intervals": []})["intervals"]
    after = cells(told(lines, policy)["phones"]["A1"]["intervals"])
    proved = _proved_by(more["boot_id"], lines, policy)
    for m, state in cells(before).items():
        if state == "on":
            assert after[m] == "on"
        if state == "off" and after[m] == "on":
            assert proved.get(m) == "on"


def _proved_by(boot: str, lines: list[Line], policy: dict[str, Any]) -> dict[int, str]:
    """What the lines of one boot prove alone."""
    alone = [line for line in lines if line.get("boot_id") == boot]
    end = {"t": max(line["t"] for line in lines), "phone": "A1", "kind": "customer_report"}
    return cells(told([*alone, end], policy)["phones"]["A1"]["intervals"])


@settings(max_examples=100)
@given(traces(phones=1))
def test_what_probes_and_reports_say_changes_no_minute(trace: Trace) -> None:
    lines, policy = trace
    quiet = [line for line in lines if line["kind"] not in {"dial_test", "customer_report", "probe_failed"}]
    calm = cells(told(quiet, policy)["phones"].get("A1", {"intervals": []})["intervals"])
    loud = cells(told(lines, policy)["phones"].get("A1", {"intervals": []})["intervals"])
    assert {m: loud[m] for m in calm} == calm
    # A later line shows more of what stood already, such as a journal that reached past the last line before.
    assert all(loud[m] != "off" for m in loud.keys() - calm.keys())
