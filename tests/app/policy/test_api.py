"""Policies over the API."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask

from tests.app.conftest import Caller, Org


@pytest.fixture
def place(org: Org) -> str:
    return f"/api/v1/policies/uptime/layers/centre/{org.centre}"


def put(client: Caller, place: str, body: dict[str, Any], version: str | None = '"v0"') -> Any:
    headers = {"If-Match": version} if version else {}
    return client.put(place, json={"body": body, "reason": "试行"}, headers=headers)


def test_subjects(client: Caller) -> None:
    items = client.get("/api/v1/policies").get_json()["items"]
    assert {"allowlist", "uptime"} <= {item["subject"] for item in items}


def test_a_layer_and_what_holds_with_it(client: Caller, org: Org, place: str) -> None:
    plain = client.get("/api/v1/policies/uptime").get_json()
    assert client.get(place).status_code == 404
    answer = put(client, place, {"fresh_minutes": 30})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"v1"')
    here = client.get(f"/api/v1/policies/uptime?centre={org.centre}").get_json()
    there = client.get(f"/api/v1/policies/uptime?centre={org.other_centre}").get_json()
    assert here["body"] == plain["body"] | {"fresh_minutes": 30}
    assert there == plain
    assert here["sha256"] != plain["sha256"]
    layer = client.get(place)
    assert (layer.get_json()["body"], layer.headers["ETag"]) == ({"fresh_minutes": 30}, '"v1"')
    assert put(client, place, {}, '"v1"').headers["ETag"] == '"v2"'
    assert client.get(f"/api/v1/policies/uptime?centre={org.centre}").get_json() == plain
    versions = client.get(f"{place}/versions").get_json()["items"]
    assert [(v["version"], v["body"]) for v in versions] == [(2, {}), (1, {"fresh_minutes": 30})]


def test_stale_and_blind_writes(client: Caller, place: str) -> None:
    assert put(client, place, {"fresh_minutes": 30}, None).status_code == 428
    assert put(client, place, {"fresh_minutes": 30}, '"v1"').status_code == 412
    put(client, place, {"fresh_minutes": 30})
    assert put(client, place, {"fresh_minutes": 40}).status_code == 412


def test_what_is_no_policy_says_where(client: Caller, place: str) -> None:
    answer = put(client, place, {"fresh_minutes": 0})
    assert answer.status_code == 422
    assert "fresh_minutes" in answer.get_json()["errors"][0]["message"]


@pytest.mark.parametrize("more", [{"reason": ""}, {"body": []}, {"extra": 1}])
def test_bad_bodies(client: Caller, place: str, more: dict[str, Any]) -> None:
    body = {"body": {}, "reason": "试行"} | more
    assert client.put(place, json=body, headers={"If-Match": '"v0"'}).status_code == 422


def test_what_is_not_there(client: Caller, org: Org) -> None:
    assert client.get("/api/v1/policies/weather").status_code == 404
    assert client.get(f"/api/v1/policies/uptime?centre={uuid.uuid4()}").status_code == 404
    assert client.get(f"/api/v1/policies/uptime/layers/planet/{org.centre}").status_code == 404
    assert client.get(f"/api/v1/policies/weather/layers/centre/{org.centre}").status_code == 404


def test_strangers_are_turned_away(anonymous: Caller, place: str, app: Flask) -> None:
    for path in ("/api/v1/policies", "/api/v1/policies/uptime", place, f"{place}/versions"):
        assert anonymous.get(path).status_code == 401
    assert put(anonymous, place, {}).status_code == 401
