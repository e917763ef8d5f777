"""Verdicts over the API."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from app.kernel.db import begin_write, db
from app.registry import HandsetRef
from tests.app.compliance.sending import BAD, HOUR, WORK, Phones
from tests.app.conftest import START, Caller, Org
from tests.app.uptime.support import add_handset


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database here, `test_service` asks of both."""
    return sqlite_url


@pytest.fixture
def phone(app: Flask, org: Org) -> uuid.UUID:
    """A phone that was fine first and then carried a forbidden app; another that was read once."""
    ids = [add_handset(app, centre, f"S{i}") for i, centre in enumerate([org.centre, org.other_centre])]
    with app.app_context():
        phones = Phones(begin_write(db.session()), app.extensions["butler"].policies)
        first, second = (
            HandsetRef(i, c, "S1", (), False)
            for i, c in zip(ids, [org.centre, org.other_centre], strict=True)
        )
        phones.send(first, START, WORK)
        phones.send(first, START + HOUR, [*WORK, BAD])
        phones.send(second, START, WORK)
        db.session.commit()
        db.session.remove()
    return ids[0]


def test_a_phones_verdict(client: Caller, phone: uuid.UUID) -> None:
    body = client.get(f"/api/v1/handsets/{phone}/compliance").get_json()
    assert (body["status"], body["handset_id"]) == ("fail", str(phone))
    worst = body["findings"][0]
    assert (worst["code"], worst["subject"], worst["clause"]) == ("app_forbidden", BAD["name"], "R03")
    assert worst["zh"] == "安装了禁止的应用“抖音”（com.ss.android.ugc.aweme）"
    assert worst["en"] == "forbidden app 抖音 (com.ss.android.ugc.aweme) is installed"
    assert worst["first_seen"] == "2026-11-22T03:00:00.000000Z"
    assert worst["evidence"]["users"] == [0]
    assert len(body["policy_sha256"]) == 64


def test_lists_by_status_and_centre(client: Caller, phone: uuid.UUID, org: Org) -> None:
    def ids(**query: str) -> list[str]:
        items = client.get("/api/v1/compliance", query_string=query).get_json()["items"]
        return [item["handset_id"] for item in items]

    assert ids(status="fail") == [str(phone)]
    assert ids()[0] == str(phone)
    assert len(ids()) == 2
    assert ids(centre=str(org.other_centre), status="fail") == []
    assert len(ids(centre=str(org.other_centre))) == 1


def test_pages(client: Caller, phone: uuid.UUID) -> None:
    first = client.get("/api/v1/compliance?limit=1").get_json()
    second = client.get(
        "/api/v1/compliance", query_string={"limit": 1, "cursor": first["next_cursor"]}
    ).get_json()
    assert first["items"][0]["handset_id"] != second["items"][0]["handset_id"]
    assert second["next_cursor"] is None


def test_history(client: Caller, phone: uuid.UUID) -> None:
    items = client.get(f"/api/v1/handsets/{phone}/compliance/history").get_json()["items"]
    assert [item["status"] for item in items] == ["fail", "unknown"]


@pytest.mark.parametrize("query", [{"status": "bad"}, {"centre": "x"}, {"state": "fail"}])
def test_bad_queries(client: Caller, phone: uuid.UUID, query: dict[str, str]) -> None:
    assert client.get("/api/v1/compliance", query_string=query).status_code == 422


def test_what_is_not_there_and_who_may_not(client: Caller, anonymous: Caller, phone: uuid.UUID) -> None:
    nobody = uuid.uuid4()
    assert client.get(f"/api/v1/handsets/{nobody}/compliance").status_code == 404
    assert client.get(f"/api/v1/handsets/{nobody}/compliance/history").status_code == 404
    caller = Caller(anonymous.application, anonymous.response_wrapper)
    assert caller.get("/api/v1/compliance").status_code == 401
