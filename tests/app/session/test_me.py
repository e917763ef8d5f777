"""A person's own page: password, authenticator, sessions, tokens."""

from __future__ import annotations

import dataclasses
import re

import pytest
from sqlalchemy import select

from app.audit.model import AuditRow
from app.kernel.db import db
from app.people.key_model import ApiToken, UserSession
from tests.app.session.conftest import BASE, NEW, PASSWORD, browser_of


def second(app, person):
    other = dataclasses.replace(person, client=browser_of(app))
    other.sign_in()
    assert other.inside()
    return other


def shown(answer, name):
    found = re.search(rf'id="{name}">([^<]+)<', answer.text)
    assert found, answer.text
    return found[1].strip()


def typed_secret(person):
    return (
        person.get("/me/factor").text.partition('class="secret">')[2].partition("</code>")[0].replace(" ", "")
    )


def test_a_new_password_ends_the_other_sessions(app, person):
    wang = person()
    wang.sign_in()
    other = second(app, wang)
    wrong = wang.post("/me/password", present="not-this-one-1", password=NEW, again=NEW)
    assert wrong.status_code == 403
    for password, again in ((NEW, "x"), ("short", "short"), (PASSWORD, PASSWORD)):
        wang.post("/me/password", present=PASSWORD, password=password, again=again)
    assert other.inside(), "nothing was changed"
    assert wang.post("/me/password", present=PASSWORD, password=NEW, again=NEW).status_code == 303
    assert "其他 1 处登录已退出" in wang.get("/me").text
    assert (wang.inside(), other.inside()) == (True, False)
    assert other.sign_in().status_code == 401
    assert other.sign_in(password=NEW).status_code == 303


def test_a_session_that_was_left_open_is_no_way_to_guess_the_password(person):
    wang = person()
    wang.sign_in()
    tries = [wang.post("/me/codes", present="not-this-one-1").status_code for _ in range(6)]
    assert tries == [403] * 5 + [429]
    assert wang.post("/me/codes", present=PASSWORD).status_code == 429


def test_sessions_are_listed_and_ended(app, person):
    wang = person()
    wang.sign_in()
    other, third = second(app, wang), second(app, wang)
    page = wang.get("/me").text
    assert len(re.findall(r'"/me/sessions/[0-9a-f-]{36}/end"', page)) == 2
    with app.app_context():
        rows = db.session.scalars(
            select(UserSession.id).order_by(UserSession.created_at, UserSession.id)
        ).all()
        db.session.remove()
    assert wang.post(f"/me/sessions/{rows[1]}/end").status_code == 303
    assert [wang.inside(), other.inside(), third.inside()] == [True, False, True]
    wang.post("/me/sessions/end-others")
    assert [wang.inside(), third.inside()] == [True, False]


def test_anothers_session_and_token_cannot_be_ended(app, person, clock):
    wang, li = person(), person(login="li")
    wang.sign_in()
    li.sign_in()
    li.post("/me/tokens", present=PASSWORD, name="x", roles="finance", days="30")
    with app.app_context():
        of_li = db.session.scalars(select(UserSession.id).where(UserSession.user_id == li.user_id)).one()
        token_id = db.session.scalars(select(ApiToken.id)).one()
        db.session.remove()
    wang.post(f"/me/sessions/{of_li}/end")
    assert li.inside()
    assert wang.post(f"/me/tokens/{token_id}/revoke").status_code == 404
    assert li.post(f"/me/tokens/{token_id}/revoke").status_code == 303
    assert li.post(f"/me/tokens/{token_id}/revoke").status_code == 404


def test_a_token_is_shown_once_and_works_until_it_is_revoked(app, org, person, clock):
    wang = person("finance")
    wang.sign_in()
    form = {"present": PASSWORD, "name": "工资导出", "roles": ["finance", "admin"], "days": "30"}
    answer = wang.post("/me/tokens", **form, _idempotency_key="once")
    token = shown(answer, "token")
    assert wang.post("/me/tokens", **form, _idempotency_key="once").status_code == 409
    assert token not in wang.get("/me").text
    headers = {"Authorization": f"Bearer {token}"}

    def call(path, method="GET"):
        return browser_of(app).open(path, method=method, base_url=BASE, headers={**headers, "Accept": "*/*"})

    assert call("/api/v1/centres").status_code == 200
    assert call("/people").status_code == 403, "a role that he has not is not given"
    assert call("/session/end", "POST").json["code"] == "read_only_token"
    assert call("/me").status_code == 200
    assert "用令牌访问时" in call("/me").text
    clock.move(31 * 86400)
    assert call("/api/v1/centres").status_code == 401


@pytest.mark.parametrize("change", [{"name": " "}, {"roles": "lead"}, {"days": "0"}, {"days": "-5"}])
def test_a_token_that_makes_no_sense_is_not_made(app, person, change):
    wang = person("finance")
    wang.sign_in()
    wang.post("/me/tokens", **{"present": PASSWORD, "name": "x", "roles": "finance", "days": "30", **change})
    with app.app_context():
        assert db.session.scalars(select(ApiToken)).all() == []
        db.session.remove()


def test_a_token_may_not_change_how_its_person_proves_himself(app, person):
    wang = person("finance")
    wang.sign_in()
    form = {"present": PASSWORD, "name": "x", "roles": "finance", "days": "30", "scope": "write"}
    token = shown(wang.post("/me/tokens", **form), "token")
    for path in ("/me/password", "/me/factor/begin", "/me/codes", "/me/tokens", "/me/sessions/end-others"):
        answer = browser_of(app).post(
            path,
            data={"present": PASSWORD, "password": NEW, "again": NEW},
            base_url=BASE,
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": path, "Accept": "*/*"},
        )
        assert (answer.status_code, answer.json["code"]) == (403, "person_needed"), path


def test_the_authenticator_is_exchanged_only_when_the_new_one_works(app, person, clock):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    old = wang.secret
    wang.post("/me/factor/begin", present=PASSWORD)
    fresh = typed_secret(wang)
    assert fresh != old
    assert wang.post("/me/factor", code="000000").status_code == 422
    clock.move(60)
    other = dataclasses.replace(wang, client=browser_of(app))
    other.sign_in()
    assert other.post("/enter/code", code=other.code()).status_code == 303, "the old one still counts"
    wang.secret = fresh
    assert wang.post("/me/factor", code=wang.code()).status_code == 200
    assert wang.get("/me/factor").location == "/me"
    clock.move(60)
    third = dataclasses.replace(wang, client=browser_of(app))
    third.sign_in()
    third.secret = old
    assert third.post("/enter/code", code=third.code()).status_code == 401
    third.secret = fresh
    assert third.post("/enter/code", code=third.code()).status_code == 303


def test_new_recovery_codes_take_the_place_of_the_old(app, person):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    fresh = (
        wang.post("/me/codes", present=PASSWORD)
        .text.partition('id="codes">')[2]
        .partition("</pre>")[0]
        .split()
    )
    assert set(fresh).isdisjoint(wang.codes)
    other = dataclasses.replace(wang, client=browser_of(app))
    other.sign_in()
    assert other.post("/enter/code", code=wang.codes[0]).status_code == 401
    assert other.post("/enter/code", code=fresh[0]).status_code == 303


def test_no_secret_is_kept_anywhere(app, person):
    """Passwords, tokens, codes and the authenticator's secret: none of them stands in any column of the database."""
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    form = {"present": PASSWORD, "name": "x", "roles": "lead", "days": "30"}
    token = shown(wang.post("/me/tokens", **form), "token")
    wang.post("/me/password", present=PASSWORD, password=NEW, again=NEW)
    secrets = [PASSWORD, NEW, wang.secret, token, *wang.codes]
    with app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(select(table)):
                text = repr(tuple(row))
                assert [s for s in secrets if s in text] == [], table.name
        actions = set(db.session.scalars(select(AuditRow.action)))
        db.session.remove()
    assert {"user.factor", "user.token", "user.password"} <= actions


def test_an_enrolment_left_open_is_no_way_in_for_who_finds_the_screen(person, clock):
    """The password is asked for at its beginning only; later nobody sees its secret or puts it in force."""
    wang = person("finance")
    wang.sign_in()
    wang.post("/me/factor/begin", present=PASSWORD)
    left = typed_secret(wang)
    clock.move(15 * 60)
    wang.secret = left
    assert wang.get("/me/factor").location == "/me"
    assert wang.post("/me/factor", code=wang.code()).status_code == 409
    assert wang.post("/me/factor/begin", present="guess").status_code == 403
    wang.post("/me/factor/begin", present=PASSWORD)
    wang.secret = typed_secret(wang)
    assert wang.secret != left
    assert wang.post("/me/factor", code=wang.code()).status_code == 200
