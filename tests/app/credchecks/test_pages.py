"""The lead walks from butler to butler with his phone, and signs; what others see of it."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select, update

from app.credchecks import jobs, opening
from app.credchecks.model import ChangeCase, CheckItem, CheckRound
from app.kernel.db import Base, begin_write, db
from app.notify.model import Notice
from app.papers.model import Paper
from app.people.model import User
from app.tasks import Task
from tests.app.credchecks.conftest import PIN, SECRETS, SERVICE, WECHAT, Place
from tests.app.session.conftest import BASE, PASSWORD, Person, person

__all__ = ["person"]
INK = json.dumps({"width": 300, "height": 100, "strokes": [[[10, 10], [200, 80], [290, 20]]]})
WRONG = "canary-wrong-Zz81"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The acts behind the pages are tested on both kinds; what a page shows does not depend on it."""
    return sqlite_url


@pytest.fixture
def place(app: Flask, org: Any, clock: Any) -> Place:
    """As the other tests' place, all filed, its round open, and committed: a request has a context of its own."""
    with app.app_context():
        made = Place(app, begin_write(db.session()), org, clock)
        for kind in SECRETS:
            made.file(kind)
        clock.move(60)
        assert opening.open_due(made.session, made.tools, clock.now()) == 1
        made.session.commit()
        db.session.remove()
    clock.move(60)
    return made


@pytest.fixture
def desk(place: Place, person: Callable[..., Person]) -> Any:
    """`desk("lead")`: signed in at his browser."""

    def make(role: str, employee: Any = None) -> Person:
        found = person(role, login=f"w-{uuid.uuid4().hex[:8]}")
        if employee is not None:
            _become(place.app, found.user_id, employee)
        found.sign_in()
        if role != "butler" and found.get("/rounds").status_code != 200:
            found.enrol()
        return found

    return make


def _become(app: Flask, user_id: uuid.UUID, employee: uuid.UUID) -> None:
    """He is this employee from now on, and nobody else is."""
    with app.app_context():
        session = begin_write(db.session())
        session.execute(update(User).where(User.employee_id == employee).values(employee_id=None))
        session.execute(update(User).where(User.id == user_id).values(employee_id=employee))
        session.commit()
        db.session.remove()


def rows(app: Flask, query: Any) -> list[Any]:
    with app.app_context():
        found = list(db.session.scalars(query))
        db.session.expunge_all()
        db.session.remove()
    return found


def item(app: Flask, place: Place, kind: str, post: Any = None) -> Any:
    query = select(CheckItem).where(CheckItem.kind == kind, CheckItem.post_id == (post or place.org.post))
    return rows(app, query)[0]


def act(who: Person, path: str, **fields: Any) -> Any:
    return who.post(path, **fields)


def upload(who: Person, path: str, **fields: Any) -> Any:
    out = BytesIO()
    Image.new("RGB", (40, 60), "green").save(out, "PNG")
    data = {
        "_idempotency_key": uuid.uuid4().hex,
        "photos": (io.BytesIO(out.getvalue()), "屏幕.png"),
        **fields,
    }
    return who.client.post(
        path, data=data, headers={"Origin": BASE}, base_url=BASE, content_type="multipart/form-data"
    )


def run_jobs(app: Flask, place: Place) -> None:
    with app.app_context():
        for job in jobs.JOBS:
            session = begin_write(db.session())
            job.run(session, place.clock.now())
            session.commit()
            db.session.remove()


def finish(app: Flask, place: Place, who: Person) -> None:
    """Every item gets its result."""
    for kind, typed in (("screen_lock", PIN), ("service_password", SERVICE), ("wechat_password", WECHAT)):
        assert act(who, f"/rounds/items/{item(app, place, kind).id}/check", typed=typed).status_code == 303
    for kind in ("registered_number", "nickname", "findable", "verification"):
        path = f"/rounds/items/{item(app, place, kind).id}/attest"
        assert act(who, path, result="match").status_code == 303
    path = f"/rounds/items/{item(app, place, 'appearance').id}/attest"
    assert upload(who, path, result="match").status_code == 303


def dump(app: Flask) -> str:
    """Every cell of every table."""
    with app.app_context():
        parts = [
            repr(cell)
            for t in Base.metadata.sorted_tables
            for row in db.session.execute(select(t))
            for cell in row
        ]
        db.session.remove()
    return "\n".join(parts)


def test_from_the_first_butler_to_the_signed_report(app: Flask, place: Place, desk: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    lead = desk("lead")
    row = rows(app, select(CheckRound))[0]
    page = lead.get("/rounds").text
    assert "2026-11" in page
    assert "一号片区管家" in lead.get(f"/rounds/{row.id}").text
    post = f"/rounds/{row.id}/posts/{place.org.post}"
    page = lead.get(post).text
    assert "今天还可以核对 3 次" in page
    assert "应为：<b>锦绣小新</b>" in page
    answer = act(lead, f"/rounds/items/{item(app, place, 'wechat_password').id}/check", typed=WRONG)
    assert answer.headers["Location"].startswith(post)
    page = lead.get(post).text
    assert "不一致：和备案的密码不同" in page
    assert "不会通知管家" in page
    assert "尚未通知管家" in page
    assert "等待管家说明" not in page
    assert f"/rounds/{row.id}/close" not in lead.get(f"/rounds/{row.id}").text
    refused = act(lead, f"/rounds/items/{item(app, place, 'appearance').id}/attest", result="match")
    assert refused.status_code == 422
    assert "要上传截图" in refused.text
    place.clock.move(30)
    finish(app, place, lead)
    assert rows(app, select(ChangeCase.state)) == ["dropped"]
    photo = item(app, place, "appearance").photos[0]
    shown = lead.get(f"/rounds/{row.id}/photos/{photo}")
    assert (shown.status_code, shown.content_type) == (200, "image/jpeg")
    early = lead.get(f"/rounds/{row.id}/close").text
    assert "还有" not in early, "what is not filed is a result of its own"
    seen = early.partition('name="seen" value="')[2][:64]
    for fields, told in (
        ({"ink": "", "password": PASSWORD}, "请在签名框内手写签名"),
        ({"ink": INK, "password": "not-his"}, "密码不正确"),
    ):
        refused = act(lead, f"/rounds/{row.id}/close", seen=seen, **fields)
        assert refused.status_code == 422
        assert told in refused.text
    assert act(lead, f"/rounds/{row.id}/close", seen="0" * 64, ink=INK, password=PASSWORD).status_code == 409
    assert act(lead, f"/rounds/{row.id}/close", seen=seen, ink=INK, password=PASSWORD).status_code == 303
    assert rows(app, select(Paper.number)) == ["HD-C1-2026-0001"]
    (report,) = rows(app, select(Paper.document))
    assert "锦绣花园 2026-11 月度核对报告" in report
    assert seen in report
    assert rows(app, select(CheckRound))[0].figures == {
        "all": 9, "open": 0, "match": 8, "mismatch": 0, "not_reachable": 0, "unfiled": 1, "waiving": 0, "waived": 0,
    }  # fmt: skip
    closed = act(lead, f"/rounds/items/{item(app, place, 'nickname').id}/attest", result="match")
    assert closed.status_code == 409
    assert act(lead, f"/rounds/{row.id}/close", seen=seen, ink=INK, password=PASSWORD).status_code == 409
    assert "签名结束" in lead.get(f"/rounds/{row.id}").text
    pages = [
        lead.get(path).text for path in (post, f"/rounds/{row.id}", "/rounds?state=all", "/rounds/cases")
    ]
    for secret in (PIN, SERVICE, WECHAT, WRONG):
        assert secret not in dump(app) + caplog.text + "".join(pages), "no typed or filed password anywhere"


def test_what_cannot_be_done_is_told_on_the_post_s_page(app: Flask, place: Place, desk: Any) -> None:
    lead = desk("lead")
    row, found = rows(app, select(CheckRound))[0], item(app, place, "wechat_password")
    post = f"/rounds/{row.id}/posts/{place.org.post}"
    for _ in range(3):
        act(lead, f"/rounds/items/{found.id}/check", typed="xxxxxxxx1")
    assert act(lead, f"/rounds/items/{found.id}/check", typed=WECHAT).status_code == 303
    page = lead.get(post).text
    assert "今天的核对次数已用完" in page
    place.rt.vault.drop_root()
    assert (
        act(lead, f"/rounds/items/{item(app, place, 'service_password').id}/check", typed=SERVICE).status_code
        == 303
    )
    page = lead.get(post).text
    assert "保持待核对" in page
    assert item(app, place, "service_password").state == "open"


def test_the_butler_sees_his_own_and_speaks(app: Flask, place: Place, desk: Any) -> None:
    lead, butler = desk("lead"), desk("butler", employee=place.org.zhang)
    other = desk("butler", employee=place.org.li)
    found = item(app, place, "wechat_password")
    upload(lead, f"/rounds/items/{item(app, place, 'appearance').id}/attest", result="match")
    photo = item(app, place, "appearance").photos[0]
    assert butler.get(f"/rounds/{found.round_id}/photos/{photo}").status_code == 200
    assert other.get(f"/rounds/{found.round_id}/photos/{photo}").status_code == 404
    act(lead, f"/rounds/items/{found.id}/check", typed=WRONG)
    place.clock.move(3600)
    run_jobs(app, place)
    page = butler.get("/my/round").text
    assert "微信密码：核对不一致" in page
    assert "提交说明" in page
    assert "提交说明" not in other.get("/my/round").text
    (case,) = rows(app, select(ChangeCase))
    path = f"/rounds/cases/{case.id}"
    assert act(other, f"{path}/statement", text="不是我").status_code == 404
    assert act(butler, f"{path}/statement", text="<b>我改的</b>").status_code == 303
    assert "&lt;b&gt;我改的" in lead.get(path).text
    assert act(lead, f"{path}/decide", finding="", reason="x").status_code == 422
    assert act(lead, f"{path}/decide", finding="unauthorised", reason="承认").status_code == 303
    assert "提出申诉" in butler.get("/my/round").text
    assert act(butler, f"{path}/appeal", text="营业厅重置").status_code == 303
    assert act(lead, f"{path}/answer", word="uphold", reason="x").status_code == 403
    second = desk("operations")
    assert "复核申诉" in second.get(path).text
    assert act(second, f"{path}/answer", word="overturn", reason="查明").status_code == 303
    assert "撤销原认定" in butler.get("/my/round").text


def test_lists_and_files(app: Flask, place: Place, desk: Any) -> None:
    auditor, row = desk("auditor"), rows(app, select(CheckRound))[0]
    assert "2026-11" in auditor.get("/rounds?state=open&month=2026-11&sort=-due_at").text
    assert "没有符合条件" in auditor.get("/rounds?month=2025-01").text
    assert auditor.get("/rounds?month=%00&sort=evil&state=x").status_code == 200
    second = auditor.get(f"/rounds/{row.id}/posts/{place.second}").text
    assert "没有备案，没有可以比对的密码" in second
    assert "/escrow/file" not in second, "an auditor files nothing"
    answer = auditor.get(f"/rounds/{row.id}/items.xlsx")
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
    assert sheet.max_row == 10
    assert [cell.value for cell in sheet[2]][:6] == [
        "一号片区管家",
        "张三",
        "E001",
        "GJ-1",
        "锁屏密码",
        "R07",
    ]
    assert act(auditor, f"/rounds/{row.id}/close", seen="", ink=INK, password=PASSWORD).status_code == 403
    place.clock.move(15 * 86_400)
    auditor.sign_in()
    if auditor.secret:
        act(auditor, "/enter/code", code=auditor.code())
    run_jobs(app, place)
    assert "已逾期" in auditor.get("/rounds").text


def test_reminders_and_escalation_are_told_once(app: Flask, place: Place, desk: Any) -> None:
    for days in (4, 1, 3, 2, 1, 2):
        place.clock.move(days * 86_400)
        run_jobs(app, place)
        run_jobs(app, place)
    titles = rows(
        app, select(Notice.title).where(Notice.kind == "round").order_by(Notice.created_at, Notice.id)
    )
    november = [t for t in titles if "2026-11" in t]
    assert november == [
        "月度核对 2026-11", "月度核对 2026-11 还有 8 项", "月度核对 2026-11 还有 8 项", "月度核对 2026-11 还有 8 项",
        "月度核对逾期：锦绣花园 2026-11",
    ]  # fmt: skip
    assert "月度核对 2026-12" in titles
    late = rows(app, select(Task).where(Task.key.startswith("round.late:")))
    assert [t.roles for t in late] == ["|operations|"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(CheckRound)) == 2
        db.session.remove()
