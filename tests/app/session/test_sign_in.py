"""Signing in by name and password: what lets in, what does not, and what stands in between."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from app.audit.model import AuditRow
from app.kernel.db import begin_write, db
from app.people.key_model import Credential, UserSession
from app.people.model import RoleGrant, User
from tests.app.session.conftest import NEW, PASSWORD, browser_of

HALF_WAY = ("/enter/next", "/enter/code", "/enter/password", "/enter/factor", "/enter/factor/begin")


def change(app, table, **values):
    with app.app_context():
        session = begin_write(db.session())
        session.execute(update(table).values(**values))
        session.commit()
        db.session.remove()


def one(app, query):
    with app.app_context():
        found = db.session.scalars(query).one()
        db.session.remove()
        return found


def test_name_and_password_let_in_whoever_needs_no_second_step(app, person):
    wang = person("finance")
    answer = wang.sign_in(login=" WANG ", next="/me")
    assert (answer.status_code, answer.location) == (303, "/me")
    assert wang.inside()
    assert "王小明" in wang.get("/me").text
    row = one(app, select(UserSession))
    cookie = answer.headers["Set-Cookie"]
    assert row.secret_hash not in cookie
    with app.app_context():
        noted = db.session.execute(select(AuditRow.action, AuditRow.actor).order_by(AuditRow.seq)).all()
        db.session.remove()
    assert noted[-1] == ("session.begin", str(wang.user_id))


@pytest.mark.parametrize("password", ["", "x", PASSWORD.upper(), PASSWORD + " ", "密码" * 5000])
def test_a_wrong_password_lets_nobody_in(person, password):
    wang = person()
    answer = wang.sign_in(password=password)
    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text
    assert not wang.inside()


@pytest.mark.parametrize("login", ["nobody", "", "王", "a\udcff", "x" * 3000])
def test_a_wrong_name_is_told_like_a_wrong_password(person, login):
    wang = person()
    answer = wang.sign_in(login=login.encode(errors="replace").decode())
    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text


def test_an_inactive_user_is_out_at_once(app, person):
    wang = person()
    wang.sign_in()
    change(app, User, active=False)
    assert not wang.inside()
    assert wang.sign_in().status_code == 401


def test_one_given_password_must_be_changed_before_anything_else(app, person):
    wang = person("finance", one_time=True)
    assert wang.sign_in().location.startswith("/enter/next")
    assert not wang.inside()
    assert wang.get("/").location == "/enter"
    assert wang.get("/enter").location.startswith("/enter/next")
    page = wang.get("/enter/next")
    assert "请设置自己的密码" in page.text
    for password, again, fault in (
        (NEW, "x", "不一样"),
        ("short-1", "short-1", "至少 10"),
        ("12345678901", "12345678901", "太常见"),
        ("wang-is-here-9", "wang-is-here-9", "不能包含登录名"),
        (wang.password, wang.password, "不能和原来的密码相同"),
    ):
        answer = wang.post("/enter/password", password=password, again=again)
        assert (answer.status_code, fault in answer.text) == (422, True), fault
    assert wang.post("/enter/password", password=NEW, again=NEW, next="/me").location == "/me"
    assert wang.inside()
    wang.post("/session/end")
    assert wang.sign_in().status_code == 401
    assert wang.sign_in(password=NEW).location == "/"


@pytest.mark.parametrize("role", ["admin", "operations", "lead", "it"])
def test_who_may_do_dangerous_things_sets_up_an_authenticator_first(person, role):
    wang = person(role)
    assert wang.sign_in(next="/me").location == "/enter/next?next=%2Fme"
    assert not wang.inside()
    done = wang.enrol()
    assert done.status_code == 200
    assert len(set(wang.codes)) == 10
    assert wang.inside()


def test_half_way_nothing_is_open(app, org, person):
    wang = person("lead")
    wang.sign_in()
    assert wang.get("/me").status_code == 401
    assert wang.get("/api/v1/centres").status_code == 401
    assert wang.post("/me/sessions/end-others").status_code == 401
    wrong = wang.post("/enter/factor", code="000000")
    assert wrong.status_code == 409, "nothing was begun"
    assert wang.post("/enter/password", password=NEW, again=NEW).status_code == 409
    stranger = browser_of(app)
    for path in HALF_WAY:
        assert stranger.post(
            path, base_url="http://127.0.0.1", headers={"Origin": "http://127.0.0.1"}
        ).status_code in (
            401,
            405,
        )


def test_half_way_is_short(person, clock):
    wang = person("lead")
    wang.sign_in()
    clock.move(14 * 60)
    assert wang.get("/enter/next").status_code == 200
    clock.move(2 * 60)
    assert wang.get("/enter/next").status_code == 401


def test_the_second_step_takes_the_apps_code_once(app, person, clock):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    used = wang.code()
    other = dataclasses.replace(wang, client=browser_of(app))
    assert other.sign_in().location.startswith("/enter/next")
    assert not other.inside()
    assert other.post("/enter/code", code=used).status_code == 401, "looked over the shoulder"
    clock.move(30)
    assert other.post("/enter/code", code=other.code(), next="/me").location == "/me"
    assert other.inside()
    third = dataclasses.replace(wang, client=browser_of(app))
    third.sign_in()
    assert third.post("/enter/code", code=third.code()).status_code == 401
    with app.app_context():
        refused = db.session.scalars(select(AuditRow).where(AuditRow.action == "session.refused")).all()
        assert {r.actor for r in refused} == {str(wang.user_id)}
        db.session.remove()


def test_a_recovery_code_serves_once_however_it_is_typed(app, person):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    first = dataclasses.replace(wang, client=browser_of(app))
    first.sign_in()
    typed = wang.codes[0].replace("-", " ").lower()
    assert first.post("/enter/code", code=typed).status_code == 303
    assert first.inside()
    second = dataclasses.replace(wang, client=browser_of(app))
    second.sign_in()
    assert second.post("/enter/code", code=wang.codes[0]).status_code == 401
    assert "还有 9 个恢复码" in first.get("/me").text


def test_the_authenticators_secret_is_not_in_the_database(app, person):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    row = one(app, select(Credential))
    assert wang.secret.encode() not in row.totp_sealed
    change(app, Credential, totp_sealed=row.totp_sealed[:-1] + bytes([row.totp_sealed[-1] ^ 1]))
    other = dataclasses.replace(wang, client=browser_of(app))
    other.sign_in()
    assert other.post("/enter/code", code="123456").status_code == 503


def test_a_role_that_needs_it_asks_for_the_second_step_in_the_midst(app, org, person, clock):
    wang = person("finance")
    wang.sign_in()
    assert wang.inside()
    change(app, RoleGrant, role="lead")
    assert not wang.inside()
    assert wang.get("/enter").location.startswith("/enter/next")


def test_a_session_ends_by_idleness_and_by_age(person, clock):
    wang = person()
    wang.sign_in()
    clock.move(119 * 60)
    assert wang.inside()
    clock.move(119 * 60)
    assert wang.inside(), "the visit before counts"
    clock.move(121 * 60)
    assert not wang.inside()
    wang.sign_in()
    for _ in range(7):
        clock.move(100 * 60)
        assert wang.inside()
    clock.move(21 * 60)
    assert not wang.inside(), "twelve hours are over"


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(person, clock):
    wang = person()
    wang.sign_in()
    for _ in range(3):
        clock.move(45 * 60)
        wang.client.get("/me", base_url="http://127.0.0.1", headers={"HX-Request": "true"})
    assert not wang.inside()


def test_signing_out_ends_a_copied_cookie_too(app, person):
    wang = person()
    cookie = wang.sign_in().headers["Set-Cookie"].partition(";")[0]
    wang.post("/session/end")
    thief = browser_of(app)
    assert thief.get("/me", base_url="http://127.0.0.1", headers={"Cookie": cookie}).status_code == 401


def test_the_installations_token_is_a_session_that_ends_too(app, person):
    wang = person()
    token = app.extensions["butler"].access_token
    answer = wang.post("/session", token=token)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert "应急令牌" in wang.get("/me").text
    change(app, UserSession, token_digest="0" * 64)
    assert not wang.inside(), "it was begun by another token"
    wang.post("/session", token=token)
    assert wang.inside()
    assert wang.get("/people").status_code == 200
    thief = browser_of(app)
    assert thief.get("/me", base_url="http://127.0.0.1", headers={"Cookie": cookie}).status_code == 401


def test_a_new_sign_in_takes_a_new_cookie(app, person):
    wang = person()
    first = wang.sign_in().headers["Set-Cookie"].partition(";")[0]
    second = wang.sign_in().headers["Set-Cookie"].partition(";")[0]
    assert first != second


def test_a_butler_begins_at_his_own_page(app, person):
    wang = person("butler")
    wang.sign_in()
    begins = wang.get("/").location
    assert begins in ("/my", "/me")
    assert wang.get(begins).status_code == 200
    assert wang.get("/registry").status_code == 403


def test_a_session_of_an_old_hash_is_renewed(app, person):
    wang = person()
    weak = PasswordHasher(time_cost=1, memory_cost=512, parallelism=1).hash(PASSWORD)
    change(app, Credential, password_hash=weak)
    assert wang.sign_in().status_code == 303
    renewed = one(app, select(Credential.password_hash))
    assert "$m=1024," in renewed
    assert wang.sign_in().status_code == 303


def test_times_are_not_kept_longer_than_the_session(app, person, clock):
    wang = person()
    wang.sign_in()
    row = one(app, select(UserSession))
    assert row.expires_at - row.created_at == dt.timedelta(hours=12)
