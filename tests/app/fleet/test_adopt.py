"""A phone in the hand becomes a registered one, once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from agent import wire
from app.audit.model import AuditRow
from app.kernel.clock import FixedClock
from app.readings.model import PhoneState, Sighting
from app.registry import Handset
from tests.support.agents import FakeAgent, reading
from tests.support.fleet import IMEIS, Enroller, Phones

Rows = Callable[..., list[Any]]


def _adoption(**changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "request": str(uuid.uuid4()),
        "target": "server:NEW00001",
        "identity": {
            "serial": "NEW00001",
            "model": "Redmi Note 12",
            "brand": "Redmi",
            "manufacturer": "Xiaomi",
        },
        "asset_tag": "GJ-9001",
        "imei": [IMEIS["S2"]],
        "way_back": "usb_dock",
        "adb_allowed_connection_time": 0,
    } | changes


def _post(agent: FakeAgent, **changes: Any) -> Any:
    return agent.post(wire.ADOPT_PATH, _adoption(**changes))


def test_a_new_phone_is_registered_and_no_sighting_any_more(
    gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    gateway.checkin(readings=[reading("NEW00001")])
    assert len(rows(Sighting)) == 1
    answer = _post(gateway)
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    (row,) = rows(Handset, Handset.serial == "NEW00001")
    assert told == {
        "handset_id": str(row.id), "asset_tag": "GJ-9001", "status": "created", "label_url": None,
    }  # fmt: skip
    assert (row.centre_id, row.brand, row.way_back) == (phones.centre, "Redmi", "usb_dock")
    assert rows(Sighting) == []
    assert rows(AuditRow)[-1].actor == f"agent:{gateway.agent_id}"
    assert gateway.checkin(readings=[reading("NEW00001")]).get_json()["accepted"] == 1
    assert [s.handset_id for s in rows(PhoneState)] == [row.id]


def test_the_same_request_has_the_same_answer(gateway: FakeAgent, rows: Rows) -> None:
    body = _adoption()
    first = gateway.post(wire.ADOPT_PATH, body).get_json()
    assert gateway.post(wire.ADOPT_PATH, body).get_json() == first
    assert _post(gateway).get_json() == {**first, "status": "known"}
    assert len(rows(Handset, Handset.serial == "NEW00001")) == 1


def test_other_data_is_a_conflict_that_names_the_fields(gateway: FakeAgent) -> None:
    _post(gateway)
    answer = _post(gateway, asset_tag="GJ-9002")
    assert answer.status_code == 409
    assert [e["field"] for e in answer.get_json()["errors"]] == ["asset_tag"]
    taken = _post(gateway, identity={"serial": "NEW00002", "brand": "x", "model": "y"}, imei=[IMEIS["S1"]])
    assert taken.status_code == 409


def test_a_label_leads_to_the_public_address(
    make_app: Callable[..., Flask], database_url: str, enroller: Enroller, clock: FixedClock
) -> None:
    gateway = enroller.gateway()
    public = make_app(database_url, PUBLIC_URL="http://127.0.0.1:8000")
    told = FakeAgent(public, clock.now, key=gateway.key, agent_id=gateway.agent_id).post(
        wire.ADOPT_PATH, _adoption()
    )
    assert told.get_json()["label_url"] == f"http://127.0.0.1:8000/phones/{told.get_json()['handset_id']}"


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"imei": ["490154203237519"]}, 422, "imei1"),
        ({"identity": {"serial": "0123456789ABCDEF"}}, 422, "serial"),
        ({"identity": {"model": "x"}}, 400, "identity.serial"),
        ({"identity": {"serial": "NEW1", "colour": "red"}}, 400, "identity.colour"),
        ({"imei": "490154203237518"}, 400, "imei"),
        ({"imei": [IMEIS["S2"]] * 3}, 400, "imei"),
        ({"way_back": "magic"}, 400, "way_back"),
        ({"adb_allowed_connection_time": -1}, 400, "adb_allowed_connection_time"),
        ({"request": "1"}, 400, "request"),
        ({"asset_tag": None}, 400, "asset_tag"),
    ],
)
def test_what_is_wrong_is_named(gateway: FakeAgent, changes: dict[str, Any], status: int, field: str) -> None:
    answer = _post(gateway, **changes)
    assert answer.status_code == status, answer.text
    assert [e["field"] for e in answer.get_json()["errors"]] == [field]


def test_an_agent_on_a_phone_adopts_no_other(enroller: Enroller) -> None:
    answer = _post(enroller.self_agent("S1"))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "foreign_phone")


def test_a_nonce_counts_for_adoptions_too(gateway: FakeAgent) -> None:
    assert gateway.post(wire.ADOPT_PATH, _adoption(), nonce="a").status_code == 201
    assert gateway.post(wire.ADOPT_PATH, _adoption(), nonce="a").get_json()["code"] == "replayed"


def test_a_batch_id_is_no_adoptions_id(gateway: FakeAgent) -> None:
    body = _adoption()
    gateway.checkin(batch=body["request"])
    assert gateway.post(wire.ADOPT_PATH, body).get_json()["code"] == "bad_body"
