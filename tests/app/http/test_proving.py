"""A signature is a person's: proved by his password in that moment, at his own screen or at another's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask, jsonify, request
from sqlalchemy import select

from app.audit.model import AuditRow
from app.http.access import SIGNED_IN, access
from app.http.proving import signer_of_form
from app.http.transaction import open_write
from app.kernel.db import db
from tests.app.session.conftest import BASE, PASSWORD, Person, browser_of, person

__all__ = ["person"]


def sign():  # type: ignore[no-untyped-def]
    signer = signer_of_form(request.form)
    open_write()
    return jsonify({"user": signer.user, "name": signer.name, "how": signer.how})


@pytest.fixture
def app(make_app, database_url) -> Iterator[Flask]:  # type: ignore[no-untyped-def]
    made: Flask = make_app(database_url, routes="signing")
    if "signing" not in made.blueprints:
        pages = Blueprint("signing", __name__)
        pages.post("/sign-here")(access(*SIGNED_IN, late_transaction=True)(sign))
        made.register_blueprint(pages)
    return made


@pytest.fixture
def wang(person) -> Person:  # type: ignore[no-untyped-def]
    made: Person = person("finance")
    made.sign_in()
    return made


def test_his_own_password_again(wang: Person) -> None:
    done = wang.post("/sign-here", password=PASSWORD)
    assert done.json == {"user": str(wang.user_id), "name": "王小明", "how": "own_session"}
    for wrong in ({}, {"password": ""}, {"password": PASSWORD + "x"}):
        refused = wang.post("/sign-here", **wrong)
        assert refused.status_code == 422


def test_another_person_at_this_screen(wang: Person, person) -> None:  # type: ignore[no-untyped-def]
    li = person("auditor", login="li")
    done = wang.post("/sign-here", signer_login=" LI ", signer_password=PASSWORD)
    assert done.json == {"user": str(li.user_id), "name": "王小明", "how": "at_this_device"}
    assert wang.get("/audit").status_code == 403, "he lends his word and no rights"
    for login, password in (("li", "wrong"), ("nobody", PASSWORD), ("li", "")):
        assert wang.post("/sign-here", signer_login=login, signer_password=password).status_code == 422
    # His own password does not stand in for the other's.
    assert wang.post("/sign-here", signer_login="li", password=PASSWORD).status_code == 422


def test_each_try_is_counted_before_it_is_looked_at(wang: Person, person) -> None:  # type: ignore[no-untyped-def]
    person("auditor", login="li")
    tries = [wang.post("/sign-here", password="wrong").status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]
    assert wang.post("/sign-here", password=PASSWORD).status_code == 429
    tries = [wang.post("/sign-here", signer_login="li", signer_password="x").status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]
    late = wang.post("/sign-here", signer_login="li", signer_password=PASSWORD)
    assert late.status_code == 429
    wang.clock.move(3600)
    assert wang.post("/sign-here", signer_login="li", signer_password=PASSWORD).status_code == 200
    assert wang.post("/sign-here", password=PASSWORD).status_code == 200


def test_a_refusal_is_noted_without_the_password(app: Flask, wang: Person) -> None:
    wang.post("/sign-here", password="canary-77-wrong")
    with app.app_context():
        row = db.session.scalars(select(AuditRow).where(AuditRow.action == "session.refused")).one()
        assert (row.actor, row.outcome) == (str(wang.user_id), "refused")
        assert "canary" not in (row.details or "")


def test_a_one_time_password_signs_nothing(wang: Person, person) -> None:  # type: ignore[no-untyped-def]
    new = person("auditor", login="new", one_time=True)
    refused = wang.post("/sign-here", signer_login="new", signer_password=new.password)
    assert refused.status_code == 403


def test_a_token_signs_nothing(app: Flask, wang: Person) -> None:
    token = app.extensions["butler"].access_token
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    data = {"password": PASSWORD, "signer_login": wang.login, "signer_password": PASSWORD}
    answer = browser_of(app).post("/sign-here", data=data, headers=headers, base_url=BASE)
    assert answer.status_code == 403
