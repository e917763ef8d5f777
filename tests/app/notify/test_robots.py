"""Group robots: whose addresses are taken, how they are kept, and that they never say a name."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid
from app.kernel.outbox import OutboxMessage
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, tell
from app.notify.jobs import JOBS
from app.notify.model import Robot
from app.notify.robots import add_robot, normal_address, opened
from app.runtime import runtime
from app.scheduler import run_job, write_transaction
from tests.app.notify.conftest import NOW
from tests.app.notify.servers import http_server

_, COUNT, SEND, _ = JOBS


@pytest.mark.parametrize(
    ("text", "signing", "url", "hint"),
    [
        (
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abcd-1234",
            "",
            "wecombot://abcd-1234",
            "企业微信 …1234",
        ),
        ("https://oapi.dingtalk.com/robot/send?access_token=abcdef", "", "dingtalk://abcdef", "钉钉 …cdef"),
        (
            "https://oapi.dingtalk.com/robot/send?access_token=abcdef",
            "SEC12",
            "dingtalk://SEC12@abcdef",
            "钉钉 …cdef",
        ),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/ab-cdef", "", "feishu://ab-cdef", "飞书 …cdef"),
        ("wecombot://abcd1234", "", "wecombot://abcd1234", "企业微信 …1234"),
    ],
)
def test_the_addresses_that_makers_show_are_taken(text, signing, url, hint):
    assert normal_address(text, signing) == (url or text, hint)


@pytest.mark.parametrize(
    "text",
    ["", "x", "https://evil.example/hook", "mailto://a:b@c.de", "file:///etc/passwd", "json://10.0.0.1/x",
     "syslog://", "wecombot://\n", "https://oapi.dingtalk.com/robot/send?access_token=a/../b"],
)  # fmt: skip
def test_other_addresses_are_refused(text):
    with pytest.raises(Invalid):
        normal_address(text)


@pytest.fixture
def group():
    with http_server() as server:
        yield server


@pytest.fixture
def robot(app, org, group):
    with app.app_context(), write_transaction() as session:
        url = group.url.replace("http://", "json://")
        here = app.extensions["butler"]
        return add_robot(session, SYSTEM, here.keys, centre_id=org.centre, name="工作群", url=url, now=NOW).id


def tell_group(app, org, key, kind, now, centre=None):
    with app.app_context(), write_transaction() as session:
        tell(
            session, key=key, kind=kind, centre_id=centre or org.centre, title="张三的 GJ-1 关机",
            body="张三 13800138000",
            to=Recipients(employees=(org.zhang,), group=True), now=now,
        )  # fmt: skip


def test_a_robot_says_counts_and_never_a_name(app, org, robot, group, clock):
    for n in range(3):
        tell_group(app, org, f"i{n}", "incident", clock.now())
    tell_group(app, org, "secret", "张三被扣钱", clock.now())
    tell_group(app, org, "foreign", "incident", clock.now(), org.other_centre)
    assert run_job(app, COUNT) == 1
    assert run_job(app, SEND) == 1
    ((_, _, body),) = group.got
    assert body["message"] == "锦绣花园新增：关机事件 3 件，其他通知 1 件。详情请登录系统查看。"
    assert "张三" not in str(body)
    assert "GJ" not in str(body)
    assert (run_job(app, COUNT), run_job(app, SEND)) == (0, 0)


def test_a_robot_speaks_at_most_once_an_hour_and_never_at_night(app, org, robot, group, clock):
    tell_group(app, org, "a", "incident", clock.now())
    run_job(app, COUNT)
    clock.move(3599)
    tell_group(app, org, "b", "incident", clock.now())
    tell_group(app, org, "c", "allowance_cancelled", clock.now())
    assert run_job(app, COUNT) == 0
    clock.move(1)
    assert run_job(app, COUNT) == 1
    clock.set(dt.datetime(2026, 11, 22, 13, 0, tzinfo=dt.UTC))  # 21:00 in Shanghai
    tell_group(app, org, "d", "incident", clock.now())
    assert run_job(app, COUNT) == 0
    clock.move(11 * 3600)
    assert run_job(app, COUNT) == 1
    run_job(app, SEND)
    assert [body["message"].count("件") for _, _, body in group.got] == [2, 3, 2]


def test_its_address_is_sealed_in_its_own_row_and_forgotten_when_retired(app, org, robot, group, client):
    with app.app_context():
        row = db.session.get(Robot, robot)
        assert b"127.0.0.1" not in row.sealed
        assert opened(runtime().keys, row).startswith("json://127.0.0.1")
        db.session.expunge(row)
        row.id = org.post
        with pytest.raises(DomainError):
            opened(runtime().keys, row)
    page = client.get("/notify").text
    assert "工作群" in page
    assert "127.0.0.1" not in page
    assert client.post(f"/notify/robots/{robot}/retire", data={"_version": "9"}).status_code == 412
    assert client.post(f"/notify/robots/{robot}/retire", data={"_version": "1"}).status_code == 303
    with app.app_context():
        row = db.session.get(Robot, robot)
        assert (row.sealed, row.retired_at is not None) == (b"", True)
    assert client.post(f"/notify/robots/{robot}/test").status_code == 404


def test_a_robot_that_refuses_is_tried_again(app, org, robot, group, clock, client, as_user):
    group.status = 500
    assert client.post(f"/notify/robots/{robot}/test").status_code == 303
    run_job(app, SEND)
    with app.app_context():
        row = db.session.scalars(select(OutboxMessage)).one()
        assert (row.last_error, row.sent_at) == ("robot_refused_or_unreachable", None)
    group.status = 200
    clock.move(60)
    assert run_job(app, SEND) == 1
    assert "这是一条测试" in group.got[-1][2]["message"]


def test_who_may_keep_robots(org, as_user, robot):
    form = {"centre": str(org.centre), "name": "群", "url": "wecombot://abcd1234"}
    assert as_user("operations", org.centre).post("/notify/robots", data=form).status_code == 403
    assert as_user("lead", org.centre).get("/notify").status_code == 403
    foreign = as_user("admin", org.other_centre)
    foreign.post("/notify/robots", data=form)
    assert "群" not in as_user("admin").get("/notify").text.replace("群机器人", "").replace("工作群", "")
    assert foreign.post(f"/notify/robots/{robot}/retire", data={"_version": "1"}).status_code == 404
    here = as_user("admin", org.centre)
    assert here.post("/notify/robots", data={**form, "name": "新群"}).status_code == 303
    assert "新群" in here.get("/notify").text
    assert "abcd1234" not in here.get("/notify").text
