"""Dated ties: who held what when; overlaps refused, also between two writers at once."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from flask import Flask

from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import holder_of, holders_of
from app.registry.catalogue import KIT_ASSIGNMENTS, POST_HOLDINGS
from app.registry.tie_service import tie
from tests.app.registry.test_api import create, fields_of, handset

DAY = dt.timedelta(days=1)


def at(text: str) -> str:
    return f"{text}T00:00:00+08:00"


def kit(client: Any, org: Any, **changes: Any) -> Any:
    body = {"post_id": str(org.post), "valid_from": at("2026-05-01"), **changes}
    return client.post("/api/v1/kit-assignments", json=body)


def held(client: Any, employee: uuid.UUID, org: Any, since: str, until: str | None = None) -> Any:
    body = {"post_id": str(org.post), "employee_id": str(employee), "valid_from": at(since)}
    if until:
        body["valid_to"] = at(until)
    return client.post("/api/v1/post-holdings", json=body)


def test_who_held_this_phone_on_3_may(client: Any, org: Any) -> None:
    phone = create(client, "handsets", **handset(org))["id"]
    assert kit(client, org, handset_id=phone, valid_to=at("2026-06-01")).status_code == 201
    assert held(client, org.zhang, org, "2026-04-01", "2026-05-03").status_code == 201
    assert held(client, org.li, org, "2026-05-10").status_code == 201

    def who(instant: str) -> Any:
        answer = client.get(f"/api/v1/handsets/{phone}/custody?at={instant.replace('+', '%2B')}")
        assert answer.status_code == 200, answer.json
        custody = answer.json["custody"]
        return custody and (custody["post_code"], custody["employee_name"])

    assert who("2026-04-30T15:59:59.999999Z") is None
    assert who("2026-04-30T16:00:00Z") == ("P1", "张三")
    assert who("2026-05-02T23:59:59+08:00") == ("P1", "张三")
    assert who("2026-05-03T00:00:00+08:00") == ("P1", None)
    assert who("2026-05-20T00:00:00+08:00") == ("P1", "李四")
    assert who("2026-06-01T00:00:00+08:00") is None
    history = client.get(f"/api/v1/handsets/{phone}/custody/history").json["items"]
    spans = [(h["employee_number"], h["since"][:13], (h["until"] or "")[:13]) for h in history]
    assert spans == [
        ("E001", "2026-04-30T16", "2026-05-02T16"),
        (None, "2026-05-02T16", "2026-05-09T16"),
        ("E002", "2026-05-09T16", "2026-05-31T16"),
    ]
    assert client.get(f"/api/v1/handsets/{phone}/custody?at=2026-05-03").status_code == 422


def test_a_phone_without_holder_has_a_history_too(client: Any, org: Any) -> None:
    phone = create(client, "handsets", **handset(org))["id"]
    kit(client, org, handset_id=phone)
    held(client, org.zhang, org, "2026-01-01", "2026-02-01")
    (only,) = client.get(f"/api/v1/handsets/{phone}/custody/history").json["items"]
    assert (only["employee_id"], only["until"]) == (None, None)


def test_custody_of_a_foreign_centre_is_not_told(client: Any, org: Any, app: Flask) -> None:
    phone = uuid.UUID(create(client, "handsets", **handset(org))["id"])
    kit(client, org, handset_id=str(phone))
    instant = dt.datetime(2026, 5, 3, tzinfo=dt.UTC)
    stranger = Principal("x", frozenset({"lead"}), frozenset({org.other_centre}))
    with app.app_context():
        assert holder_of(db.session(), stranger, phone, instant) is None
        assert set(holders_of(db.session(), SYSTEM, [phone], instant)) == {phone}
        db.session.remove()


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-04-01", "2026-05-01", 201),
        ("2026-04-01", "2026-05-02", 409),
        ("2026-05-10", "2026-05-11", 409),
        ("2026-06-01", None, 201),
        ("2026-05-31", None, 409),
        ("2026-04-01", None, 409),
        ("2026-07-01", "2026-07-01", 422),
        ("2026-07-02", "2026-07-01", 422),
    ],
)
def test_spans_of_one_phone_never_overlap(
    client: Any, org: Any, start: str, end: str | None, status: int
) -> None:
    phone = create(client, "handsets", **handset(org))["id"]
    assert kit(client, org, handset_id=phone, valid_to=at("2026-06-01")).status_code == 201
    more = {"valid_to": at(end)} if end else {}
    answer = kit(client, org, handset_id=phone, valid_from=at(start), **more)
    assert answer.status_code == status, answer.json
    if status == 409:
        assert (answer.json["code"], fields_of(answer)) == ("overlap", {"handset_id": "overlap"})


def test_exactly_one_thing_is_tied(client: Any, org: Any) -> None:
    assert kit(client, org).status_code == 422
    phone = create(client, "handsets", **handset(org))["id"]
    number = create(client, "numbers", centre_id=str(org.centre), e164="13800138000")["id"]
    assert fields_of(kit(client, org, handset_id=phone, number_id=number)) == {"handset_id": "one_subject"}


def test_kit_of_another_centre_or_retired_is_refused(client: Any, org: Any) -> None:
    foreign = create(client, "handsets", **handset(org, centre_id=str(org.other_centre)))["id"]
    assert fields_of(kit(client, org, handset_id=foreign)) == {"handset_id": "other_centre"}
    client.post(f"/api/v1/handsets/{foreign}/retire", json={}, headers={"If-Match": '"v1"'})
    mine = create(client, "numbers", centre_id=str(org.centre), e164="13800138000")["id"]
    client.post(f"/api/v1/numbers/{mine}/retire", json={}, headers={"If-Match": '"v1"'})
    assert fields_of(kit(client, org, number_id=mine)) == {"number_id": "retired"}


def test_an_account_goes_with_the_number_that_it_is_registered_with(client: Any, org: Any) -> None:
    right = create(client, "numbers", centre_id=str(org.centre), e164="13800138000")["id"]
    wrong = create(client, "numbers", centre_id=str(org.centre), e164="13900139000")["id"]
    account = create(client, "wechat-accounts", centre_id=str(org.centre), nickname="小新", number_id=wrong)[
        "id"
    ]
    unknown = create(client, "wechat-accounts", centre_id=str(org.centre), nickname="大新")["id"]
    assert kit(client, org, number_id=right).status_code == 201
    refused = kit(client, org, wechat_account_id=account)
    assert (refused.status_code, fields_of(refused)) == (409, {"wechat_account_id": "U01"})
    assert kit(client, org, wechat_account_id=unknown).status_code == 201
    later = kit(client, org, number_id=wrong)
    assert later.status_code == 201
    assert kit(client, org, wechat_account_id=account).status_code == 201


def test_an_account_at_a_post_is_not_given_a_foreign_number(client: Any, org: Any) -> None:
    right = create(client, "numbers", centre_id=str(org.centre), e164="13800138000")["id"]
    wrong = create(client, "numbers", centre_id=str(org.centre), e164="13900139000")["id"]
    account = create(client, "wechat-accounts", centre_id=str(org.centre), nickname="小新")["id"]
    for subject in ({"number_id": right}, {"wechat_account_id": account}):
        assert kit(client, org, **subject).status_code == 201
    url, tag = f"/api/v1/wechat-accounts/{account}", {"If-Match": '"v1"'}
    refused = client.patch(url, json={"number_id": wrong}, headers=tag)
    assert (refused.status_code, fields_of(refused)) == (409, {"number_id": "U01"})
    assert client.patch(url, json={"number_id": right}, headers=tag).status_code == 200


def test_a_tie_is_ended_once_and_a_mistake_is_voided(client: Any, org: Any) -> None:
    phone = create(client, "handsets", **handset(org))["id"]
    made = kit(client, org, handset_id=phone).json
    url = f"/api/v1/kit-assignments/{made['id']}"
    assert client.patch(url, json={}, headers={"If-Match": '"v1"'}).status_code == 405
    in_use = client.post(f"/api/v1/handsets/{phone}/retire", json={}, headers={"If-Match": '"v1"'})
    assert in_use.json["code"] == "in_use"
    early = client.post(f"{url}/end", json={"at": at("2026-05-01")}, headers={"If-Match": '"v1"'})
    assert early.status_code == 422
    ended = client.post(f"{url}/end", json={"at": at("2026-07-01")}, headers={"If-Match": '"v1"'})
    assert ended.status_code == 200, ended.json
    again = client.post(f"{url}/end", json={}, headers={"If-Match": '"v2"'})
    assert again.json["code"] == "already_ended"
    assert client.post(f"{url}/void", json={}, headers={"If-Match": '"v2"'}).status_code == 422
    void = client.post(f"{url}/void", json={"reason": "录入错误"}, headers={"If-Match": '"v2"'})
    assert void.status_code == 200
    assert client.get("/api/v1/kit-assignments").json["items"] == []
    assert kit(client, org, handset_id=phone, valid_from=at("2026-06-01")).status_code == 201
    assert client.post(f"/api/v1/handsets/{phone}/retire", json={}, headers={"If-Match": '"v1"'}).json[
        "code"
    ] == ("in_use")


def test_what_is_tied_does_not_move_to_another_centre(client: Any, org: Any) -> None:
    phone = create(client, "handsets", **handset(org))["id"]
    kit(client, org, handset_id=phone)
    moved = client.patch(
        f"/api/v1/handsets/{phone}",
        json={"centre_id": str(org.other_centre)},
        headers={"If-Match": '"v1"'},
    )
    assert (moved.status_code, fields_of(moved)) == (422, {"centre_id": "in_use"})


@pytest.mark.parametrize("what", ["handset", "post"])
def test_of_two_writers_at_once_one_wins(app: Flask, client: Any, org: Any, clock: Any, what: str) -> None:
    start = clock.now()
    if what == "handset":
        phone = uuid.UUID(create(client, "handsets", **handset(org))["id"])
        resource = KIT_ASSIGNMENTS
        wanted = [{"post_id": org.post, "handset_id": phone, "valid_from": start + i * DAY} for i in range(4)]
    else:
        resource = POST_HOLDINGS
        wanted = [
            {"post_id": org.post, "employee_id": e, "valid_from": start} for e in (org.zhang, org.li) * 2
        ]
    barrier = threading.Barrier(len(wanted))
    outcomes: list[str] = []

    def write(values: dict[str, Any]) -> None:
        with app.app_context():
            barrier.wait(20)
            session = begin_write(db.session())
            try:
                tie(session, SYSTEM, resource, values, start)
                session.commit()
                outcomes.append("won")
            except Conflict as exc:
                session.rollback()
                outcomes.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=write, args=(values,)) for values in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["overlap"] * (len(wanted) - 1) + ["won"]
    listed = client.get(f"/api/v1/{resource.name}").json["items"]
    assert len(listed) == 1
