"""Pages and API: who sees what, what is pressed, what a form says back."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest

from app.remedy.model import RemedyCase
from tests.app.remedy.remedy_world import BAD, World
from tests.support.agents import package


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_pages_of_a_case_from_finding_to_removed(world: World, as_user: Any) -> None:
    lead = as_user("lead", world.org.centre, name="李主管")
    assert "没有要办的整改" in lead.get("/remedies").text
    world.to("told_butler")
    case_id = world.case().id
    listed = lead.get("/remedies").text
    assert "GJ-0000" in listed
    assert "抖音" in listed
    assert "张三" in listed
    page = lead.get(f"/remedies/{case_id}").text
    assert "会丢失" in page
    assert "长按" in page
    refused = lead.post(f"/remedies/{case_id}/order", data={"reason": "不能装"})
    assert refused.status_code == 422
    assert "请确认" in refused.text
    assert "不能装" in refused.text, "what was typed is still there"
    sent = lead.post(f"/remedies/{case_id}/order", data={"reason": "不能装", "accept_loss": "yes"})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/remedies/{case_id}")
    page = lead.get(f"/remedies/{case_id}").text
    assert "等有这台手机的网关来取指令" in page
    assert "取消移除" in page
    assert len(world.offered(package(BAD))) == 1
    assert "不要拔线" in lead.get(f"/remedies/{case_id}").text
    world.gone()
    world.clock.move(20)
    world.find()
    page = lead.get(f"/remedies/{case_id}").text
    assert "已移除并核实" in page
    assert "没有安装" in page
    assert "办理中" in lead.get("/remedies?state=removed").text
    assert "没有要办的整改" in lead.get("/remedies").text
    history = lead.get(f"/history/handset/{world.phone}?room=remedy")
    assert "下令移除" in history.text


def test_a_task_says_why_and_what_to_do(world: World, as_user: Any) -> None:
    world.to("removing")
    world.tell(
        "succeeded", "unchanged", {"installed": True, "enabled": 0, "suspended": False}, "vendor_setting"
    )
    page = as_user("it", world.org.centre).get(f"/remedies/{world.case().id}").text
    assert "手机拒绝了卸载" in page
    assert "USB 调试（安全设置）" in page
    assert "/guides/debugging/xiaomi" in page
    tasks = as_user("lead", world.org.centre).get("/tasks").text
    assert "整改 GJ-0000" in tasks


def test_filters_sorting_and_excel(world: World, as_user: Any) -> None:
    lead = as_user("lead", world.org.centre)
    world.find(package(BAD), package("=cmd.game"))
    for query in (
        "q=aweme", "phone=GJ-0000", f"phone={world.phone}", "code=app_forbidden", "sort=state", "sort=-code",
        f"centre={world.org.centre}", "state=", "state=told_butler",
    ):  # fmt: skip
        assert "抖音" in lead.get(f"/remedies?{query}").text, query
    for query in ("q=xyz", "phone=GJ-9999", "state=removed", "code=nothing"):
        assert "没有符合条件" in lead.get(f"/remedies?{query}").text, query
    answer = lead.get("/remedies.xlsx?state=")
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][1] == "资产编号"
    assert BAD in {row[5] for row in rows}


def test_who_sees_and_who_may(world: World, as_user: Any, anonymous: Any) -> None:
    world.to("told_butler")
    path = f"/remedies/{world.case().id}"
    assert anonymous.get(path).status_code in (302, 303, 401)
    assert as_user("lead", world.org.other_centre).get(path).status_code == 404
    butler = as_user("butler", world.org.centre, employee=world.org.zhang)
    assert butler.get(path).status_code == 403
    auditor = as_user("auditor", world.org.centre)
    assert "现在没有要您办理的事" in auditor.get(path).text
    form = {"reason": "x", "accept_loss": "yes"}
    assert auditor.post(f"{path}/order", data=form).status_code == 403
    assert as_user("it", world.org.centre).post(f"{path}/dismiss", data=form).status_code == 403
    assert as_user("it", world.org.centre).get(f"{path}/order").status_code == 405, "no GET changes anything"
    assert world.state == "told_butler"


def test_the_butlers_own_list(world: World, as_user: Any) -> None:
    zhang = as_user("butler", world.org.centre, employee=world.org.zhang)
    assert "没有要整改的" in zhang.get("/my/remedies").text
    world.to("told_butler")
    page = zhang.get("/my/remedies").text
    assert "GJ-0000" in page
    assert "长按" in page
    assert "前处理" in page
    li = as_user("butler", world.org.centre, employee=world.org.li)
    assert "GJ-0000" not in li.get("/my/remedies").text
    assert "没有对应的员工" in as_user("lead", world.org.centre).get("/my/remedies").text
    world.order()
    assert "已下令移除" in zhang.get("/my/remedies").text


def test_the_same_by_api(world: World, as_user: Any, rows: Any) -> None:
    lead = as_user("lead", world.org.centre)
    world.to("told_butler")
    [found] = lead.get("/api/v1/remedies?state=told_butler").get_json()["items"]
    path = f"/api/v1/remedies/{found['id']}"
    detail = lead.get(path).get_json()
    assert detail["acts"] == ["dismiss", "order"]
    assert detail["blocked"] == []
    assert [step["step"] for step in detail["steps"]] == ["open", "fail", "tell"]
    assert lead.post(f"{path}/order", json={"reason": "x"}).status_code == 422
    assert lead.post(f"{path}/order", json={"reason": "x", "accept_loss": False}).status_code == 422
    ordered = lead.post(f"{path}/order", json={"reason": "不能装", "accept_loss": True}).get_json()
    assert ordered["state"] == "ordered"
    again = lead.post(f"{path}/order", json={"reason": "不能装", "accept_loss": True})
    assert (again.status_code, again.get_json()["code"]) == (409, "remedy_state")
    assert lead.post(f"{path}/cancellation", json={"reason": "误按"}).get_json()["state"] == "task"
    assert lead.post(f"{path}/dismissal", json={"reason": "演示"}).get_json()["state"] == "dismissed"
    assert lead.post(f"{path}/restoration", json={"reason": "演示"}).status_code == 409
    assert as_user("lead", world.org.other_centre).get(path).status_code == 404
    assert len(rows(RemedyCase)) == 1


def test_one_press_orders_once(world: World, as_user: Any) -> None:
    lead = as_user("lead", world.org.centre)
    world.to("told_butler")
    path, key = f"/api/v1/remedies/{world.case().id}/order", {"Idempotency-Key": "k" * 32}
    body = {"reason": "x", "accept_loss": True}
    first, second = (lead.post(path, json=body, headers=key) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert world.case().orders == 1
