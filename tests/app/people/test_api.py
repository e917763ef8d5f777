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
