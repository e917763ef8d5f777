"""The desk's pages and a butler's own, by forms as a browser sends them."""

from __future__ import annotations

import re

import pytest

from app.http.pages import SHANGHAI
from tests.app.duty.conftest import HOUR


@pytest.fixture
def zhang(as_user, place):
    return as_user("butler", place.org.centre, employee=place.org.zhang, name="张三")


@pytest.fixture
def li(as_user, place):
    return as_user("butler", place.org.centre, employee=place.org.li, name="李四")


@pytest.fixture
def lead(as_user, place):
    return as_user("lead", place.org.centre, name="主管")


@pytest.fixture
def form(place, clock):
    def made(**changes):
        start = (clock.now() + HOUR).astimezone(SHANGHAI)
        minute = "%Y-%m-%dT%H:%M"
        base = {"phone": "GJ-1", "post": str(place.second), "note": "", "starts_at": start.strftime(minute)}
        return {**base, "ends_at": (start + 8 * HOUR).strftime(minute), **changes}

    return made


def page(caller, path, status=200):
    answer = caller.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def press(caller, text, verb, note="", **fields):
    path = re.search(rf'action="(/duty/[a-z]+/[0-9a-f-]+/{verb})"', text)[1]
    return caller.post(path, data={"note": note, **fields})


def test_a_butler_entrusts_another_accepts_and_gives_back(zhang, li, lead, form):
    assert "现在委托" in page(zhang, "/my/duty")
    offered = page(zhang, "/duty/delegations/new")
    assert "二号岗：李四" in offered
    assert "：张三" not in offered  # nobody entrusts himself
    answer = zhang.post("/duty/delegations", data=form(note="周日休息"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/my/duty")
    mine = page(zhang, "/my/duty")
    assert "等待接受" in mine
    assert "/accept" not in mine  # not his to accept
    asked = page(li, "/my/duty")
    assert "周日休息" in asked
    assert press(li, asked, "accept").headers["Location"] == "/duty"
    assert "/return" in page(zhang, "/my/duty")
    assert press(li, page(li, "/my/duty"), "return", back="/my/duty").headers["Location"] == "/my/duty"
    assert "已归还" in page(lead, "/duty")
    assert "没有符合条件的记录" in page(lead, "/duty?state=proposed")
    assert "GJ-1" in page(lead, "/duty?q=gj-1&state=returned")


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(zhang, form):
    for changes, status, text in (
        ({"ends_at": ""}, 422, "请填写时间"),
        ({"post": "x"}, 422, "请选择岗位"),
        ({"phone": "GJ-9"}, 422, "没有这个资产编号的手机"),
        ({"ends_at": "2026-11-01T00:00"}, 422, "结束必须晚于开始"),
    ):
        answer = zhang.post("/duty/delegations", data=form(note="说明在此", **changes))
        assert answer.status_code == status
        assert text in answer.text
        assert "说明在此" in answer.text


def test_an_act_that_came_too_late_is_said_and_not_an_error_page(zhang, li, form):
    zhang.post("/duty/delegations", data=form())
    asked = page(li, "/my/duty")
    assert press(zhang, page(zhang, "/my/duty"), "withdraw").status_code == 303
    answer = press(li, asked, "accept", back="/my/duty")
    assert answer.status_code == 303
    key = {"Idempotency-Key": "same"}
    path = re.search(r'action="(/duty/[a-z]+/[0-9a-f-]+/accept)"', asked)[1]
    for _ in range(2):  # the form's key stays taken by a refusal too
        assert li.post(path, data={}, headers=key).status_code == 303


def test_an_excuse_is_filed_and_approved_by_another(as_user, place, lead, clock, form):
    it = as_user("it", place.org.centre, name="小王")
    fields = form(reason="repair", note="送修换屏", ends_at="")
    assert it.post("/duty/excuses", data=fields).headers["Location"] == "/duty?show=excuses"
    assert "/approve" not in page(it, "/duty?show=excuses")
    shown = page(lead, "/duty?show=excuses&state=pending")
    assert "送修换屏" in shown
    assert "小王" in shown
    press(lead, shown, "approve")
    assert "已批准" in page(it, "/duty?show=excuses")
    bad = it.post("/duty/excuses", data=form(reason="maintenance", note="升级", ends_at=""))
    assert (bad.status_code, "只有维修可以不写结束时间" in bad.text) == (422, True)


def test_who_may_see_what(as_user, place, zhang):
    page(zhang, "/duty", 403)
    page(zhang, "/duty/excuses/new", 403)
    auditor = as_user("auditor", place.org.centre)
    assert "代为委托" not in page(auditor, "/duty")
    page(auditor, "/duty/excuses/new", 403)
    assert "账号没有对应的员工" in page(auditor, "/my/duty")
    foreign = as_user("operations", place.org.other_centre)
    assert "二号岗" not in page(foreign, "/duty/delegations/new")
