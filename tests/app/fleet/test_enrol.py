"""A code admits one agent, once, for a limited time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from agent import wire
from app.audit.model import AuditRow
from app.fleet.model import Agent, EnrolmentToken
from app.kernel.clock import FixedClock
from tests.support.agents import FakeAgent
from tests.support.fleet import Enroller, Phones

Rows = Callable[..., list[Any]]


def test_an_agent_enrols_and_learns_the_command_key(enroller: Enroller, app: Flask, rows: Rows) -> None:
    agent = enroller.agent()
    answer = agent.enrol(enroller.code(name="岗亭"))
    assert answer.status_code == 201, answer.text
    keys = app.extensions["butler"].keys
    assert answer.get_json() == {
        "agent_id": agent.agent_id,
        "command_key": wire.b64(keys.public_key("agent-reads")),
        "interval_s": 60,
    }
    (row,) = rows(Agent)
    assert (str(row.id), row.name, row.kind, row.handset_id) == (agent.agent_id, "岗亭", "gateway", None)
    assert row.ed25519 == agent.key.public_key().public_bytes_raw()
    assert [r.action for r in rows(AuditRow)][-2:] == ["agent.code", "agent.enrol"]


def test_the_token_is_nowhere_in_the_database(enroller: Enroller, rows: Rows) -> None:
    token = enroller.code()
    (row,) = rows(EnrolmentToken)
    kept = [repr(value) for value in vars(row).values()]
    kept += [repr(vars(event)) for event in rows(AuditRow)]
    assert not [text for text in kept if token in text]


def test_a_lost_answer_is_given_again(enroller: Enroller, rows: Rows) -> None:
    agent, token = enroller.agent(), enroller.code()
    first = agent.enrol(token)
    assert agent.enrol(token).get_json() == first.get_json()
    assert len(rows(Agent)) == 1


def test_another_key_cannot_use_the_token_again(enroller: Enroller, rows: Rows) -> None:
    token = enroller.code()
    enroller.agent().enrol(token)
    answer = enroller.agent().enrol(token)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "bad_token")
    assert len(rows(Agent)) == 1


def test_a_token_ends_with_its_hour(enroller: Enroller, clock: FixedClock) -> None:
    late, early = enroller.code(hours=1), enroller.code(hours=2)
    clock.move(3600)
    assert enroller.agent().enrol(late).get_json()["code"] == "bad_token"
    assert enroller.agent().enrol(early).status_code == 201


def test_an_invented_token_is_refused(enroller: Enroller) -> None:
    assert enroller.agent().enrol("x" * 32).get_json()["code"] == "bad_token"


def test_a_key_enrols_once(enroller: Enroller) -> None:
    agent = enroller.agent()
    agent.enrol(enroller.code())
    assert agent.enrol(enroller.code()).get_json()["code"] == "key_known"


def test_a_phones_token_admits_only_an_agent_on_that_phone(
    enroller: Enroller, phones: Phones, rows: Rows
) -> None:
    token = enroller.code(handset_id=phones["S1"])
    assert enroller.agent().enrol(token).get_json()["code"] == "bad_token"
    assert enroller.agent().enrol(token, kind="self").status_code == 201
    assert rows(Agent)[0].handset_id == phones["S1"]
    assert enroller.agent().enrol(enroller.code(), kind="self").get_json()["code"] == "bad_token"


def test_who_sends_a_key_must_hold_it(enroller: Enroller) -> None:
    agent = enroller.agent()
    stolen = wire.b64(enroller.agent().key.public_key().public_bytes_raw())
    answer = agent.enrol(enroller.code(), ed25519=stolen)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "bad_signature")


def test_a_wrong_clock_is_told_the_servers_time(enroller: Enroller, clock: FixedClock) -> None:
    agent = enroller.agent()
    agent.now = lambda: clock.now() + dt.timedelta(minutes=10)
    problem = agent.enrol(enroller.code()).get_json()
    assert problem["code"] == "clock_skew"
    assert dt.datetime.fromisoformat(problem["server_time"]) == clock.now()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schema": 2}, "schema"),
        ({"schema": True}, "schema"),
        ({"token": 5}, "token"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": ""}, "name"),
        ({"x25519": "AAAA"}, "x25519"),
        ({"ed25519": [1]}, "ed25519"),
        ({"kind": "server"}, "kind"),
        ({"kind": ["self"]}, "kind"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_body_names_its_field(enroller: Enroller, changes: dict[str, Any], field: str) -> None:
    answer = enroller.agent().enrol(**{"token": "x", **changes})
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["code"] == "bad_body"
    assert [e["field"] for e in answer.get_json()["errors"]] == [field]


def test_a_revoked_agent_is_refused_everywhere(
    enroller: Enroller, gateway: FakeAgent, client: Any, rows: Rows
) -> None:
    path = f"/api/v1/agents/{gateway.agent_id}/revoke"
    assert client.post(path, json={"reason": "丢失"}).status_code == 200
    assert client.post(path, json={"reason": "丢失"}).get_json()["code"] == "already_revoked"
    answer = gateway.checkin()
    assert (answer.status_code, answer.get_json()["code"]) == (403, "agent_revoked")
    assert rows(AuditRow)[-1].action == "agent.revoke"


def test_a_revoked_agents_token_brings_it_not_back(enroller: Enroller, client: Any) -> None:
    agent, token = enroller.agent(), enroller.code()
    agent.enrol(token)
    client.post(f"/api/v1/agents/{agent.agent_id}/revoke", json={"reason": "x"})
    assert agent.enrol(token).get_json()["code"] == "agent_revoked"


def test_codes_by_api_are_shown_once(client: Any, phones: Phones, enroller: Enroller, rows: Rows) -> None:
    body = {"centre_id": str(phones.centre), "name": "岗亭"}
    again = {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/enrolment-codes", json=body, headers=again)
    assert first.status_code == 201, first.text
    code = wire.EnrolmentCode.parse(first.get_json()["code"])
    second = client.post("/api/v1/enrolment-codes", json=body, headers=again)
    assert (second.status_code, second.get_json()["code"]) == (409, "shown_once")
    assert len(rows(EnrolmentToken)) == 1
    agent = enroller.agent()
    assert agent.enrol(code.token).status_code == 201
    assert wire.key_fingerprint(agent.command_key.public_bytes_raw()) == code.key_sha256  # type: ignore[union-attr]
    from app.kernel.idempotency import IdempotencyRecord

    assert not [r for r in rows(IdempotencyRecord) if code.token.encode() in (r.body or b"")]


def test_codes_for_a_foreign_phone_or_centre_are_refused(client: Any, phones: Phones) -> None:
    wrong = {"centre_id": str(phones.centre), "handset_id": str(phones["F1"])}
    assert client.post("/api/v1/enrolment-codes", json=wrong).get_json()["errors"][0]["field"] == "handset_id"
    nowhere = {"centre_id": str(uuid.uuid4())}
    assert client.post("/api/v1/enrolment-codes", json=nowhere).status_code == 404


def test_agents_are_listed_with_their_last_words(client: Any, gateway: FakeAgent, clock: FixedClock) -> None:
    gateway.checkin(agent={"version": "0.2.0", "spooled": 7, "targets": 8, "adb_server": False})
    (item,) = client.get("/api/v1/agents").get_json()["items"]
    assert (item["id"], item["version"], item["spooled"], item["targets"]) == (
        gateway.agent_id,
        "0.2.0",
        7,
        8,
    )
    assert dt.datetime.fromisoformat(item["last_checkin_at"]) == clock.now()
    assert client.get("/api/v1/agents?revoked=true").get_json()["items"] == []
    assert client.get(f"/api/v1/agents/{uuid.uuid4()}").status_code == 404


def test_the_command_prints_the_code_alone(app: Flask, enroller: Enroller, phones: Phones) -> None:
    run = app.test_cli_runner().invoke
    done = run(args=["agents", "enrol-code", "--centre", "C1", "--url", "http://127.0.0.1:8123"])
    assert done.exit_code == 0, done.output
    code = wire.EnrolmentCode.parse(done.stdout)
    assert code.url == "http://127.0.0.1:8123"
    assert enroller.agent().enrol(code.token).status_code == 201
    phone = run(
        args=["agents", "enrol-code", "--centre", "C1", "--phone", "GJ-0000", "--url", "https://x.cn"]
    )
    assert (
        enroller.agent().enrol(wire.EnrolmentCode.parse(phone.stdout).token, kind="self").status_code == 201
    )


@pytest.mark.parametrize(
    "args",
    [
        ["--centre", "C9", "--url", "https://x.cn"],
        ["--centre", "C1"],
        ["--centre", "C1", "--url", "http://server.example.cn"],
        ["--centre", "C1", "--url", "ftp://x.cn"],
        ["--centre", "C1", "--url", "https://x.cn", "--phone", "nobody"],
        ["--centre", "C2", "--url", "https://x.cn", "--phone", "GJ-0000"],
    ],
)
def test_the_command_says_what_is_wrong(app: Flask, phones: Phones, args: list[str]) -> None:
    done = app.test_cli_runner().invoke(args=["agents", "enrol-code", *args])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_sightings_and_codes_need_a_sign_in(anonymous: Any, phones: Phones) -> None:
    for path in ("/api/v1/agents", "/api/v1/sightings", "/api/v1/commands"):
        assert anonymous.get(path).status_code == 401
    assert anonymous.post("/api/v1/enrolment-codes", json={}).status_code == 401
