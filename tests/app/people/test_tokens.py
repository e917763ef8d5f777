"""Keys for programs: what they may, and until when."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from app.kernel.db import begin_write, db
from app.people import make_token
from app.people.key_model import ApiToken
from app.people.model import RoleGrant, User


def change(app, table, **values):
    with app.app_context():
        session = begin_write(db.session())
        session.execute(update(table).values(**values))
        session.commit()
        db.session.remove()


def test_a_token_speaks_for_its_person(org, as_user):
    lead = as_user("lead", org.centre)
    assert [c["id"] for c in lead.get("/api/v1/centres").json["items"]] == [str(org.centre)]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (ApiToken, {"revoked_at": dt.datetime(2026, 11, 22, tzinfo=dt.UTC)}),
        (ApiToken, {"expires_at": dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)}),
        (User, {"active": False}),
    ],
)
def test_a_token_that_ended_is_none(app, org, as_user, table, values):
    lead = as_user("lead", org.centre)
    change(app, table, **values)
    assert lead.get("/api/v1/centres").status_code == 401


def test_a_token_can_no_more_than_its_person_can_now(app, org, as_user, clock):
    lead = as_user("lead", org.centre)
    clock.move(60)
    change(app, RoleGrant, valid_to=clock.now())
    assert lead.get("/api/v1/centres").status_code == 403


def test_a_token_can_no_more_than_it_was_made_for(app, org, as_user, clock):
    caller = as_user("lead", org.centre, rights=[("finance", org.other_centre)])
    with app.app_context():
        session = begin_write(db.session())
        until = clock.now() + dt.timedelta(days=1)
        _, caller.token = make_token(
            session, caller.user_id, name="x", roles=["finance", "admin"], read_only=False, expires_at=until,
            now=clock.now(),
        )  # fmt: skip
        session.commit()
        db.session.remove()
    assert [c["id"] for c in caller.get("/api/v1/centres").json["items"]] == [str(org.other_centre)]
    refused = caller.post("/api/v1/companies", json={"name": "x"})
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")


def test_a_reading_token_changes_nothing(org, as_user):
    caller = as_user("admin", read_only=True)
    assert caller.get("/api/v1/centres").status_code == 200
    refused = caller.post("/api/v1/companies", json={"name": "x"})
    assert (refused.status_code, refused.json["code"]) == (403, "read_only_token")


@pytest.mark.parametrize("token", ["bpm_", "bpm_" + "A" * 43, "令牌", "x" * 5000])
def test_a_made_up_token_is_none(anonymous, token):
    answer = anonymous.get(
        "/api/v1/centres", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    )
    assert answer.status_code == 401
