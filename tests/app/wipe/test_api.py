"""The chain as programs and people at browsers see it: who may what, typed words, the authenticator."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.wipe import asking
from tests.app.session.conftest import BASE, Person, person
from tests.app.wipe.wipe_world import SIX, TAG, World

API = "/api/v1/wipes"
TYPED = {"typed_tag": TAG, "typed_imei6": SIX}
_ = person


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is told by the service's tests on both kinds of database."""
    return sqlite_url


def post(who: Person, path: str, **body: Any) -> Any:
    headers = {"Origin": BASE, "Idempotency-Key": uuid.uuid4().hex}
    return who.client.post(path, json=body, headers=headers, base_url=BASE)


def draft(**changes: Any) -> dict[str, Any]:
    yes = {item: {"answer": "yes"} for item in ("accounts", "frp", "sd", "sim", "esim", "backup", "label")}
    return {
        "strategy": "test_harness",
        "reason": "合约到期",
        "destination": "storage",
        "checklist": yes,
    } | changes


def test_through_the_api(world: World, as_user: Any, org: Any, person: Any) -> None:
    it = as_user("it", org.centre)
    made = it.post(API, json={"handset_id": str(world.phones["S1"])})
    assert made.status_code == 201, made.text
    path = f"{API}/{made.json['id']}"
    world.id = uuid.UUID(made.json["id"])
    told = it.get(path)
    assert [b["code"] for b in told.json["blockers"]] == ["checklist"]
    assert "没有任何变化" in told.json["known"]
    assert it.put(path, json=draft()).status_code == 428
    filled = it.put(path, json=draft(), headers={"If-Match": told.headers["ETag"]})
    assert filled.status_code == 200, filled.text
    assert it.put(path, json=draft(), headers={"If-Match": told.headers["ETag"]}).status_code == 412
    assert it.post(f"{path}/request", json=TYPED).json["state"] == "requested"
    assert it.post(f"{path}/approval", json={"code": "1"}).status_code == 403

    lead = person("lead", login="chief")
    lead.sign_in()
    lead.enrol()
    lead.clock.move(31)
    wrong = post(lead, f"{path}/approval", code="000000")
    assert (wrong.status_code, wrong.json["code"]) == (422, "bad_code")
    right = lead.code()
    answer = post(lead, f"{path}/approval", code=right)
    assert (answer.status_code, answer.json["state"]) == (200, "approved"), answer.text
    assert answer.json["approved_by"] == str(lead.user_id)
    assert post(lead, f"{path}/approval", code=right).json["code"] == "bad_code", "good once"
    world.arm()
    world.read_phone()
    typed_wrong = it.post(f"{path}/release", json={**TYPED, "typed_imei6": "000000"})
    assert (typed_wrong.status_code, typed_wrong.json["code"]) == (422, "typed_wrong")
    assert it.post(f"{path}/release", json=TYPED).json["state"] == "queued"
    assert it.post(f"{path}/recall", json={}).json["state"] == "armed"
    assert it.post(f"{path}/guided", json=TYPED).json["state"] == "delivered"
    assert it.post(f"{path}/report", json={"done": True}).json["state"] == "acknowledged"
    cancelled = it.post(f"{path}/cancellation", json={"reason": "x"})
    assert (cancelled.status_code, cancelled.json["code"]) == (409, "wipe_state")
    assert [row["id"] for row in it.get(f"{API}?state=acknowledged&words=gj-0000").json["items"]] == [
        str(world.id)
    ]
    assert it.get(f"{API}?state=draft").json["items"] == []
    assert [s["step"] for s in it.get(path).json["steps"]].count("typed_wrong") == 1


def test_a_lead_without_an_authenticator_approves_nothing(world: World, person: Any) -> None:
    world.to("requested")
    lead = person("lead", login="chief")
    lead.sign_in()
    if not lead.inside():
        return  # policy lets no lead in without one: then there is nothing to try
    answer = post(lead, f"{API}/{world.id}/approval", code="123456")
    assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")
    assert world.state == "requested"


def test_a_token_approves_nothing(world: World, as_user: Any, org: Any, client: Any) -> None:
    world.to("requested")
    for caller in (as_user("lead", org.centre), client):
        answer = caller.post(f"{API}/{world.id}/approval", json={"code": "123456"})
        assert (answer.status_code, answer.json["code"]) == (403, "person_needed")
    assert world.state == "requested"


def test_wrong_words_count_though_they_are_refused(world: World, as_user: Any, org: Any) -> None:
    world.to("draft")
    it = as_user("it", org.centre)
    path = f"{API}/{world.id}/request"
    codes = [it.post(path, json={**TYPED, "typed_tag": f"GJ-9{n}"}).json["code"] for n in range(5)]
    assert codes == ["typed_wrong"] * 5
    refused = it.post(path, json=TYPED)
    assert (refused.status_code, refused.json["code"]) == (429, "too_often"), "also with the right ones"
    assert world.trail().count("typed_wrong") == 5
    world.clock.move(3601)
    assert it.post(path, json=TYPED).status_code == 200


@pytest.mark.parametrize("role", ["butler", "finance", "calldesk", "auditor"])
def test_others_see_or_do_nothing(world: World, as_user: Any, org: Any, role: str) -> None:
    world.to("draft")
    caller = as_user(role, org.centre)
    assert caller.get(f"{API}/{world.id}").status_code == (200 if role == "auditor" else 403)
    acts = (
        "request",
        "approval",
        "refusal",
        "withdrawal",
        "cancellation",
        "release",
        "recall",
        "retry",
        "guided",
    )
    for act in acts:
        assert caller.post(f"{API}/{world.id}/{act}", json={}).status_code == 403, act


def test_another_centre_sees_nothing(world: World, as_user: Any, org: Any) -> None:
    world.to("requested")
    for role in ("it", "lead"):
        caller = as_user(role, org.other_centre)
        assert caller.get(f"{API}/{world.id}").status_code == 404
        assert caller.get(API).json["items"] == []
        assert caller.post(f"{API}/{world.id}/cancellation", json={"reason": "x"}).status_code == 404
    from app.kernel.tenancy import Principal

    stranger = Principal("u-far", frozenset({"lead"}), frozenset({org.other_centre}))
    assert world.refused(asking.approve, stranger) == "not_found"


def test_every_refusal_is_named(world: World, as_user: Any, org: Any) -> None:
    world.to("draft")
    world.fill(checklist={})
    it = as_user("it", org.centre)
    answer = it.post(f"{API}/{world.id}/request", json=TYPED)
    assert (answer.status_code, answer.json["code"]) == (409, "blocked")
    assert [error["field"] for error in answer.json["errors"]] == ["checklist"]
