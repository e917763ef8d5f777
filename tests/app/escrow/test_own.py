"""A butler and the lock of his own phone (R07): his to file, nobody else's."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.escrow import due
from app.escrow.model import Secret, SecretSight
from app.people.model import User
from app.registry.ties import KitAssignment, PostHolding
from tests.app.escrow.conftest import PIN
from tests.app.escrow.test_flow import NEW_PIN, events, rows_of, writing

Caller = Any


@pytest.fixture
def zhang(app: Flask, org: Any, kit: Any, clock: Any, as_user: Any) -> Caller:
    """Zhang San holds the post that has the phone GJ-1; another phone of the centre lies at no post."""
    since = clock.now() - dt.timedelta(days=30)
    stamp = {"centre_id": org.centre, "valid_from": since, "created_at": since, "updated_at": since}
    with writing(app) as session:
        session.add(PostHolding(post_id=org.post, employee_id=org.zhang, **stamp))
        for part in ({"handset_id": kit.phone}, {"number_id": kit.number}):
            session.add(KitAssignment(post_id=org.post, **part, **stamp))
    return as_user("butler", org.centre, employee=org.zhang)


def file_own(who: Caller, phone: uuid.UUID, text: str, **more: str) -> Any:
    fields = {"kind": "screen_lock", "text": text, "again": text, **more}
    return who.post(f"/my/lock/{phone}/file", data=fields)


def check_own(who: Caller, phone: uuid.UUID, typed: str) -> Any:
    return who.post(f"/my/lock/{phone}/check", data={"kind": "screen_lock", "typed": typed})


def test_he_files_and_checks_his_own(app: Flask, kit: Any, zhang: Caller) -> None:
    page = zhang.get("/my/lock").text
    assert "GJ-1" in page
    assert "未备案" in page
    assert check_own(zhang, kit.phone, PIN).status_code == 409, "nothing to check yet"
    assert file_own(zhang, kit.phone, PIN).status_code == 303
    assert check_own(zhang, kit.phone, PIN).status_code == 303
    assert file_own(zhang, kit.phone, NEW_PIN).status_code == 303
    assert check_own(zhang, kit.phone, PIN).status_code == 303
    page = zhang.get("/my/lock").text
    assert "不一致" in page
    assert PIN not in page
    assert check_own(zhang, kit.phone, NEW_PIN).status_code == 303
    assert check_own(zhang, kit.phone, NEW_PIN).status_code == 429
    assert [e.outcome for e in events(app, "escrow.check")] == ["ok", "mismatch", "ok", "refused"]
    assert {e.actor for e in events(app, "escrow.file")} == {str(zhang.user_id)}
    found = rows_of(app, select(SecretSight.version, SecretSight.person).order_by(SecretSight.version))
    assert [tuple(row) for row in found] == [(1, str(zhang.user_id)), (2, str(zhang.user_id))]


@pytest.mark.parametrize(
    ("text", "more"), [("111111", {}), ("12", {}), (PIN, {"again": "739155"}), ("", {"again": ""})]
)
def test_what_he_may_not_file(kit: Any, zhang: Caller, text: str, more: dict[str, str]) -> None:
    answer = file_own(zhang, kit.phone, text, **more)
    assert answer.status_code == 422
    assert "没有保存" in answer.text
    assert PIN not in answer.text


def test_only_the_lock_and_only_his(app: Flask, org: Any, kit: Any, zhang: Caller, as_user: Any) -> None:
    assert file_own(zhang, kit.foreign, PIN).status_code == 404
    assert file_own(zhang, kit.number, "58203917", kind="service_password").status_code == 404
    assert file_own(zhang, kit.phone, PIN, kind="sim_pin").status_code == 404
    assert zhang.get("/escrow").status_code == 403
    colleague = as_user("butler", org.centre, employee=org.li)
    nobody = as_user("butler", org.centre)
    for other in (colleague, nobody):
        assert "没有保管手机" in other.get("/my/lock").text
        assert file_own(other, kit.phone, PIN).status_code == 404
        assert check_own(other, kit.phone, PIN).status_code == 404
    assert rows_of(app, select(Secret.id)) == []


def test_sealed(app: Flask, kit: Any, zhang: Caller) -> None:
    app.extensions["butler"].vault.drop_root()
    assert "现在不能备案" in zhang.get("/my/lock").text
    assert file_own(zhang, kit.phone, PIN).status_code == 503


def test_who_gave_the_phone_back_makes_it_due(
    app: Flask, org: Any, kit: Any, zhang: Caller, clock: Any
) -> None:
    """By the post, not by the role: he stays a butler of the centre."""
    file_own(zhang, kit.phone, PIN)
    later = clock.now() + dt.timedelta(hours=2)
    with writing(app) as session:
        assert due.mark_left(session, app.extensions["butler"].policies, later) == 0, "he has the phone"
        session.execute(update(PostHolding).values(valid_to=clock.now() + dt.timedelta(hours=1)))
        assert due.mark_left(session, app.extensions["butler"].policies, later) == 1
        assert due.mark_left(session, app.extensions["butler"].policies, later) == 0
    assert [row.renew_cause for row in rows_of(app, select(Secret.renew_cause))] == ["left"]


def test_a_login_that_is_switched_off_makes_it_due(app: Flask, kit: Any, zhang: Caller, clock: Any) -> None:
    file_own(zhang, kit.phone, PIN)
    with writing(app) as session:
        session.execute(update(User).where(User.id == zhang.user_id).values(active=False))
        assert due.mark_left(session, app.extensions["butler"].policies, clock.now()) == 1
