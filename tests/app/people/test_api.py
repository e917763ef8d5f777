"""Users over the JSON API."""

from __future__ import annotations

import uuid


def test_a_user_is_made_given_a_role_and_ended(client, org, clock):
    made = client.post(
        "/api/v1/users", json={"login": "wang", "name": "王小明", "employee_id": str(org.zhang)}
    )
    assert made.status_code == 201
    user_id = made.json["user_id"]
    assert len(made.json["password"]) == 14
    grant = client.post(
        f"/api/v1/users/{user_id}/grants", json={"role": "lead", "centre_id": str(org.centre)}
    )
    assert grant.status_code == 201
    (listed,) = client.get(f"/api/v1/users?q=WAN&role=lead&centre={org.centre}").json["items"]
    assert (listed["name"], listed["has_second_factor"], listed["must_change_password"]) == (
        "王小明",
        False,
        True,
    )
    assert [g["role"] for g in listed["grants"]] == ["lead"]
    clock.move(60)
    ended = client.post(f"/api/v1/role-grants/{grant.json['id']}/end")
    assert ended.json["valid_to"] is not None
    assert client.get(f"/api/v1/users/{user_id}").json["grants"] == []
    assert client.post(f"/api/v1/users/{user_id}/deactivate").json["active"] is False
    assert client.get("/api/v1/users").json["items"] == []
    assert client.post(f"/api/v1/users/{user_id}/activate").json["active"] is True


def test_what_is_wrong_is_told(client, org):
    for body in (
        {},
        {"login": "x", "name": "x"},
        {"login": "a b", "name": "x"},
        {"login": "ok", "name": "x", "y": 1},
    ):
        assert client.post("/api/v1/users", json=body).status_code == 422
    gone = uuid.uuid4()
    assert client.get(f"/api/v1/users/{gone}").status_code == 404
    grant = {"role": "lead", "centre_id": None}
    assert client.post(f"/api/v1/users/{gone}/grants", json=grant).status_code == 404
    assert client.post(f"/api/v1/role-grants/{gone}/end").status_code == 404


def test_everybody_can_ask_who_he_is(client, org, as_user):
    butler = as_user("butler", org.centre, employee=org.zhang, name="张三")
    assert butler.get("/api/v1/me").json == {
        "user": str(butler.user_id), "name": "张三", "employee_id": str(org.zhang), "roles": ["butler"],
        "centres": [str(org.centre)],
    }  # fmt: skip
    assert client.get("/api/v1/me").json["centres"] is None


def a_user(client, login):
    return client.post("/api/v1/users", json={"login": login, "name": login}).json["user_id"]


def test_a_deputy_is_sent_and_ended(client, org, clock):
    wang, zhao = a_user(client, "wang"), a_user(client, "zhao")
    stand_in = {
        "deputy_id": zhao,
        "role": "lead",
        "centre_id": str(org.centre),
        "valid_from": "2026-11-22T02:00:00Z",
    }
    path = f"/api/v1/users/{wang}/deputies"
    for wrong in ("2026-11-22T01:00:00Z", "2036-11-22T01:00:00Z", "soon"):
        assert client.post(path, json={**stand_in, "valid_to": wrong}).status_code == 422
    own = {**stand_in, "deputy_id": wang, "valid_to": "2026-12-01T00:00:00Z"}
    assert client.post(path, json=own).status_code == 422
    made = client.post(path, json={**stand_in, "valid_to": "2026-12-01T00:00:00Z"})
    assert (made.status_code, made.json["created_by"]) == (201, "access-token")
    for user in (wang, zhao):
        assert [d["id"] for d in client.get(f"/api/v1/users/{user}/deputies").json["items"]] == [
            made.json["id"]
        ]
    clock.move(60)
    assert (
        client.post(f"/api/v1/deputies/{made.json['id']}/end").json["valid_to"].startswith("2026-11-22T02:01")
    )
    assert client.post(f"/api/v1/deputies/{made.json['id']}/end").status_code == 404


def test_a_password_and_an_authenticator_are_reset(client, org, as_user):
    who = as_user("lead", org.centre)
    path = f"/api/v1/users/{who.user_id}"
    assert who.get("/api/v1/me").status_code == 200
    key = {"Idempotency-Key": "reset-once"}
    first = client.post(f"{path}/reset-password", headers=key)
    assert (first.status_code, len(first.json["password"])) == (200, 14)
    again = client.post(f"{path}/reset-password", headers=key)
    assert (again.status_code, again.json["code"]) == (409, "shown_once")
    assert client.post(f"{path}/reset-factor").json["has_second_factor"] is False
    assert who.get("/api/v1/me").status_code == 401, "his tokens end"
    gone = uuid.uuid4()
    for act in ("reset-password", "reset-factor"):
        assert client.post(f"/api/v1/users/{gone}/{act}").status_code == 404
        assert as_user("operations", org.centre).post(f"{path}/{act}").status_code == 403
    assert client.get(f"/api/v1/users/{gone}/deputies").status_code == 404
