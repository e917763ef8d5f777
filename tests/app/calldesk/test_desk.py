"""The desk: one tap a result, a probe at once after "powered off", undo and correction on the page, the API by role."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.calldesk.service import keep_lists
from app.dialling import DialCall, DialTest, ask_dial
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.probes import Probe
from tests.app.conftest import Caller, Org
from tests.support.browser import Browser, words
from tests.support.fleet import Phones
from tests.support.kits import Kit

Rows = Callable[..., list[Any]]


@pytest.fixture
def call(app: Flask, kit: Kit, clock: FixedClock, rows: Rows) -> str:
    with app.app_context():
        session = begin_write(db.session())
        ask_dial(session, kit.handset, "probe", clock.now())
        session.commit()
        db.session.remove()
    return str(rows(DialCall)[0].id)


def test_nothing_to_call(browser: Browser) -> None:
    assert "现在没有要拨的号码" in browser.text("/dialling")
    assert "还没有拨测记录" in browser.text("/dialling/tests")


def test_one_tap_and_back(browser: Browser, call: str, kit: Kit, clock: FixedClock, rows: Rows) -> None:
    page = browser.get("/dialling").text
    assert 'href="tel:+8613800000001"' in page
    assert "有疑点 探测没有连上" in words(page)
    path = f"/dialling/calls/{call}/result"
    tapped = browser.submit("/dialling", path, number_id=str(kit.number), result="powered_off")
    (test,) = rows(DialTest)
    assert tapped.location == f"/dialling?done={test.id}"
    assert [p.handset_id for p in rows(Probe)] == [kit.handset]
    after = browser.text(tapped.location)
    assert "GJ-0000 138 0000 0001： 已关机 已记录（2026-11-22 10:00:00）" in after
    assert "按错了，撤销" in after
    browser.submit(tapped.location, f"/dialling/tests/{test.id}/undo")
    assert "有疑点" in browser.text("/dialling")
    browser.submit("/dialling", path, number_id=str(kit.number), result="answered")
    clock.move(61)
    late = browser.text("/dialling")
    assert "今天已拨 1 个" in late
    assert "撤销" not in late
    newest = max(rows(DialTest), key=lambda row: row.id)
    path = f"/dialling/tests/{newest.id}/correct"
    assert browser.submit(path, path, result="rings", reason="没人说话").location == "/dialling/tests?all=1"
    record = browser.text("/dialling/tests?all=1")
    for word in ("响铃无人接", "没人说话", "接通 已被更正", "撤销（没有拨过）"):
        assert word in record
    plain = browser.text("/dialling/tests")
    assert "接通 已被更正" not in plain
    assert "没人说话" in plain
    assert "这条记录已被更正过" in browser.text(path)


def test_a_double_tap_is_one_record(browser: Browser, call: str, kit: Kit, rows: Rows) -> None:
    form = {"_idempotency_key": "k", "number_id": str(kit.number), "result": "rings"}
    answers = [browser.post(f"/dialling/calls/{call}/result", form) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert len(rows(DialTest)) == 1
    other = browser.post(f"/dialling/calls/{call}/result", {**form, "_idempotency_key": "l"})
    assert other.status_code == 409


def test_a_phone_is_added_and_dropped_by_hand(browser: Browser, kit: Kit, rows: Rows) -> None:
    found = browser.text("/dialling?q=13800000001")
    assert "GJ-0000 一号片区管家 138 0000 0001" in found
    page = "/dialling?q=GJ-0000"
    browser.submit(page, "/dialling/add", handset_id=str(kit.handset))
    assert "已在名单上" in browser.text(page)
    (row,) = rows(DialCall)
    browser.submit("/dialling", f"/dialling/calls/{row.id}/drop")
    assert "现在没有要拨的号码" in browser.text("/dialling")
    assert browser.post("/dialling/add", {"_idempotency_key": "x"}).status_code == 422


def test_a_phone_without_a_number_says_so(
    app: Flask, browser: Browser, phones: Phones, clock: FixedClock
) -> None:
    with app.app_context():
        session = begin_write(db.session())
        ask_dial(session, phones["S2"], "report", clock.now())
        session.commit()
        db.session.remove()
    page = browser.text("/dialling")
    assert "没有登记号码，无法拨测" in page
    assert "已关机 停机" not in page


def test_lists_are_kept_for_every_centre(
    app: Flask, kit: Kit, org: Org, clock: FixedClock, rows: Rows
) -> None:
    policies = app.extensions["butler"].policies
    for now, changed in ((clock.now(), 1), (clock.now(), 0), (clock.move(86400), 2)):
        with app.app_context():
            session = begin_write(db.session())
            assert keep_lists(session, policies, now) == changed
            session.commit()
            db.session.remove()
    assert sorted(row.state for row in rows(DialCall)) == ["lapsed", "open"]
    assert {row.day for row in rows(DialCall)} == {dt.date(2026, 11, 22), dt.date(2026, 11, 23)}


def test_the_api_by_role(call: str, kit: Kit, org: Org, as_user: Callable[..., Caller], rows: Rows) -> None:
    calls, body = "/api/v1/dialling/calls", {"number_id": str(kit.number), "result": "powered_off"}
    operations, zhang = as_user("operations", org.centre), as_user("lead", org.centre, employee=org.zhang)
    for role in ("butler", "it", "finance"):
        assert as_user(role, org.centre).get(calls).status_code == 403
    assert as_user("operations", org.other_centre).get(calls).json["items"] == []
    assert zhang.get(calls).json["items"] == []
    assert zhang.post(f"{calls}/{call}/result", json=body).json["code"] == "own_phone"
    (listed,) = operations.get(calls).json["items"]
    assert (listed["id"], listed["e164"], listed["source"]) == (call, "+8613800000001", "asked")
    assert operations.post(calls, json={"handset_id": str(kit.handset)}).json == {"added": False}
    made = operations.post(f"{calls}/{call}/result", json=body)
    assert (made.status_code, made.json["result"], made.json["by"]) == (
        201,
        "powered_off",
        str(operations.user_id),
    )
    assert operations.post(f"{calls}/{call}/result", json=body).status_code == 409
    test = f"/api/v1/dialling/tests/{made.json['id']}"
    fixed = operations.post(f"{test}/correct", json={"result": "busy", "reason": "听错"})
    assert (fixed.status_code, fixed.json["corrects"]) == (201, made.json["id"])
    assert operations.post(f"{test}/correct", json={"result": "busy", "reason": "听错"}).status_code == 409
    assert [t["result"] for t in operations.get("/api/v1/dialling/tests").json["items"]] == ["busy"]
    assert operations.post(f"/api/v1/dialling/tests/{fixed.json['id']}/undo").status_code == 204
    assert operations.post(f"/api/v1/dialling/tests/{uuid.uuid4()}/undo").status_code == 404
    assert len(as_user("auditor", org.centre).get("/api/v1/dialling/tests?corrected=true").json["items"]) == 3
