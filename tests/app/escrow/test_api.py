"""The escrow for other programs: passwords go in and never come out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.escrow.model import RevealRequest
from tests.app.escrow.conftest import PIN
from tests.app.escrow.test_flow import NEW_PIN, events, rows_of
from tests.app.session.conftest import BASE

API = "/api/v1/escrow"
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def body(kit: Any, text: str = PIN, **more: Any) -> dict[str, Any]:
    lock = {"of": "handset", "subject_id": str(kit.phone), "kind": "screen_lock"}
    return {**lock, "text": text, "in_force": True, **more}


@pytest.fixture
def desk(kit: Any, org: Any, as_user: Any) -> Any:
    return as_user("operations", org.centre)


@pytest.fixture
def secret(kit: Any, desk: Any) -> str:
    answer = desk.post(f"{API}/secrets", json=body(kit))
    assert answer.status_code == 201, answer.text
    return f"{API}/secrets/{answer.json['id']}"


def signed_in_post(person: Any, path: str, json: Any) -> Any:
    headers = {"Origin": BASE, "Idempotency-Key": uuid.uuid4().hex}
    return person.client.post(path, json=json, headers=headers, base_url=BASE)


def test_file_renew_check(app: Flask, kit: Any, desk: Any, secret: str) -> None:
    filed = desk.get(secret).json
    assert (filed["filed"], filed["waiting"], filed["matched"], filed["tries_left"]) == (True, False, None, 3)
    assert desk.post(f"{secret}/confirm").status_code == 409, "nothing waits"
    assert desk.post(f"{API}/secrets", json=body(kit, NEW_PIN, in_force=False)).json["waiting"] is True
    assert desk.post(f"{secret}/check", json={"typed": NEW_PIN}).json == {"matched": False}
    assert desk.post(f"{secret}/drop").json["waiting"] is False
    assert desk.post(f"{API}/secrets", json=body(kit, NEW_PIN, in_force=False)).status_code == 201
    assert desk.post(f"{secret}/confirm").json["filed"] is True
    assert desk.post(f"{secret}/check", json={"typed": NEW_PIN}).json == {"matched": True}
    now = desk.get(secret).json
    assert (now["matched"], now["tries_left"]) == (True, 1)
    assert desk.post(f"{secret}/check", json={"typed": NEW_PIN}).status_code == 200
    assert desk.post(f"{secret}/check", json={"typed": NEW_PIN}).json["code"] == "too_often"


def test_a_lost_answer_is_sent_again(app: Flask, kit: Any, desk: Any) -> None:
    for _ in range(2):
        answer = desk.post(f"{API}/secrets", json=body(kit), headers={"Idempotency-Key": "once"})
        assert answer.status_code == 201
        assert PIN not in answer.text
    assert len(events(app, "escrow.file")) == 1


def test_the_list(kit: Any, desk: Any, secret: str) -> None:
    page = desk.get(f"{API}/secrets?of=handset").json
    assert [(s["subject_name"], s["label"], s["filed"]) for s in page["items"]] == [
        ("GJ-1", "锁屏密码", True)
    ]
    numbers = desk.get(f"{API}/secrets?of=number&limit=1").json
    assert [s["kind"] for s in numbers["items"]] == ["sim_pin", "service_password"]
    assert numbers["next_cursor"] is None
    assert desk.get(f"{API}/secrets?of=handset&q=nothing").json["items"] == []
    assert desk.get(f"{API}/secrets").status_code == 422


@ONE_DATABASE
@pytest.mark.parametrize(
    "change",
    [
        {"text": "111111"},
        {"text": ""},
        {"text": None},
        {"text": "9" * 300},
        {"kind": "sim_pin"},
        {"of": "nothing"},
        {"in_force": None},
        {"draw": True},
    ],
)
def test_what_is_not_filed(kit: Any, desk: Any, change: dict[str, Any]) -> None:
    answer = desk.post(f"{API}/secrets", json={**body(kit), **change})
    assert answer.status_code == 422
    assert PIN not in answer.text
    assert change.get("text") not in ("111111", "9" * 300) or change["text"] not in answer.text


def test_a_token_asks_and_a_person_decides(
    app: Flask, org: Any, kit: Any, desk: Any, secret: str, client: Any, at_desk: Any, as_user: Any
) -> None:
    """A program may ask for its owner; to approve, and to see, takes people who signed in themselves."""
    assert client.post(f"{secret}/reveal-requests", json={"reason": "试一试"}).json["code"] == "second_person"
    asked = desk.post(f"{secret}/reveal-requests", json={"reason": "手机打不开，要重置"})
    assert asked.status_code == 201, asked.text
    request = f"{API}/reveal-requests/{asked.json['id']}"
    program = as_user("lead", org.centre)
    for act in ("approve", "reject"):
        assert program.post(f"{request}/{act}", json={"note": ""}).json["code"] == "person_needed"
    lead = at_desk("lead")
    assert signed_in_post(lead, f"{request}/approve", {"note": "可以"}).json["state"] == "approved"
    assert desk.post(f"/escrow/reveals/{asked.json['id']}/open", data={"code": "1"}).status_code == 403
    assert program.post(f"{request}/withdraw").status_code == 403, "not his"
    assert signed_in_post(lead, f"{request}/reject", {"note": "还是不要"}).json["state"] == "rejected"
    again = desk.post(f"{secret}/reveal-requests", json={"reason": "再申请一次"}).json
    assert desk.post(f"{API}/reveal-requests/{again['id']}/withdraw").json["state"] == "withdrawn"
    page = desk.get(f"{API}/reveal-requests?limit=1").json
    assert [r["id"] for r in page["items"]] == [again["id"]]
    rest = desk.get(f"{API}/reveal-requests?limit=1&cursor={page['next_cursor']}").json
    assert [r["id"] for r in rest["items"]] == [asked.json["id"]]
    assert desk.get(f"{API}/reveal-requests?state=approved").json["items"] == []
    assert len(rows_of(app, select(RevealRequest.id))) == 2


@ONE_DATABASE
@pytest.mark.parametrize("role", ["admin", "operations", "lead", "it", "butler", "finance", "auditor"])
def test_roles_here_and_elsewhere(org: Any, kit: Any, as_user: Any, secret: str, role: str) -> None:
    may_file, may_see = role in ("admin", "operations", "lead", "it"), role not in ("butler", "finance")
    for centre in (org.centre, org.other_centre):
        here, caller = centre == org.centre, as_user(role, centre)
        wanted = 403 if not may_see else 200 if here else 404
        assert caller.get(secret).status_code == wanted
        listed = caller.get(f"{API}/secrets?of=handset")
        assert listed.status_code == (200 if may_see else 403)
        assert ("GJ-1" in listed.text) == (may_see and here)
        wanted = 403 if not may_file else 409 if here else 404
        for act in ("confirm", "drop"):
            assert caller.post(f"{secret}/{act}").status_code == wanted
        # A butler may call these two for the phone that he has himself, which this one is not.
        wanted = 403 if role in ("finance", "auditor") or (role == "butler" and here) else 404
        wanted = (200 if here else 404) if may_file else wanted
        assert caller.post(f"{secret}/check", json={"typed": "000000"}).status_code in (wanted, 429)
        wanted = (422 if here else 404) if may_file else wanted
        assert caller.post(f"{API}/secrets", json=body(kit, "111111")).status_code == wanted


def test_sealed(app: Flask, kit: Any, desk: Any, secret: str) -> None:
    app.extensions["butler"].vault.drop_root()
    assert desk.post(f"{secret}/check", json={"typed": PIN}).json["code"] == "escrow_sealed"
    assert desk.post(f"{API}/secrets", json=body(kit, NEW_PIN)).status_code == 503
    assert desk.get(secret).status_code == 200
