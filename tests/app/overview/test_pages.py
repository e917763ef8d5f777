"""The pages as a person sees them, made from real check-ins."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from app.commands import Command, State
from app.compliance.rules import Status
from app.fleet.model import Agent, EnrolmentToken
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.idempotency import IdempotencyRecord
from app.kernel.tenancy import SYSTEM, Principal
from app.overview import words as page_words
from app.overview.service import phone_lines
from app.readings.schemas import UNREACHED_REASONS
from app.registry import Handset, KitAssignment, PostHolding
from tests.support.agents import FakeAgent, package, reading, with_sections
from tests.support.browser import Browser, words
from tests.support.fleet import Phones

Rows = Callable[..., list[Any]]
APPS = [package("com.tencent.mm"), package("com.ss.android.ugc.aweme", installer=None)]


def test_an_empty_installation_says_what_to_do_next(browser: Browser) -> None:
    text = browser.text("/")
    assert "还没有登记手机" in text
    assert "python -m agent enrol" in text
    assert "还没有网关" in browser.text("/gateways")
    assert "没有命令" in browser.text("/commands")


def test_a_phone_that_was_never_read_is_unknown(browser: Browser, phones: Phones) -> None:
    text = browser.text("/")
    for tag in ("GJ-0000", "GJ-0001", "GJ-0002"):
        assert tag in text
    assert "0 开机 3 未知" in text
    assert "0 合规 0 宽限期内 0 不合规 3 未知" in text
    assert "从未读到" in text
    page = browser.text(f"/phones/{phones['S1']}")
    assert "还没有读到过这台手机的应用，所以无法判定" in page
    assert "应用列表还没有读到" in page


def test_a_read_phone_is_told_with_its_proof(
    browser: Browser, gateway: FakeAgent, phones: Phones, clock: FixedClock
) -> None:
    gateway.checkin(readings=[with_sections(reading(), packages=APPS, users=[])])
    text = browser.text("/")
    assert "1 开机 2 未知" in text
    assert "0 合规 0 宽限期内 1 不合规 2 未知" in text
    assert "87%" in text
    assert "1 在线 0 失联 0 从未上报" in text
    page = browser.text(f"/phones/{phones['S1']}")
    assert "开机 自 2026-11-22 09:43" in page
    assert "com.ss.android.ugc.aweme" in page
    assert "未知或直接安装" in page
    assert "已证实 1%" in page
    clock.move(3600)
    later = browser.text("/")
    assert "0 开机 3 未知" in later, "a silent phone is unknown, never off"
    assert "最后证实开机： 1 小时前" in later
    assert "0 在线 1 失联 0 从未上报" in later


def test_what_was_not_read_says_why(browser: Browser, gateway: FakeAgent, phones: Phones) -> None:
    gateway.checkin(readings=[with_sections(reading(), packages=APPS)])
    unread = [{"section": "packages", "reason": "permission <denied>"}]
    failed = {"target": "tcp:10.0.0.9:5555", "phone": "S1", "age_s": 1.0, "reason": "unauthorized"}
    gateway.checkin(readings=[reading(uptime_s=1002.0, age_s=0.5, unread=unread)], unreached=[failed])
    answer = browser.get(f"/phones/{phones['S1']}")
    assert "permission &lt;denied&gt;" in answer.text
    page = words(answer.text)
    assert "上面显示的是更早读到的内容" in page
    assert "手机还没有允许这台电脑调试" in page
    assert "不证明关机" in page


def test_a_phone_that_tells_only_what_it_must_is_shown(
    browser: Browser, gateway: FakeAgent, phones: Phones
) -> None:
    """Every field that may be null may be left out as well."""
    sections: dict[str, Any] = {
        "identity": {},
        "packages": [{"name": "com.bare", "user": 10}],
        "users": [{"id": 0, "name": "Owner"}],
        "sim": [{"slot": 0, "state": "SOMETHING_NEW"}],
        "setup": {"lock_screen": "unknown"},
        "storage": {},
    }
    power = {"battery_percent": None, "charging": None, "airplane_mode": None, "screen_on": None}
    entry = with_sections(reading(power=power, boot_count=None), **sections)
    assert gateway.checkin(readings=[entry]).get_json()["rejected"] == []
    page = browser.text(f"/phones/{phones['S1']}")
    assert "com.bare — 未知或直接安装 未知 10" in page
    assert "SOMETHING_NEW" in page


def test_words_of_a_phone_are_never_markup(browser: Browser, gateway: FakeAgent, phones: Phones) -> None:
    evil = '"><script>alert(1)</script>'
    apps = [package(evil, version_name=evil, installer=evil)]
    identity = {"serial": "S1", "model": evil, "android_release": evil, "imei": []}
    gateway.checkin(readings=[with_sections(reading(), packages=apps, identity=identity, users=[])])
    gateway.checkin(readings=[reading("NEW1", target=evil)])
    for path in (
        "/",
        f"/phones/{phones['S1']}",
        f"/phones/{phones['S1']}?app=%22%3E%3Cscript%3E",
        "/gateways",
    ):
        assert "<script>" not in browser.get(path).text


def test_unregistered_phones_are_shown_with_what_to_do(browser: Browser, gateway: FakeAgent) -> None:
    gateway.checkin(readings=[reading("NEW1", target="tcp:10.0.0.9:5555")])
    text = browser.text("/")
    assert "看到但没有登记的手机" in text
    assert "NEW1" in text
    assert "python -m agent adopt tcp:10.0.0.9:5555" in text


def test_the_list_is_filtered_searched_and_sorted(
    browser: Browser, gateway: FakeAgent, phones: Phones
) -> None:
    gateway.checkin(readings=[reading("S1")])
    assert "GJ-0001" not in browser.text("/?power=on")
    assert "GJ-0000" not in browser.text("/?power=unknown")
    assert "1 台，共 3 台" in browser.text("/?q=gj-0002")
    assert "没有符合条件的手机" in browser.text("/?q=nothing-like-this")
    assert "GJ-0000" not in browser.text(f"/?centre={phones.other_centre}")
    order = browser.text("/?sort=-tag")
    assert order.index("GJ-0002") < order.index("GJ-0000")
    for odd in ("/?page=-1", "/?page=x", "/?sort=%00", "/?centre=zzz", "/?power=maybe", "/?q=" + "a" * 3000):
        assert browser.get(odd).status_code == 200


def test_custody_is_told_now_and_before(
    app: Flask, browser: Browser, phones: Phones, org: Any, clock: FixedClock
) -> None:
    stamp = {
        "created_at": clock.now(),
        "updated_at": clock.now(),
        "centre_id": org.centre,
        "post_id": org.post,
    }
    start = clock.now()
    with app.app_context():
        session = begin_write(db.session())
        session.add(KitAssignment(handset_id=phones["S1"], valid_from=start, **stamp))
        moved = clock.move(600)
        session.add(PostHolding(employee_id=org.zhang, valid_from=start, valid_to=moved, **stamp))
        session.add(PostHolding(employee_id=org.li, valid_from=moved, **stamp))
        session.commit()
    page = browser.text(f"/phones/{phones['S1']}")
    assert "现在 李四" in page
    assert page.index("李四") < page.index("张三")
    assert "一号片区管家 李四" in browser.text("/")


def test_read_now_is_queued_once_and_can_be_taken_back(browser: Browser, phones: Phones, rows: Rows) -> None:
    path = f"/phones/{phones['S1']}"
    assert browser.submit(path, f"{path}/read").location == path
    assert "已加入队列" in browser.text(path)
    assert browser.submit(path, f"{path}/read").status_code == 303
    text = browser.text(path)
    assert "已经有一条读取命令" in text
    assert "等待网关" in text
    (command,) = rows(Command)
    answer = browser.submit(path, f"/commands/{command.id}/cancel", back=path)
    assert (answer.status_code, answer.location) == (303, path)
    shown = browser.text("/commands")
    assert "已取消" in shown
    assert command.created_by not in shown, "a name, not an id"
    assert [c.state for c in rows(Command)] == ["cancelled"]
    assert "没有命令" in browser.text("/commands?state=active")


def test_a_double_click_acts_once(browser: Browser, phones: Phones, rows: Rows) -> None:
    fields = {"_idempotency_key": "one-press"}
    for _ in range(2):
        assert browser.post(f"/phones/{phones['S1']}/read", fields).status_code == 303
    assert len(rows(Command)) == 1
    assert browser.post(f"/phones/{phones['S1']}/read").status_code == 400


def test_what_an_agent_holds_cannot_be_taken_back(
    browser: Browser, gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    path = f"/phones/{phones['S1']}"
    gateway.checkin(readings=[reading()])
    browser.submit(path, f"{path}/read")
    gateway.checkin()
    (command,) = rows(Command)
    assert command.state == "leased"
    assert "/cancel" not in browser.get(path).text
    answer = browser.post(f"/commands/{command.id}/cancel", {"_idempotency_key": "k"})
    assert answer.status_code == 409
    assert "可能正在执行" in answer.text


def test_a_code_is_shown_once_and_kept_nowhere(
    app: Flask, browser: Browser, phones: Phones, rows: Rows
) -> None:
    fields = {"_idempotency_key": "k1", "centre_id": str(phones.centre), "name": "东门岗亭", "hours": "1"}
    answer = browser.post("/gateways/codes", fields)
    code = words(answer.text).partition("按回车： ")[2].split()[0]
    token = code.split("#")[1]
    assert FakeAgent(app, app.extensions["butler"].clock.now).enrol(token).status_code == 201
    again = browser.post("/gateways/codes", fields)
    assert again.status_code == 409
    assert "只显示一次" in again.text
    assert token not in again.text
    assert all(token.encode() not in (row.body or b"") for row in rows(IdempotencyRecord))
    assert len(rows(EnrolmentToken)) == 1
    assert "东门岗亭" in browser.text("/gateways")


@pytest.mark.parametrize(
    "fields",
    [
        {"centre_id": "x"},
        {"centre_id": str(uuid.uuid4())},
        {"hours": "0"},
        {"hours": "-1"},
        {"name": "a" * 101},
        {"extra": "1"},
    ],
)
def test_a_wrong_form_makes_no_code(
    browser: Browser, phones: Phones, rows: Rows, fields: dict[str, str]
) -> None:
    good = {"_idempotency_key": "k", "centre_id": str(phones.centre), "name": "x", "hours": "1"}
    answer = browser.post("/gateways/codes", {**good, **fields})
    assert answer.status_code in (404, 422)
    assert rows(EnrolmentToken) == []


def test_revoking_asks_first_and_needs_a_reason(
    browser: Browser, gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    path = f"/gateways/{gateway.agent_id}/revoke"
    assert "不能恢复" in browser.text(path)
    assert [agent.revoked_at for agent in rows(Agent)] == [None]
    assert browser.submit(path, path, reason="").status_code == 422
    assert browser.submit(path, path, reason="电脑报废").status_code == 303
    text = browser.text("/gateways?revoked=1")
    assert "已吊销" in text
    assert "电脑报废" in text
    assert gateway.checkin().status_code == 403


def test_of_other_centres_nothing_is_seen(
    app: Flask, browser: Browser, gateway: FakeAgent, phones: Phones, clock: FixedClock
) -> None:
    gateway.checkin(readings=[reading("S1")])
    mine = Principal(user="u", roles=frozenset({"operations"}), centres=frozenset({phones.other_centre}))
    with app.app_context():
        policies = app.extensions["butler"].policies
        assert [line.serial for line in phone_lines(db.session(), mine, clock.now(), policies, {})] == ["F1"]
        everything = phone_lines(db.session(), SYSTEM, clock.now(), policies, {})
        assert [line.serial for line in everything] == ["S1", "S2", "F1"]
    assert browser.get(f"/phones/{uuid.uuid4()}").status_code == 404
    assert browser.get("/phones/x").status_code == 404


def test_a_page_of_many_phones_asks_the_database_no_more_often(
    app: Flask, browser: Browser, gateway: FakeAgent, phones: Phones, clock: FixedClock
) -> None:
    def statements() -> int:
        seen: list[str] = []
        with app.app_context():
            engine = db.engine

        def note(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert browser.get("/").status_code == 200
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    gateway.checkin(readings=[reading("S1"), reading("S2")])
    few = statements()
    with app.app_context():
        session = begin_write(db.session())
        stamp: dict[str, Any] = {"created_at": clock.now(), "updated_at": clock.now(), "specification": {}}
        session.add_all(
            Handset(centre_id=phones.centre, asset_tag=f"M{n}", serial=f"M{n}", brand="b", model="m", **stamp)
            for n in range(120)
        )
        session.commit()
        assert session.scalar(select(func.count()).select_from(Handset)) == 123
    assert statements() == few


def test_every_code_of_the_rooms_has_its_word() -> None:
    assert set(page_words.COMMAND) == set(State)
    assert set(page_words.VERDICT) == set(Status) - {Status.EXEMPT}
    assert set(page_words.FINDING) == set(Status)
    assert set(page_words.POWER) == {"on", "off", "unknown"}
    assert set(page_words.UNREACHED) == set(UNREACHED_REASONS)
