"""Pages and API as people and programs use them; who may do what is walked for every route elsewhere."""

from __future__ import annotations

import io
import re

import orjson
import pytest
from PIL import Image

from app.contracts.rules import ITEMS
from tests.app.session.conftest import PASSWORD, person

__all__ = ["person"]

BODY = {
    "carrier": "中国移动", "plan_type": "phone_for_plan", "plan_name": "全家享 129", "monthly_fen": 12_900,
    "handset_budget_fen": 129_900, "starts_on": "2025-01-01", "ends_on": "2026-12-31", "registered_name": "示例物业",
}  # fmt: skip
FORM = {
    "number": "138 0013 8000", "carrier": "中国移动", "plan_type": "phone_for_plan", "plan_name": "全家享 129",
    "monthly_fen": "129", "handset_budget_fen": "1299.00", "starts_on": "2025-01-01", "ends_on": "2026-12-31",
    "registered_name": "示例物业", "note": "",
}  # fmt: skip
STROKES = [[[20, 60], [60, 20], [90, 80], [150, 40], [220, 70]]] * 2
INK = orjson.dumps({"width": 300, "height": 120, "strokes": STROKES}).decode()


@pytest.fixture
def database_url(sqlite_url):
    """What a page shows does not depend on the database: one kind will do."""
    return sqlite_url


@pytest.fixture
def ops(as_user, kit):
    return as_user("operations", kit.org.centre, name="林运营")


@pytest.fixture
def lead(as_user, kit):
    return as_user("lead", kit.org.centre, name="吴主管")


def enter(caller, kit, **changes):
    answer = caller.post("/api/v1/number-contracts", json={**BODY, "number_id": str(kit.number), **changes})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_contract_is_entered_by_its_form_and_shown(ops, kit):
    assert "还没有登记合约" in ops.get("/contracts").text
    refused = ops.post("/contracts", data={**FORM, "monthly_fen": "一百", "ends_on": ""})
    assert refused.status_code == 422
    assert "金额最多两位小数" in refused.text
    assert "全家享 129" in refused.text  # what was typed is not lost
    answer = ops.post("/contracts", data=FORM)
    assert answer.status_code == 303, answer.text
    page = ops.get(answer.headers["Location"]).text
    assert "还有 39 天" in page
    assert "¥1299.00" in page
    assert "GJ-1" in page
    assert "138 0013 8000" in ops.get("/contracts").text
    assert "138 0013 8001" in ops.get("/contracts?show=none").text
    assert "31 日" in ops.get("/contracts/calendar").text
    assert ops.get("/contracts/calendar?from=rubbish").status_code == 200
    clash = ops.post("/contracts", data=FORM)
    assert clash.status_code == 409
    assert "重叠" in clash.text


def test_faults_of_u04_are_shown(ops, kit):
    row = enter(ops, kit, registered_name="张三")
    assert "不是公司" in ops.get(f"/contracts/{row['id']}").text
    assert "不是公司" in ops.get("/contracts?show=faults").text


def test_renewing_fills_the_form_from_the_old_one(ops, kit):
    row = enter(ops, kit)
    page = ops.get(f"/contracts/new?renews={row['id']}").text
    assert 'value="2027-01-01"' in page
    form = {**FORM, "renews": row["id"], "starts_on": "2027-01-01", "ends_on": "2028-12-31"}
    assert ops.post("/contracts", data=form).status_code == 303
    assert [r["renews_id"] for r in ops.get("/api/v1/number-contracts").json["items"]] == [row["id"]]


def test_the_api_changes_by_etag_and_says_why(ops, kit):
    row = enter(ops, kit)
    path = f"/api/v1/number-contracts/{row['id']}"
    tag = ops.get(path).headers["ETag"]
    body = {**BODY, "ends_on": "2026-11-30", "reason": "提前终止"}
    assert ops.put(path, json=body).status_code == 428
    assert ops.put(path, json={**body, "reason": ""}, headers={"If-Match": tag}).status_code == 422
    assert ops.put(path, json=body, headers={"If-Match": tag}).json["ends_on"] == "2026-11-30"
    assert ops.put(path, json=body, headers={"If-Match": tag}).status_code == 412
    gone = ops.post(f"{path}/void", json={"reason": "录错"}, headers={"If-Match": '"v2"'})
    assert gone.json["void_reason"] == "录错"
    overlap = ops.post("/api/v1/number-contracts", json={**BODY, "number_id": str(kit.number)})
    assert overlap.status_code == 201
    again = ops.post("/api/v1/number-contracts", json={**BODY, "number_id": str(kit.number)})
    assert (again.status_code, again.json["code"]) == (409, "overlap")


def test_finance_reads_and_does_not_enter(as_user, ops, kit):
    row = enter(ops, kit)
    finance = as_user("finance", kit.org.centre)
    page = finance.get(f"/contracts/{row['id']}").text
    assert "更正" not in page
    assert finance.post("/contracts", data=FORM).status_code == 403
    assert as_user("operations", kit.org.other_centre).get(f"/contracts/{row['id']}").status_code == 404


@pytest.fixture
def at_browser(person):
    """`at_browser("lead")`: signed in with a password and an authenticator."""

    def make(role):
        one = person(role, login=role)
        if "next" in one.sign_in().headers.get("Location", ""):
            one.enrol()
            one.clock.move(31)
        assert one.inside()
        return one

    return make


def test_from_the_assessment_to_the_new_phone(at_browser, ops, kit):
    """The lead assesses and signs, operations confirm, approve, buy and replace; the old phone waits."""
    row = enter(ops, kit)
    lead, desk = at_browser("lead"), at_browser("operations")
    place = lead.post(f"/contracts/{row['id']}/assess").headers["Location"]
    filled = {f"{key}_code": "good" for key in ITEMS}
    missing = lead.post(f"{place}/submit", ink=INK, password=PASSWORD, version="1")
    assert missing.status_code == 422
    assert "请选择结论" in missing.text
    lead.post(f"{place}/save", **filled, conclusion="replace", reason="太慢", version="1")
    wrong = lead.post(f"{place}/submit", ink=INK, password="not-it", version="2")
    assert wrong.status_code == 422
    assert "密码不正确" in wrong.text
    assert lead.post(f"{place}/submit", ink=INK, password=PASSWORD, version="2").status_code == 303
    assert "签字并确认" not in lead.get(place).text
    assert "签字并确认" in desk.get(place).text
    done = desk.post(f"{place}/confirm", ink=INK, password=PASSWORD, version="3")
    assert done.status_code == 303, done.text
    page = lead.get(place).text
    (paper,) = set(re.findall(r'href="(/papers/[0-9a-f-]+)"', page))
    assert "太慢" in lead.get(paper).text
    assert "129900" not in lead.get(f"{place}/request").text
    refused = lead.post(
        f"{place}/request", brand="Redmi", model="13C", price_fen="1500", specification="内存"
    )
    assert refused.status_code == 422
    asked = lead.post(
        f"{place}/request", brand="Redmi", model="13C", price_fen="999", specification="内存=8GB"
    )
    home = asked.headers["Location"]
    assert "/approve" not in lead.get(home).text
    desk.post(f"{home}/approve", reason="同意")
    bad = desk.post(f"{home}/buy", handset_id="", bought_fen="x", bought_on="")
    assert bad.status_code == 422
    desk.post(
        f"{home}/buy", handset_id=str(kit.new), bought_fen="980", bought_on="2026-11-22", invoice_number="1"
    )
    desk.post(f"{home}/replace")
    page = desk.get(home).text
    assert "已换机" in page
    assert "不销毁任何数据" in page
    assert "GJ-1" in desk.get("/hardware/disposals").text
    assert "已换机" in desk.get("/contracts/requests?state=replaced").text


def test_a_token_signs_nothing(ops, lead, kit, app, clock):
    row = enter(ops, kit)
    location = lead.post(f"/contracts/{row['id']}/assess").headers["Location"]
    filled = {f"{key}_code": "good" for key in ITEMS}
    form = {**filled, "conclusion": "keep", "reason": "还能用", "version": "1"}
    assert lead.post(f"{location}/save", data=form).status_code == 303
    page = lead.get(location).text
    assert "签字并提交" in page
    answer = lead.post(f"{location}/submit", data={"ink": INK, "password": PASSWORD, "version": "2"})
    assert answer.status_code == 403
    assert (
        lead.post(f"{location}/submit", data={"ink": "", "password": "x", "version": "2"}).status_code == 422
    )
    assert ops.get(location).status_code == 200


def test_photos_and_withdrawn_assessments(lead, ops, kit):
    row = enter(ops, kit)
    location = lead.post(f"/contracts/{row['id']}/assess").headers["Location"]
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")

    def send(data, version):
        form = {"photos": (io.BytesIO(data), "a.png"), "version": version, "caption": "背面"}
        return lead.post(f"{location}/photos", data=form, content_type="multipart/form-data")

    assert send(b"no picture", "1").status_code == 303
    assert "JPG" in lead.get(location).text
    send(out.getvalue(), "1")
    page = lead.get(location).text
    (path,) = set(re.findall(rf'src="({location}/pictures/[0-9a-f]+)"', page))
    assert lead.get(path).content_type == "image/jpeg"
    assert lead.get(f"{location}/pictures/{'0' * 64}").status_code == 404
    assert send(out.getvalue(), "1").status_code == 303  # an old version: told, nothing kept
    assert "他人修改" in lead.get(location).text
    lead.post(f"{location}/cancel", data={"reason": "先续约再说", "version": "2"})
    assert "先续约再说" in lead.get(location).text
    assert "已取消" in lead.get("/contracts/assessments?state=cancelled").text


def test_a_form_without_its_version_is_told_and_does_nothing(lead, ops, kit):
    row = enter(ops, kit)
    for version in ("", "abc", "９", "9" * 30):
        ops.post(f"/contracts/{row['id']}/void", data={"reason": "x", "version": version})
    assert ops.get(f"/api/v1/number-contracts/{row['id']}").json["voided_at"] is None
