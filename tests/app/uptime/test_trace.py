"""Lines of a trace: what is taken, what is refused and by which number; and the command itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.settings import ROOT
from app.uptime.dossier import TraceError, read_trace
from app.uptime.trace import Override, Reading, parse_line
from app.uptime.trace_fields import NotUnderstood

T = "2026-11-22T02:00:00Z"
US = 1_000_000
READING = {"t": T, "phone": "A1", "kind": "reading", "boot_id": "b", "boot_count": 4, "uptime_s": 60}
GOOD: list[dict[str, Any]] = [
    READING,
    READING | {"boot_count": None, "observer": "g1", "uptime_s": 0.25, "grade": "self"},
    {
        "t": T,
        "phone": "A1",
        "kind": "journal",
        "boot_id": "b",
        "boot_count": None,
        "last_uptime_s": 9,
        "end": "open",
        "grade": "gateway",
    },
    {"t": T, "phone": "A1", "kind": "probe_failed", "observer": "g1", "reason": "timeout"},
    {"t": T, "kind": "observer_up", "observer": "g1"},
    {"t": T, "kind": "observer_down", "observer": "g1"},
    {"t": T, "phone": "A1", "kind": "dial_test", "result": "rings", "by": "运营"},
    {"t": T, "phone": "A1", "kind": "customer_report"},
    {"t": T, "phone": "A1", "kind": "custody", "from": T, "to": None, "employee": "E1"},
    {"t": T, "phone": "A1", "kind": "excuse", "from": T, "to": T, "reason": "repair"},
    {
        "t": T,
        "phone": "A1",
        "kind": "excuse",
        "from": T,
        "to": None,
        "reason": "delegation",
        "delegate": "E2",
    },
    {
        "t": T,
        "phone": "A1",
        "kind": "decision",
        "from": T,
        "to": None,
        "status": "refuted",
        "by": "L",
        "why": "",
    },
    {"t": T, "kind": "policy", "strikes": 3},
]
SPAN = GOOD[8]


def parse(line: dict[str, Any]) -> Any:
    return parse_line(json.dumps(line))


@pytest.mark.parametrize("line", GOOD, ids=lambda line: line["kind"])
def test_each_kind_is_taken(line: dict[str, Any]) -> None:
    parse(line)


@pytest.mark.parametrize("line", GOOD, ids=lambda line: line["kind"])
def test_no_field_may_be_missing_or_unknown(line: dict[str, Any]) -> None:
    for name in line:
        rest = {key: value for key, value in line.items() if key != name}
        if (line["kind"], name) in {("reading", "observer"), ("policy", "strikes")} or name == "grade":
            parse(rest)
        else:
            with pytest.raises(NotUnderstood):
                parse(rest)
    if line["kind"] != "policy":  # a name that no policy has is refused by the policy's schema, below
        with pytest.raises(NotUnderstood, match="surprise"):
            parse(line | {"surprise": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"t": "2026-11-22T02:00:00"},
        {"t": "2026-11-22"},
        {"t": "2026-W47-7T02:00:00Z"},
        {"t": "2026-11-22T02:00Z"},
        {"t": "2026-02-30T02:00:00Z"},
        {"t": "1969-12-31T23:59:59Z"},
        {"t": "９026-11-22T02:00:00Z"},
        {"t": 1795312800},
        {"kind": "heartbeat"},
        {"kind": None},
        {"kind": ["reading"]},
        {"phone": ""},
        {"phone": 7},
        {"phone": "\ud800"},
        {"boot_id": None},
        {"boot_count": -1},
        {"boot_count": 4.0},
        {"boot_count": True},
        {"boot_count": "4"},
        {"uptime_s": -0.1},
        {"uptime_s": "60"},
        {"uptime_s": True},
        {"uptime_s": None},
        {"uptime_s": 1e18},
        {"uptime_s": float("nan")},
        {"uptime_s": float("inf")},
    ],
)
def test_bad_values_of_a_reading(change: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        parse(READING | change)


@pytest.mark.parametrize(
    "line",
    [
        SPAN | {"to": "2026-11-22T01:59:59Z"},
        SPAN | {"from": None},
        GOOD[2] | {"end": "crash"},
        GOOD[6] | {"result": "off"},
        GOOD[9] | {"delegate": "E2"},
        GOOD[9] | {"reason": "holiday"},
        GOOD[11] | {"status": "excused"},
        GOOD[4] | {"phone": "A1"},
        GOOD[12] | {"phone": "A1"},
        GOOD[12] | {"strikes": 3.0},
        GOOD[12] | {"strikes": None},
        {key: value for key, value in GOOD[10].items() if key != "delegate"},
    ],
)
def test_other_lines_that_contradict_their_kind(line: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood):
        parse(line)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '"reading"',
        json.dumps(READING)[:-1] + ', "uptime_s": 61}',
        json.dumps(READING) + " {}",
        "[" * 100_000,
        '{"t": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_single_json_object(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_line(text)


@pytest.mark.parametrize(
    "t",
    [
        "2026-11-22T10:00:00+08:00",
        "2026-11-22t02:00:00z",
        "2026-11-22T02:00:00.000000999Z",
        "2026-11-22 02:00:00-00:00",
    ],
)
def test_one_instant_in_other_writings(t: str) -> None:
    assert parse(READING | {"t": t}) == parse(READING)


def test_times_are_microseconds() -> None:
    line = parse(READING | {"t": "1970-01-01T00:01:00.000001Z", "uptime_s": 0.000001})
    assert line == Reading(60 * US + 1, "A1", "b", 4, 1)


def test_true_is_not_one() -> None:
    """Python takes 1 and True for equal: two policy lines that differ so must not pass for one."""
    assert parse({"t": T, "kind": "policy", "x": 1}) != parse({"t": T, "kind": "policy", "x": True})


def test_the_number_is_that_of_the_line_in_the_file_blank_ones_counted() -> None:
    good = json.dumps(READING).encode()
    for bad in (b"{", b"\xff", b'{"t": 1}'):
        with pytest.raises(TraceError) as caught:
            read_trace([good + b"\n", b"\n", b"  \r\n", good + b"\r\n", bad], lambda _: [])
        assert caught.value.line == 5


def test_one_distinct_policy_line() -> None:
    one, same, other = (
        json.dumps(line).encode()
        for line in (
            {"t": T, "kind": "policy", "strikes": 3, "merge_minutes": 5},
            {"merge_minutes": 5, "kind": "policy", "strikes": 3, "t": "2026-11-22T10:00:00+08:00"},
            {"t": T, "kind": "policy", "strikes": 2, "merge_minutes": 5},
        )
    )
    override = read_trace([one, same, one], lambda _: []).override
    assert isinstance(override, Override)
    assert override.body() == {"strikes": 3, "merge_minutes": 5}
    with pytest.raises(TraceError, match="line 3"):
        read_trace([one, same, other], lambda _: [])


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def bare_app(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """An application whose database does not exist and cannot be made."""
    return make_app(f"sqlite:///{tmp_path}/nowhere/none.db", init=False)


def replay(app: Flask, text: str) -> Any:
    return app.test_cli_runner().invoke(args=["uptime", "replay", "-"], input=text)


def lines(*bodies: dict[str, Any]) -> str:
    return "".join(json.dumps(body) + "\n" for body in bodies)


def test_the_command_needs_no_database(bare_app: Flask, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text(lines(*GOOD))
    ended = bare_app.test_cli_runner().invoke(args=["uptime", "replay", str(trace)])
    assert ended.exit_code == 0
    told = json.loads(ended.stdout)
    assert set(told) == {"phones", "people", "anomalies"}
    assert told == json.loads(replay(bare_app, lines(*GOOD)).stdout)


def test_the_policy_that_ruled_is_named(bare_app: Flask) -> None:
    plain = json.loads(replay(bare_app, lines(READING)).stdout)["people"]["holder:A1"]["2026-11"]
    file = bare_app.extensions["butler"].policies.latest("uptime")
    assert plain["rule"] == "R02"
    assert plain["policy"] == {"version": file.version, "sha256": file.sha256, "overrides": {}}
    other = json.loads(replay(bare_app, lines(READING, GOOD[12])).stdout)["people"]["holder:A1"]["2026-11"]
    assert other["policy"]["overrides"] == {"strikes": 3}
    assert other["policy"]["sha256"] != file.sha256


def test_a_trace_of_nothing(bare_app: Flask) -> None:
    ended = replay(bare_app, "\n")
    assert (ended.exit_code, json.loads(ended.stdout)) == (0, {"phones": {}, "people": {}, "anomalies": []})


@pytest.mark.parametrize(
    "bad",
    [{"kind": "policy"}, {"t": T, "kind": "policy", "strike": 3}, {"t": T, "kind": "policy", "strikes": 0}],
)
def test_a_line_that_is_not_understood(bare_app: Flask, bad: dict[str, Any]) -> None:
    ended = replay(bare_app, lines(READING, bad, READING))
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "line 2" in ended.stderr


def test_a_file_that_is_not_there(bare_app: Flask, tmp_path: Path) -> None:
    ended = bare_app.test_cli_runner().invoke(args=["uptime", "replay", str(tmp_path / "none")])
    assert (ended.exit_code, ended.stdout) == (2, "")


def test_the_guides_example_is_a_confirmed_incident_with_a_strike(bare_app: Flask) -> None:
    guide = (ROOT / "docs" / "uptime.md").read_text(encoding="utf-8")
    example = guide.partition("```json\n")[2].partition("```")[0]
    [incident] = json.loads(replay(bare_app, example).stdout)["phones"]["A1"]["incidents"]
    assert (incident["status"], len(incident["strikes"])) == ("confirmed", 1)
