"""What a check-in takes in, what it refuses, and that one bad entry spoils nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from agent import wire
from app.compliance.model import ComplianceVerdict
from app.fleet import checkin as checkin_module
from app.kernel.clock import FixedClock
from app.readings.model import ContactFailure, PhoneState, Sighting
from app.uptime.model import PhoneBoot
from tests.support.agents import FakeAgent, envelope, package, reading, with_sections
from tests.support.fleet import IMEIS, Enroller, Phones, seconds_before

Rows = Callable[..., list[Any]]


def _codes(answer: Any) -> list[tuple[str, int, str]]:
    assert answer.status_code == 200, answer.text
    return [(r["part"], r["index"], r["code"]) for r in answer.get_json()["rejected"]]


def test_a_reading_dates_itself_by_its_age(
    gateway: FakeAgent, clock: FixedClock, phones: Phones, rows: Rows
) -> None:
    answer = gateway.checkin(readings=[reading(age_s=30.5)], pack=True)
    told = answer.get_json()
    assert _codes(answer) == []
    assert told["accepted"] == 1
    (state,) = rows(PhoneState)
    assert (state.handset_id, state.at) == (phones["S1"], seconds_before(clock, 30.5))
    assert (state.received_at, str(state.agent_id)) == (clock.now(), gateway.agent_id)
    assert (state.boot_count, state.uptime_us, state.battery_percent) == (41, 1_000_000_000, 87)
    (boot,) = rows(PhoneBoot)
    assert str(boot.boot_id) == reading()["boot_id"]


def test_the_answer_carries_what_the_wire_says(app: Flask, gateway: FakeAgent) -> None:
    body = envelope()
    told = gateway.post(wire.CHECKIN_PATH, body).get_json()
    key = wire.b64(app.extensions["butler"].keys.secret("name-hmac"))
    assert told == {
        "batch": body["batch"], "interval_s": 60, "accepted": 0, "rejected": [], "want": [], "commands": [],
        "hmac_key": key,
    }  # fmt: skip


def test_an_undated_reading_proves_its_boot_alone(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    gateway.checkin(readings=[reading(age_s=None)])
    (state,) = rows(PhoneState)
    assert state.at is None
    assert state.boot_id is None
    assert len(rows(PhoneBoot)) == 1


def test_a_batch_that_comes_again_is_not_counted_again(
    gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    body = envelope(
        readings=[reading(), reading("nobody"), with_sections(reading("S2"))],
        results=[{"id": "x", "state": "succeeded", "age_s": 1, "detail": {}}],
    )
    body["readings"][2]["tags"] = {"packages": "0" * 32}
    first = gateway.post(wire.CHECKIN_PATH, body).get_json()
    assert first["want"] == [{"phone": "S2", "sections": ["packages"]}]
    second = gateway.post(wire.CHECKIN_PATH, body).get_json()
    assert second == first
    assert rows(Sighting)[0].times == 1


def test_each_bad_entry_is_answered_alone(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    power, no_tag = reading()["power"], "0" * 32
    cases: list[tuple[Any, str]] = [
        (reading(uptime_s=-1), "uptime_s"),
        (reading(uptime_s=1e12), "uptime_s"),
        (reading(uptime_s="5"), "uptime_s"),
        (reading(uptime_s=True), "uptime_s"),
        (reading(age_s=-0.001), "age_s"),
        (reading(age_s=1e9), "age_s"),
        (reading(boot_id="not-a-uuid"), "boot_id"),
        (reading(boot_count=-1), "boot_count"),
        (reading(boot_count=2**40), "boot_count"),
        (reading(phone=""), "phone"),
        (reading(phone="a\u0000"), "phone"),
        (reading(phone="x" * 65), "phone"),
        (reading(phone=7), "phone"),
        (reading(target="x\ny"), "target"),
        (reading(extra=1), "extra"),
        ({"phone": "S1"}, "age_s"),
        (None, "entry"),
        ([], "entry"),
        ("S1", "entry"),
        (reading(grade="human"), "grade"),
        (reading(grade=["self"]), "grade"),
        (reading(power={}), "power.airplane_mode"),
        (reading(power={**power, "charging": 1}), "power.charging"),
        (reading(power={**power, "battery_percent": 101}), "power.battery_percent"),
        (reading(tags={"apps": no_tag}), "tags"),
        (reading(tags={"sim": "xyz"}), "tags.sim"),
        (reading(tags={"sim": no_tag}, unread=[{"section": "sim", "reason": "no"}]), "tags.sim"),
        (reading(unread=[{"section": "sim"}]), "unread.0.reason"),
        (reading(sections={"sim": []}), "sections"),
        (reading(tags={"users": no_tag}, sections={"users": {}}), "sections.users"),
        (
            with_sections(reading(), packages=[package("a"), {**package("b"), "colour": 1}]),
            "sections.packages.1.colour",
        ),
        (with_sections(reading(), packages=[{"name": "a"}]), "sections.packages.0.user"),
        (with_sections(reading(), packages=[5]), "sections.packages.0"),
        (with_sections(reading(), identity={"serial": 5}), "sections.identity.serial"),
        (with_sections(reading(), identity={"imei": [5]}), "sections.identity.imei"),
    ]
    wrong, fields = [entry for entry, _ in cases], [field for _, field in cases]
    answer = gateway.checkin(readings=[reading("S1"), *wrong, reading("S2")])
    told = answer.get_json()
    assert _codes(answer) == [("readings", i + 1, "bad_entry") for i in range(len(wrong))]
    assert [r["detail"].partition(":")[0] for r in told["rejected"]] == fields
    assert told["accepted"] == 2
    assert {s.handset_id for s in rows(PhoneState) if s.at} == {phones["S1"], phones["S2"]}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_spoils_only_its_entry(gateway: FakeAgent, phones: Phones, value: float) -> None:
    inside = with_sections(reading(), storage={"data_total_bytes": 1, "data_free_bytes": 2})
    inside["sections"]["storage"]["data_free_bytes"] = value
    bad = [reading(uptime_s=value), reading(age_s=value), inside]
    answer = gateway.checkin(readings=[*bad, reading("S2")])
    assert _codes(answer) == [("readings", i, "bad_entry") for i in range(3)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schema": 2}, "schema"), ({"batch": "x"}, "batch"), ({"batch": None}, "batch"), ({"agent": None}, "agent"),
        ({"agent": {"version": "1", "spooled": -1, "targets": 0, "adb_server": None}}, "agent.spooled"),
        ({"agent": {"version": "1", "spooled": 0, "targets": 0}}, "agent.adb_server"),
        ({"agent": {"version": "1", "spooled": 0, "targets": 0, "adb_server": 1}}, "agent.adb_server"),
        ({"readings": {}}, "readings"), ({"readings": [None] * 501}, "readings"), ({"results": 5}, "results"),
        ({"unreached": "x"}, "unreached"), ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_a_bad_envelope_names_its_field(gateway: FakeAgent, change: dict[str, Any], field: str) -> None:
    answer = gateway.checkin(**change)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_body")
    assert answer.get_json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b'{"a":' * 5000 + b"NaN",
        b"\xff\xfe",
        b'{"schema":1',
    ],
)
def test_rubbish_is_told_so(gateway: FakeAgent, raw: bytes) -> None:
    answer = gateway.post(wire.CHECKIN_PATH, raw)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_body")


def test_phones_that_are_not_this_agents_to_tell_of(
    gateway: FakeAgent, client: Any, phones: Phones, rows: Rows
) -> None:
    client.post(f"/api/v1/handsets/{phones['S2']}/retire", json={"reason": "x"}, headers={"If-Match": '"v1"'})
    identity = {"serial": "nobody", "model": "M9", "imei": None}
    answer = gateway.checkin(
        readings=[
            reading("F1"), with_sections(reading("nobody"), identity=identity), reading("0123456789ABCDEF"),
            reading("S2"), reading("S1"),
        ]
    )  # fmt: skip
    assert [c for _, _, c in _codes(answer)] == [
        "foreign_phone", "unknown_phone", "placeholder_serial", "retired_phone",
    ]  # fmt: skip
    (seen,) = rows(Sighting)
    assert (seen.serial, seen.centre_id, orjson.loads(seen.identity)["model"]) == (
        "nobody",
        phones.centre,
        "M9",
    )
    assert [s.handset_id for s in rows(PhoneState)] == [phones["S1"]]
    (item,) = client.get("/api/v1/sightings").get_json()["items"]
    assert (item["serial"], item["identity"]["model"]) == ("nobody", "M9")


def test_an_identity_that_contradicts_the_registry(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    clone = with_sections(reading("S1"), identity={"serial": "S1", "imei": [IMEIS["S2"]]})
    assert _codes(gateway.checkin(readings=[clone, reading("S2")])) == [("readings", 0, "identity_mismatch")]
    # The gateway thinks that this tag is known now; the phone is still the wrong one.
    tag_only = {**clone, "sections": {}}
    answer = gateway.checkin(readings=[tag_only])
    assert _codes(answer) == [("readings", 0, "identity_mismatch")]
    assert answer.get_json()["want"] == [{"phone": "S1", "sections": ["identity"]}]
    assert [s.at for s in rows(PhoneState, PhoneState.handset_id == phones["S1"])] == [None]
    right = with_sections(reading("S1"), identity={"serial": "S1", "imei": [IMEIS["S1"], IMEIS["F1"]]})
    assert _codes(gateway.checkin(readings=[right])) == []
    other = with_sections(reading("S1"), identity={"serial": "S9", "imei": None})
    assert _codes(gateway.checkin(readings=[other])) == [("readings", 0, "identity_mismatch")]


def test_two_readings_of_a_phone_in_one_batch(
    gateway: FakeAgent, clock: FixedClock, phones: Phones, rows: Rows
) -> None:
    entries = [
        reading(age_s=5, uptime_s=995), reading(age_s=60, uptime_s=940), reading(age_s=3, uptime_s=7, boot=2),
    ]  # fmt: skip
    assert gateway.checkin(readings=entries).get_json()["accepted"] == 3
    (state,) = rows(PhoneState)
    assert (state.at, state.boot_count) == (seconds_before(clock, 3), 42)
    assert len(rows(PhoneBoot)) == 2


def test_targets_out_of_reach(gateway: FakeAgent, clock: FixedClock, phones: Phones, rows: Rows) -> None:
    def unreached(**changes: Any) -> dict[str, Any]:
        return {"target": "tcp:10.0.0.8:5555", "phone": "S1", "age_s": 2.0, "reason": "timeout"} | changes

    bad = [unreached(phone="F1", target="a"), unreached(reason="lazy"), unreached(age_s=-1), {}]
    answer = gateway.checkin(
        unreached=[
            unreached(),
            unreached(target="b", phone=None),
            unreached(target="c", phone="nobody"),
            *bad,
        ]
    )
    assert [c for _, _, c in _codes(answer)] == ["foreign_phone", "bad_entry", "bad_entry", "bad_entry"]
    failing = {f.target: f for f in rows(ContactFailure)}
    assert failing.keys() == {"tcp:10.0.0.8:5555", "b", "c"}
    first = failing["tcp:10.0.0.8:5555"]
    assert (first.handset_id, first.reason, first.times) == (phones["S1"], "timeout", 1)
    clock.move(60)
    gateway.checkin(unreached=[unreached()])
    (again,) = rows(ContactFailure, ContactFailure.target == "tcp:10.0.0.8:5555")
    assert (again.first_at, again.last_at, again.times) == (first.first_at, seconds_before(clock, 2), 2)
    gateway.checkin(readings=[reading(target="tcp:10.0.0.8:5555", age_s=1)])
    assert {f.target for f in rows(ContactFailure)} == {"b", "c"}


def test_an_agent_on_a_phone_speaks_for_that_phone_alone(
    enroller: Enroller, phones: Phones, rows: Rows
) -> None:
    agent = enroller.self_agent("S1")
    answer = agent.checkin(
        readings=[
            reading("S1", grade="self"), reading("S1"), reading("S2", grade="self"), reading("nobody", grade="self"),
        ],
        unreached=[{"target": "t", "phone": "S2", "age_s": 1, "reason": "timeout"}],
    )  # fmt: skip
    assert [c for _, _, c in _codes(answer)] == [
        "bad_entry",
        "foreign_phone",
        "foreign_phone",
        "foreign_phone",
    ]
    assert [s.grade for s in rows(PhoneState)] == ["self"]
    assert rows(Sighting) == []
    assert _codes(enroller.gateway().checkin(readings=[reading(grade="self")])) == [
        ("readings", 0, "bad_entry")
    ]


def test_verdicts_follow_what_was_read(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    users = [{"id": 0, "name": "机主", "running": True}]
    gateway.checkin(readings=[with_sections(reading(), packages=[package("com.tencent.mm")], users=users)])
    (verdict,) = rows(ComplianceVerdict)
    assert verdict.handset_id == phones["S1"]


def test_what_breaks_inside_costs_only_its_own_entry(
    gateway: FakeAgent, phones: Phones, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = checkin_module.absorb_readings

    def breaks_for_s1(session: Any, readings: Any) -> None:
        if any(r.handset_id == phones["S1"] for r in readings):
            raise ZeroDivisionError
        honest(session, readings)

    monkeypatch.setattr(checkin_module, "absorb_readings", breaks_for_s1)
    assert _codes(gateway.checkin(readings=[reading("S1"), reading("S2")])) == [("readings", 0, "not_taken")]
    assert [s.handset_id for s in rows(PhoneState)] == [phones["S2"]]


def test_a_verdict_that_breaks_leaves_the_reading(
    gateway: FakeAgent, phones: Phones, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr(checkin_module, "judge", breaks)
    assert _codes(gateway.checkin(readings=[reading("S1")])) == []
    assert rows(PhoneState)[0].at is not None


def test_a_batch_id_is_the_agents_own(gateway: FakeAgent, enroller: Enroller, phones: Phones) -> None:
    body = envelope(readings=[reading("nobody")])
    assert gateway.post(wire.CHECKIN_PATH, body).get_json()["rejected"]
    other = envelope(batch=body["batch"])
    assert enroller.gateway().post(wire.CHECKIN_PATH, other).get_json()["rejected"] == []
