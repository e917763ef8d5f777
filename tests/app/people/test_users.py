"""What an administrator does with users, by pages and by the command line."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.audit.model import AuditRow
from app.kernel.db import db
from app.people import principal_of, users_with
from app.people.model import Deputy, RoleGrant, User
from app.people.user_service import MAX_DEPUTY

HTML = {"Accept": "text/html"}


def ids(app, table):
    with app.app_context():
        found = list(db.session.scalars(select(table.id).order_by(table.id)))
        db.session.remove()
    return found


def made(client, app, **fields):
    given = {"login": "wang", "name": "王小明", **fields}
    answer = client.post("/people/new", data=given)
    assert answer.status_code == 200, answer.text
    with app.app_context():
        user_id = db.session.scalars(select(User.id).where(User.login == given["login"])).one()
        db.session.remove()
    return user_id


def password_on(answer) -> str:
    found = re.search(r'id="password">([^<]+)<', answer.text)
    assert found, answer.text
    return found[1]


def test_a_new_user_gets_a_password_that_is_shown_once(app, org, client):
    fields = {"login": "wang", "name": " 王  小明 ", "role": "butler", "centre_id": org.centre}
    fields |= {"employee_id": org.zhang}
    answer = client.post("/people/new", data=fields, headers={"Idempotency-Key": "k1"})
    assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){2}", password_on(answer))
    again = client.post("/people/new", data=fields, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json["code"]) == (409, "shown_once")
    listed = client.get("/people?q=wang").text
    assert "王 小明" in listed
    assert "张三 E001" in listed
    assert "锦绣花园" in listed
    with app.app_context():
        actions = list(db.session.scalars(select(AuditRow.action)))
        details = "".join(db.session.scalars(select(AuditRow.details)))
        db.session.remove()
    assert {"user.create", "user.grant"} <= set(actions)
    assert password_on(answer) not in details


@pytest.mark.parametrize(
    "fields",
    [
        {"login": ""},
        {"login": "a b"},
        {"login": "-x"},
        {"login": "x" * 64},
        {"name": " "},
        {"name": "x" * 101},
        {"employee_id": "0192f0c4-0000-7000-8000-000000000000"},
        {"role": "king"},
        {"role": "admin", "centre_id": "CENTRE"},
        {"role": "butler", "centre_id": ""},
        {"role": "lead", "centre_id": "nonsense"},
    ],
)
def test_what_makes_no_user_leaves_none(app, org, client, fields):
    fields = {k: str(org.centre) if v == "CENTRE" else v for k, v in fields.items()}
    answer = client.post("/people/new", data={"login": "wang", "name": "王小明", **fields})
    assert answer.status_code == 422
    assert ids(app, User) == []


def test_a_login_and_an_employee_are_taken_once(app, org, client):
    made(client, app, employee_id=org.zhang)
    assert client.post("/people/new", data={"login": "WANG", "name": "x"}).status_code == 422
    other = {"login": "li", "name": "李", "employee_id": org.zhang}
    assert "已经有登录名" in client.post("/people/new", data=other).text


def test_roles_are_given_and_ended(app, org, client, clock):
    user_id = made(client, app)
    data = {"role": "lead", "centre_id": str(org.centre)}
    assert client.post(f"/people/{user_id}/grants", data=data).status_code == 303
    assert client.post(f"/people/{user_id}/grants", data=data).status_code == 409
    (grant_id,) = ids(app, RoleGrant)
    clock.move(60)
    with app.app_context():
        assert users_with(db.session, org.centre, "lead", at=clock.now()) == [user_id]
        db.session.remove()
    assert client.post(f"/people/grants/{grant_id}/end").status_code == 303
    assert client.post(f"/people/grants/{grant_id}/end").status_code == 409
    with app.app_context():
        assert principal_of(db.session, user_id, clock.now()).roles == set()
        db.session.remove()
    assert "以前的角色" in client.get(f"/people/{user_id}").text


def test_the_last_administrator_cannot_lock_everybody_out(app, org, client, clock):
    first = made(client, app, role="admin")
    clock.move(60)
    (grant_id,) = ids(app, RoleGrant)
    for path, data in ((f"/people/grants/{grant_id}/end", {}), (f"/people/{first}/active", {"active": "0"})):
        refused = client.post(path, data=data)
        assert (refused.status_code, refused.json["code"]) == (409, "last_admin")
    second = made(client, app, login="li", name="李四", role="admin")
    clock.move(60)
    assert client.post(f"/people/grants/{grant_id}/end").status_code == 303
    refused = client.post(f"/people/{second}/active", data={"active": "0"})
    assert (refused.status_code, refused.json["code"]) == (409, "last_admin")
    assert client.post(f"/people/{first}/active", data={"active": "0"}).status_code == 303


def test_somebody_who_changed_him_meanwhile_is_not_overwritten(app, org, client):
    user_id = made(client, app)
    first = {"name": "王大明", "version": 1}
    assert client.post(f"/people/{user_id}", data=first).status_code == 303
    assert client.post(f"/people/{user_id}", data={"name": "王二", "version": 1}).status_code == 412
    assert "王大明" in client.get("/people").text


def test_a_deputy_stands_in_for_whole_days_and_can_be_ended(app, org, client, clock):
    lead = made(client, app, role="lead", centre_id=org.centre)
    deputy = made(client, app, login="li", name="李四")
    form = {"right": f"lead@{org.centre}", "deputy_id": deputy, "from": "2026-11-23", "to": "2026-11-24"}
    assert client.post(f"/people/{lead}/deputies", data=form).status_code == 303

    def roles():
        with app.app_context():
            found = principal_of(db.session, deputy, clock.now()).roles
            db.session.remove()
        return found

    assert roles() == set()
    clock.move(14 * 3600)
    assert roles() == {"lead"}, "the 23rd in Shanghai begins at 16:00 UTC"
    clock.move(47 * 3600)
    assert roles() == {"lead"}
    assert "李四" in client.get(f"/people/{lead}").text
    (row_id,) = ids(app, Deputy)
    assert client.post(f"/people/deputies/{row_id}/end").status_code == 303
    assert roles() == set()
    assert client.post(f"/people/deputies/{row_id}/end").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"deputy_id": ""},
        {"deputy_id": "SELF"},
        {"from": "soon"},
        {"to": "2026-11-20"},
        {"to": "2028-11-24"},
        {"right": "king@"},
        {"right": "admin@CENTRE"},
    ],
)
def test_a_deputy_that_makes_no_sense_is_refused(app, org, client, change):
    lead = made(client, app, role="lead", centre_id=org.centre)
    deputy = made(client, app, login="li", name="李四")
    form = {"right": f"lead@{org.centre}", "deputy_id": str(deputy), "from": "2026-11-23", "to": "2026-11-24"}
    form |= {k: v.replace("SELF", str(lead)).replace("CENTRE", str(org.centre)) for k, v in change.items()}
    assert client.post(f"/people/{lead}/deputies", data=form).status_code == 422
    assert ids(app, Deputy) == []
    assert MAX_DEPUTY.days == 366


def test_a_reset_shows_a_new_password_and_ends_what_was_open(app, org, client, as_user):
    lead = as_user("lead", org.centre)
    assert lead.get("/api/v1/centres").status_code == 200
    answer = client.post(f"/people/{lead.user_id}/password")
    assert password_on(answer)
    assert lead.get("/api/v1/centres").status_code == 401


def test_only_who_administers_the_whole_company_gets_here(org, as_user):
    for role in ("operations", "lead", "it", "butler", "finance", "auditor"):
        caller = as_user(role, org.centre)
        assert caller.get("/people").status_code == 403
        assert caller.post("/people/new", data={"login": "x", "name": "x"}).status_code == 403


def test_an_empty_list_says_what_to_do(client):
    assert "还没有用户" in client.get("/people", headers=HTML).text
    assert "没有符合的用户" in client.get("/people?q=x", headers=HTML).text


def test_the_list_is_sorted_narrowed_and_paged(app, org, client, as_user):
    for n in range(55):
        as_user("lead" if n % 2 else "it", org.centre, name=f"用户{n:02}")
    first = client.get("/people").text
    assert (first.count('<th scope="row">'), "下一页" in first) == (50, True)
    backwards = client.get("/people?sort=-name").text
    assert backwards.index("用户54") < backwards.index("用户10")
    assert client.get("/people?role=lead").text.count('<th scope="row">') == 27
    assert client.get(f"/people?centre={org.other_centre}").text.count('<th scope="row">') == 0
    for nonsense in ("?sort=x&state=y&role=z&centre=q", "?q=%00%25_", "?cursor="):
        assert client.get(f"/people{nonsense}").status_code == 200


def test_the_command_line_makes_the_first_administrator(app):
    run = app.test_cli_runner().invoke
    first = run(args=["users", "create-admin", "gao", "--name", "高雅琴"])
    assert (first.exit_code, len(first.output.strip())) == (0, 14)
    assert run(args=["users", "create-admin", "gao", "--name", "x"]).exit_code == 1
    assert run(args=["users", "list"]).output == "gao\t高雅琴\t系统管理员\n"
    reset = run(args=["users", "reset-password", "GAO"])
    assert reset.output.strip() not in ("", first.output.strip())
    assert run(args=["users", "reset-totp", "gao"]).exit_code == 0
    unknown = run(args=["users", "reset-password", "nobody"])
    assert (unknown.exit_code, unknown.output.count("\n")) == (1, 1)
    with app.app_context():
        rows = db.session.scalars(select(AuditRow)).all()
        assert {r.actor.partition(":")[0] for r in rows} == {"cli"}
        assert {"user.create", "user.grant", "user.reset_password", "user.reset_factor"} == {
            r.action for r in rows
        }
        db.session.remove()
