"""The desk's pages and a butler's own, by forms as a browser sends them."""

from __future__ import annotations

import io
import re

import pytest
from python_calamine import CalamineWorkbook

from tests.app.hardware.conftest import DAY

PHONE = {
    "brand": "Redmi", "model": "13C", "serial": "SERIAL-NEW", "imei1": "", "imei2": "", "spec-内存": "8GB",
    "spec-存储": "256GB", "price": "1200", "invoice_number": "FP-1", "asset_tag": "GJ-2",
}  # fmt: skip


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def people(as_user, place):
    centre = place.org.centre
    made = {role: as_user(role, centre) for role in ("lead", "operations", "it", "finance", "auditor")}
    made["second"] = as_user("lead", centre)
    made["zhang"] = as_user("butler", centre, employee=place.org.zhang, name="张三")
    made["li"] = as_user("butler", centre, employee=place.org.li, name="李四")
    made["foreign"] = as_user("lead", place.org.other_centre)
    return made


def page(caller, path, status=200):
    answer = caller.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def send(caller, path, status=303, photos=(), **data):
    if photos:
        data["photos"] = [(io.BytesIO(one), f"{number}.jpg") for number, one in enumerate(photos)]
    answer = caller.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == status, answer.text
    return answer


@pytest.fixture
def case(people, place, photo):
    """Reported by the butler himself, with a photo; its path at the desk."""
    send(
        people["zhang"], "/my/cases/new", photos=[photo], handset=place.phone, kind="damage",
        happened_at="2026-11-21T09:00", words="屏幕碎了",
    )  # fmt: skip
    listed = page(people["lead"], "/hardware")
    return re.search(r'href="(/hardware/[0-9a-f-]{36})"', listed)[1]


def test_from_the_report_to_the_month_that_pays(people, case, photo, clock):
    lead, zhang, finance = people["lead"], people["zhang"], people["finance"]
    own = case.replace("/hardware/", "/my/cases/")
    mine = page(zhang, "/my/cases")
    assert "屏幕碎了" in mine
    assert f'action="{own}/state"' in mine
    assert "judge" not in mine
    sha = re.search(rf'src="({case}/photos/[0-9a-f]+)"', mine)[1]
    assert zhang.get(sha).data[:2] == b"\xff\xd8"
    assert people["li"].get(sha).status_code == 404
    assert lead.get(f"{case}/photos/{'0' * 64}").status_code == 404
    send(zhang, f"{own}/state", words="楼道里摔的")
    assert "楼道里摔的" in page(lead, case)
    refused = send(lead, f"{case}/judge", 422, cause="human", way="replace", words=" ")
    assert "请写明依据" in refused.text
    send(lead, f"{case}/judge", cause="human", way="replace", words="看过照片")
    assert "本人承担" in page(zhang, "/my/cases")
    send(zhang, f"{own}/refuse", reason="")
    refused = send(lead, f"{case}/buy", 422, **PHONE, months="3")
    assert "请上传发票照片" in refused.text
    assert "FP-1" in refused.text  # what was typed stays
    send(lead, f"{case}/buy", photos=[photo], **PHONE, months="3")
    told = page(lead, case)
    assert "¥900.00" in told
    assert "待财务确认" in told
    assert "KK-C1-2026-0001" in told
    refused = send(finance, f"{case}/take", 409, month="2026-11", cap="500", attested="yes")
    assert "申诉期" in refused.text
    clock.set(clock.now() + 8 * DAY)
    refused = send(finance, f"{case}/take", 422, month="2026-11", cap="五百", attested="yes")
    assert "请填写金额" in refused.text
    send(finance, f"{case}/take", month="2026-11", cap="500", attested="yes")
    assert "已扣" in page(zhang, "/my/cases")
    assert "¥300.00" in page(zhang, "/my/cases")
    assert "GJ-1" in page(lead, "/hardware/disposals")


def test_a_comparison_is_shown_line_by_line(people, case, photo):
    own = case.replace("/hardware/", "/my/cases/")
    send(people["zhang"], f"{own}/state", words="摔的")
    send(people["lead"], f"{case}/judge", cause="human", way="replace", words="看过")
    send(people["zhang"], f"{own}/offer", **{**PHONE, "brand": "Xiaomi", "spec-存储": ""})
    told = page(people["second"], case)
    for words in ("不是同一品牌", "无法比较", "不低于原机"):
        assert words in told
    refused = send(people["second"], f"{case}/accept", 409, asset_tag="GJ-2", reason="可以")
    assert "不能接受" in refused.text
    send(people["second"], f"{case}/reject", reason="换同品牌的")
    assert "已退回" in page(people["zhang"], "/my/cases")


def test_lists_filters_and_the_sheet(people, case):
    lead = people["lead"]
    for query, found in (
        ("?q=GJ-1", True), ("?q=E001", True), ("?q=张三", True), ("?q=%25", False), ("?state=reported", True),
        ("?state=running", True), ("?state=found", False), ("?kind=loss", False), ("?sort=created", True),
    ):  # fmt: skip
        assert (case in page(lead, f"/hardware{query}")) is found, query
    assert "还没有损坏或遗失" in page(people["foreign"], "/hardware")
    sheet = lead.get("/hardware/cases.xlsx?kind=damage")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert rows[1][1:7] == ["GJ-1", "Redmi 12C", "损坏", "待认定", "张三", "E001"]


def test_what_a_button_is_not_shown_for_is_refused_too(people, case):
    for name in ("it", "finance", "auditor", "li", "zhang", "foreign"):
        answer = people[name].post(f"{case}/judge", data={"cause": "human", "words": "x"})
        assert answer.status_code in (403, 404), name
    for name in ("lead", "it", "auditor", "operations"):
        assert people[name].post(f"{case}/take", data={}).status_code in (403, 422), name
    assert "现在没有要您办理的事" in page(people["auditor"], case)
    assert people["zhang"].get("/hardware").status_code == 403
    assert people["foreign"].get(case).status_code == 404
    own = case.replace("/hardware/", "/my/cases/")
    assert people["li"].post(f"{own}/state", data={"words": "x"}).status_code == 404


def test_a_loss_from_the_registry(people, place):
    lead = people["lead"]
    form = page(lead, f"/hardware/new?handset={place.phone}")
    assert "张三" in form
    wrong = send(
        lead, "/hardware/new", 422, phone="没有", kind="loss", happened_at="2026-11-21T09:00", words="丢"
    )
    assert "没有这个资产编号" in wrong.text
    answer = send(
        lead, "/hardware/new", phone="GJ-1", kind="loss", happened_at="2026-11-21T09:00", words="丢了"
    )
    told = page(lead, answer.headers["Location"])
    for words in ("“查找手机”锁定", "停机", "不会自动免除", "没有任何清除命令能经过互联网到达手机"):
        assert words in told
    again = send(
        lead, "/hardware/new", 409, phone="GJ-1", kind="loss", happened_at="2026-11-21T09:00", words="又丢了"
    )
    assert "未结束的事项" in again.text
    case = answer.headers["Location"]
    empty = send(people["it"], f"{case}/lost", 422, what="lost_number", outcome="done")
    assert "请留下凭据" in empty.text
    send(people["it"], f"{case}/lost", what="lost_number", outcome="done", receipt="10086-77")
    send(
        people["zhang"],
        f"/my{case.replace('/hardware', '/cases')}/lost",
        what="lost_wechat",
        outcome="impossible",
        words="别的设备没有登录",
    )
    told = page(lead, case)
    for words in ("10086-77", "别的设备没有登录", "还有 5 项"):
        assert words in told
    send(people["it"], f"{case}/find", words="在沙发下")
    assert "已找回" in page(lead, answer.headers["Location"])


def test_a_form_sent_twice_acts_once(people, place):
    data = {"phone": "GJ-1", "kind": "damage", "happened_at": "2026-11-21T09:00", "words": "碎"}
    key = {"Idempotency-Key": "once"}
    first = people["lead"].post("/hardware/new", data=data, headers=key)
    second = people["lead"].post("/hardware/new", data=data, headers=key)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]


def test_the_api_leads_the_same_way(people, place, photo):
    import base64

    lead, zhang = people["lead"], people["zhang"]
    at = "2026-11-21T09:00:00+08:00"
    body = {"handset_id": str(place.phone), "kind": "damage", "happened_at": at, "words": "碎"}
    made = zhang.post("/api/v1/hardware/cases", json={**body, "photos": [base64.b64encode(photo).decode()]})
    assert made.status_code == 201, made.text
    url = f"/api/v1/hardware/cases/{made.json['id']}"
    assert made.json["employee_id"] == str(place.org.zhang)
    assert lead.post("/api/v1/hardware/cases", json=body).json["code"] == "case_runs"
    assert people["li"].get(url).status_code == 404
    assert (
        lead.post(f"{url}/finding", json={"cause": "human", "words": "看过"}).json["code"]
        == "statement_first"
    )
    assert zhang.post(f"{url}/statement", json={"words": "摔的"}).status_code == 200
    judged = lead.post(f"{url}/finding", json={"cause": "human", "words": "看过", "way": "replace"})
    assert (judged.json["state"], judged.json["payer"]) == ("demanded", "person")
    assert zhang.post(f"{url}/refuse", json={}).json["state"] == "buying"
    phone = {"brand": "Redmi", "model": "13C", "serial": "SERIAL-3", "specification": {"内存": "8GB"}}
    bought = {"phone": phone, "asset_tag": "GJ-2", "price_fen": 80000, "months": 2}
    assert lead.post(f"{url}/purchase", json=bought).status_code == 422
    bought["photos"] = [base64.b64encode(photo).decode()]
    assert lead.post(f"{url}/purchase", json=bought).json["state"] == "deducting"
    assert lead.get(url).json["deduction"]["monthly_fen"] == 40000
    month = {"month": "2026-11", "cap_fen": 100, "attested": True}
    assert people["finance"].post(f"{url}/instalments", json=month).json["code"] == "appeal_open"
    assert zhang.post(f"{url}/appeal", json={"words": "不服"}).json["appeal"] == "filed"
    decided = people["second"].post(f"{url}/appeal/decision", json={"allow": True, "reason": "监控"})
    assert decided.json["payer"] == "centre"
    (row,) = lead.get("/api/v1/hardware/disposals").json["items"]
    cancelled = lead.post(f"/api/v1/hardware/disposals/{row['id']}/cancel", json={"reason": "误"})
    assert cancelled.json["state"] == "cancelled"
    life = lead.get(f"/api/v1/hardware/handsets/{place.phone}/service-life")
    assert life.json == {"begins": "2026-08-24", "ends": "2028-08-24", "of": "receipt"}
    assert zhang.post("/api/v1/hardware/cases", json={**body, "photos": ["!"]}).status_code == 422
    assert zhang.post("/api/v1/hardware/cases", json={**body, "photos": ["AAAA"]}).status_code == 422
