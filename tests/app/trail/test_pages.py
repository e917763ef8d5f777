"""The trail's page: who sees what of it, what it finds, and that reading, exporting and being refused are events."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import pytest
from sqlalchemy import select

from app.audit import AuditEvent, record, verify
from app.audit.model import AuditRow
from app.kernel.db import begin_write, db
from app.people.model import User


@pytest.fixture
def note(app, clock):
    def add(**values):
        entry = {"actor": "system", "action": "task.complete", "object": "task:1", **values}
        with app.app_context():
            session = begin_write(db.session())
            record(session, AuditEvent(at=clock.move(1), **entry))
            session.commit()
            db.session.remove()

    return add


def _events(app, action):
    with app.app_context():
        rows = db.session.scalars(
            select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)
        ).all()
        db.session.remove()
        return rows


def _objects(caller, **query):
    found = caller.get("/api/v1/audit-events", query_string=query)
    assert found.status_code == 200, found.text
    return [event["object"] for event in found.json["items"]]


def test_a_lead_sees_his_centre_and_an_auditor_all(app, org, as_user, note):
    note(object="here:1", centre_id=org.centre)
    note(object="there:1", centre_id=org.other_centre)
    note(object="nowhere:1")
    lead, auditor = as_user("lead", org.centre), as_user("auditor")
    assert _objects(lead) == ["here:1"]
    seen = _objects(auditor, action="task.")
    assert seen == ["nowhere:1", "there:1", "here:1"]
    page = lead.get("/audit", headers={"Accept": "text/html"}).text
    assert "here" in page
    assert "there" not in page
    assert "导出并核对" not in page
    assert "导出并核对" in auditor.get("/audit").text
    assert as_user("operations").get("/audit").status_code == 403
    assert as_user("butler").get("/api/v1/audit-events").status_code == 403


def test_each_filter_narrows(app, org, as_user, note, clock):
    wang = as_user("lead", org.centre, name="王芳")
    note(object="a:1", actor=str(wang.user_id), reason="漏 100% 了")
    note(object="b:2", outcome="refused", action="access.denied", details={"电话": "13800000000"})
    middle = clock.now()
    note(object="c:3", ip="10.0.0.9", centre_id=org.centre)
    caller = as_user("auditor")
    for query, wanted in (
        ({"actor": str(wang.user_id)}, ["a:1"]),
        ({"action": "access.denied"}, ["b:2"]),
        ({"action": "task.", "object": "a:1"}, ["a:1"]),
        ({"outcome": "refused"}, ["b:2"]),
        ({"centre_id": str(org.centre)}, ["c:3"]),
        ({"q": "100%"}, ["a:1"]),
        ({"q": "13800000000"}, ["b:2"]),
        ({"q": "10.0.0.9"}, ["c:3"]),
        ({"q": "%_"}, []),
        ({"action": "task.", "start": middle.isoformat(), "end": clock.now().isoformat()}, []),
        ({"action": "task.", "start": middle.isoformat()}, ["c:3"]),
    ):
        assert _objects(caller, **query) == wanted, query
    page = caller.get("/audit", query_string={"who": "王", "from": "2026-11-22", "to": "2026-11-22"}).text
    assert "待办 · 完成" in page
    assert "漏 100% 了" in page
    assert "访问 · 无权访问" not in page
    assert "没有符合条件的事件" in caller.get("/audit?who=没有这个人").text
    for odd in (
        "from=x",
        "to=9999-12-31",
        "from=0001-01-01",
        "centre=x",
        "room=x",
        "outcome=x",
        "object=%00",
    ):
        assert caller.get(f"/audit?{odd}").status_code == 200, odd


def test_pages_follow_each_other_without_a_gap(app, as_user, note):
    for i in range(7):
        note(object=f"o:{i}")
    caller, seen, cursor = as_user("auditor"), [], None
    while True:
        answer = caller.get(
            "/api/v1/audit-events", query_string={"limit": 3, "action": "task.", "cursor": cursor or ""}
        )
        seen += [event["object"] for event in answer.json["items"]]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"o:{i}" for i in range(6, -1, -1)]
    assert caller.get("/api/v1/audit-events?cursor=x").status_code == 422


def test_reading_lists_of_persons_and_exports_are_events(app, org, as_user):
    caller = as_user("operations")
    caller.get("/registry/employees?q=张")
    caller.get("/registry/employees", headers={"HX-Request": "true"})
    caller.get("/registry/posts")
    caller.get("/api/v1/households")
    caller.get("/registry/posts/export.csv?q=P1")
    caller.get("/notify/contacts")
    read = _events(app, "list.read")
    assert [row.object for row in read] == ["list:employees", "list:households", "list:contacts"]
    assert read[0].details == '{"count":1,"filters":{"q":"张"}}'
    assert {row.actor for row in read} == {str(caller.user_id)}
    (exported,) = _events(app, "registry.exported")
    assert exported.object == "list:posts"
    assert '"count":1' in exported.details
    assert '"q":"P1"' in exported.details


def test_who_is_refused_is_noted_once_a_minute(app, org, as_user, clock, anonymous):
    butler = as_user("butler", org.centre)
    for _ in range(3):
        assert butler.get("/audit").status_code == 403
    assert butler.post("/audit/erase", data={"object": "task:1"}).status_code == 403
    clock.move(61)
    butler.get("/audit")
    anonymous.get("/audit")
    rows = _events(app, "access.denied")
    assert [row.object for row in rows] == ["route:GET /audit", "route:POST /audit/erase", "route:GET /audit"]
    assert {(row.actor, row.outcome) for row in rows} == {(str(butler.user_id), "refused")}


def test_wrong_passwords_are_noted_for_known_and_unknown_names(app, as_user, anonymous):
    known = as_user("lead")
    with app.app_context():
        login = db.session.get(User, known.user_id).login
        db.session.remove()
    for name in (login, "nobody"):
        assert anonymous.post("/session", data={"login": name, "password": "secret-guess"}).status_code == 401
    rows = _events(app, "session.refused")
    assert [row.actor for row in rows] == [str(known.user_id), "unknown"]
    assert all(
        "secret-guess" not in (row.details or "") and row.details == '{"step":"password"}' for row in rows
    )


def test_the_exported_file_verifies_elsewhere(app, org, as_user, note, tmp_path):
    note()
    with as_user("auditor").post("/audit/export") as answer:
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "verify_audit.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(_events(app, "audit.exported")) == 1
    assert as_user("auditor", org.centre).post("/audit/export").status_code == 403
    assert as_user("lead").post("/audit/export").status_code == 403


def test_only_an_admin_erases_and_says_why(app, as_user, note):
    note(object="employee:1", details={"name": "张三丰"})
    auditor, admin = as_user("auditor"), as_user("admin")
    assert auditor.post("/audit/erase", data={"object": "employee:1", "reason": "x"}).status_code == 403
    assert "删除其中的个人信息" in admin.get("/audit?object=employee:1").text
    assert "删除其中的个人信息" not in auditor.get("/audit?object=employee:1").text
    assert "张三丰" in auditor.get("/audit?object=employee:1").text
    assert admin.get("/audit/erase?object=employee:1").status_code == 200
    assert admin.post("/audit/erase", data={"object": "employee:1", "reason": " "}).status_code == 422
    assert admin.post("/audit/erase", data={"object": "employee:1", "reason": "本人要求"}).status_code == 303
    page = auditor.get("/audit?object=employee:1").text
    assert "张三丰" not in page
    assert "详情已删除" in page
    assert "审计 · 删除详情" in page
    with app.app_context():
        assert verify(db.session()).problem is None
        db.session.remove()
