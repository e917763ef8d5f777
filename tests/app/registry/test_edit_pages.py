"""One record by hand: the forms of every resource, as a browser without scripts sends them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from app.registry import RESOURCES
from tests.support.browser import Browser, words

VERSION = re.compile(r'name="_version" value="(\d+)"')
PHONE = {
    "asset_tag": "GJ-0001",
    "serial": "R58M123ABC",
    "imei1": "490154203237518",
    "brand": "Xiaomi",
    "model": "Redmi 12",
    "specification": "内存=8GB; 存储=128GB",
    "purchased_on": "2026-05-03",
    "price_fen": "1299.00",
    "way_back": "usb_dock",
}


@pytest.fixture
def browser(app: Any, org: Any) -> Browser:
    return Browser(app)


def new(browser: Browser, name: str, centre: Any, /, **fields: str) -> Any:
    """Fill in the form of a new record and send it."""
    place = f"?centre={centre}" if centre else ""
    path = f"/registry/{name}/new{place}"
    return browser.submit(path, path, **fields)


def items(client: Any, name: str, query: str = "") -> list[Any]:
    return list(client.get(f"/api/v1/{name}{query}").json["items"])


def act(browser: Browser, path: str, **fields: str) -> Any:
    """Open a form, send it as it stands but for `fields`."""
    found = VERSION.search(browser.get(path).text)
    assert found, path
    return browser.submit(path, path, **{"_version": found[1], **fields})


def test_a_phone_is_bought_changed_and_retired_without_excel(browser: Browser, client: Any, org: Any) -> None:
    made = new(browser, "handsets", org.centre, **PHONE)
    assert made.status_code == 303, made.text
    (phone,) = items(client, "handsets")
    assert made.headers["Location"] == f"/phones/{phone['id']}"
    assert (phone["price_fen"], phone["purchased_on"], phone["way_back"]) == (
        129900,
        "2026-05-03",
        "usb_dock",
    )
    assert phone["specification"] == {"内存": "8GB", "存储": "128GB"}
    path = f"/registry/handsets/{phone['id']}/edit"
    assert 'value="1299.00"' in browser.get(path).text
    assert act(browser, path, **{**PHONE, "model": "Redmi 13", "price_fen": ""}).status_code == 303
    (phone,) = items(client, "handsets")
    assert (phone["model"], phone["price_fen"], phone["imei1"]) == ("Redmi 13", None, PHONE["imei1"])
    assert phone["centre_id"] == str(org.centre)
    path = f"/registry/handsets/{phone['id']}"
    assert act(browser, f"{path}/retire", reason="屏幕碎", at="").status_code == 303
    assert items(client, "handsets") == []
    assert act(browser, f"{path}/reinstate").status_code == 422
    assert act(browser, f"{path}/reinstate", reason="修好了").status_code == 303
    assert len(items(client, "handsets")) == 1


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    browser: Browser, client: Any, org: Any
) -> None:
    wrong = {**PHONE, "imei1": "490154203237519", "price_fen": "12.345", "serial": "unknown", "model": "<b>"}
    refused = new(browser, "handsets", org.centre, **wrong)
    assert refused.status_code == 422
    told = words(refused.text)
    for message in ("IMEI 校验位不对", "金额请写成 1299.00", "占位序列号", "没有保存"):
        assert message in told
    assert 'value="490154203237519"' in refused.text
    assert "&lt;b&gt;" in refused.text
    assert refused.text.count("aria-invalid") == 3
    assert items(client, "handsets") == []
    assert new(browser, "handsets", org.centre, **PHONE).status_code == 303
    clash = new(browser, "handsets", org.centre, **{**PHONE, "serial": "R58M999ABC", "imei1": ""})
    assert clash.status_code == 409
    field = next(part for part in clash.text.split('<div class="field') if 'name="asset_tag"' in part)
    assert "已被其他记录使用" in field


def test_two_clerks_never_overwrite_each_other_unseen(browser: Browser, client: Any, org: Any) -> None:
    path = f"/registry/employees/{org.zhang}/edit"
    seen = VERSION.search(browser.get(path).text)
    assert seen
    assert act(browser, path, name="张三丰").status_code == 303
    late = browser.submit(path, path, _version=seen[1], name="张小三")
    assert late.status_code == 412
    assert "现在的内容：张三丰" in words(late.text)
    assert 'value="张小三"' in late.text
    assert browser.post(path, {"_idempotency_key": "k1", "name": "李"}).status_code == 412
    assert client.get(f"/api/v1/employees/{org.zhang}").json["name"] == "张三丰"


def test_a_kit_is_tied_at_once_and_each_part_ends_by_itself(browser: Browser, client: Any, org: Any) -> None:
    new(browser, "handsets", org.centre, **PHONE)
    new(browser, "numbers", org.centre, e164="13800138000")
    (phone,), (number,) = items(client, "handsets"), items(client, "numbers")
    assert (
        new(browser, "wechat-accounts", org.centre, nickname="小新", number_id=number["id"]).status_code
        == 303
    )
    (account,) = items(client, "wechat-accounts")
    kit = {
        "post_id": str(org.post),
        "handset_id": phone["id"],
        "number_id": number["id"],
        "wechat_account_id": account["id"],
        "valid_from": "2026-05-01T09:00",
    }
    tied = new(browser, "kit-assignments", org.centre, **kit)
    assert tied.status_code == 303, tied.text
    ties = items(client, "kit-assignments")
    assert len(ties) == 3
    assert {t["valid_from"] for t in ties} == {"2026-05-01T01:00:00.000000Z"}
    again = new(browser, "kit-assignments", org.centre, **kit)
    assert again.status_code == 409
    assert "与已有记录的时间重叠" in words(again.text)
    assert len(items(client, "kit-assignments")) == 3
    none = new(browser, "kit-assignments", org.centre, post_id=str(org.post), valid_from="2026-05-01T09:00")
    assert "至少填一个" in words(none.text)
    (tie,) = items(client, "kit-assignments", f"?handset_id={phone['id']}")
    path = f"/registry/kit-assignments/{tie['id']}"
    assert "必须晚于开始时间" in words(act(browser, f"{path}/end", at="2026-04-01T00:00").text)
    assert act(browser, f"{path}/end", at="2026-06-01T00:00", reason="换机").status_code == 303
    (tie,) = items(client, "kit-assignments", f"?handset_id={phone['id']}")
    assert tie["valid_to"] == "2026-05-31T16:00:00.000000Z"
    blocked = act(browser, f"/registry/numbers/{number['id']}/retire")
    assert blocked.status_code == 409
    assert "仍有有效的岗位配置" in words(blocked.text)


def test_who_held_the_phone_on_a_day_is_on_its_page(browser: Browser, client: Any, org: Any) -> None:
    new(browser, "handsets", org.centre, **PHONE)
    (phone,) = items(client, "handsets")
    kit = {"post_id": str(org.post), "handset_id": phone["id"], "valid_from": "2026-05-01T09:00"}
    assert new(browser, "kit-assignments", org.centre, **kit).status_code == 303
    held = {"post_id": str(org.post), "employee_id": str(org.zhang), "valid_from": "2026-05-01T09:00"}
    assert new(browser, "post-holdings", org.centre, **held).status_code == 303
    assert "张三" in browser.text(f"/phones/{phone['id']}")
    (holding,) = items(client, "post-holdings")
    void = f"/registry/post-holdings/{holding['id']}/void"
    assert act(browser, void).status_code == 422
    assert act(browser, void, reason="登记错人").status_code == 303
    assert "无人在岗" in browser.text(f"/phones/{phone['id']}")


def test_the_organisation_grows_from_nothing(app: Any, client: Any) -> None:
    browser = Browser(app)
    assert "还没有服务中心" in browser.text("/registry/handsets/new")
    assert new(browser, "companies", None, name="示例物业").status_code == 303
    (company,) = items(client, "companies")
    assert (
        new(browser, "districts", None, company_id=company["id"], code="HD", name="华东").status_code == 303
    )
    (district,) = items(client, "districts")
    centre = {"district_id": district["id"], "code": "SC01", "name": "锦绣花园"}
    assert new(browser, "centres", None, **centre).status_code == 303
    made = browser.submit(
        "/registry/grids/new", f"/registry/grids/new?centre={items(client, 'centres')[0]['id']}"
    )
    assert made.status_code == 422
    assert made.text.count("必填") >= 2


def test_every_record_has_its_forms(browser: Browser, client: Any, org: Any) -> None:
    for name, resource in RESOURCES.items():
        page = browser.get(f"/registry/{name}/new?centre={org.centre}")
        assert page.status_code == 200, page.text
        for field in resource.fields:
            assert (f'name="{field.name}"' in page.text) == (not field.derived and field.name != "centre_id")
        assert f'href="/registry/{name}/new' in browser.get(f"/registry/{name}").text
    listed = unescape(browser.get("/registry/posts").text)
    assert f"/registry/posts/{org.post}/edit" in listed
    assert f"/registry/posts/{org.post}/retire" in listed
    assert browser.get(f"/registry/posts/{org.grid}/edit").status_code == 404
    two = browser.get("/registry/posts/new").text
    assert "请选择" in two
    assert 'name="code"' not in two


def test_where_choices_are_too_many_the_code_is_typed(
    browser: Browser, client: Any, org: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.registry.forms.MAX_CHOICES", 1)
    page = browser.get(f"/registry/post-holdings/new?centre={org.centre}").text
    assert re.search(r'<input id="f-employee_id"[^>]*type="text"', page)
    held = {"post_id": "P1", "employee_id": "E009", "valid_from": "2026-05-01 09:00"}
    assert "找不到员工“E009”" in words(new(browser, "post-holdings", org.centre, **held).text)
    assert new(browser, "post-holdings", org.centre, **{**held, "employee_id": "E002"}).status_code == 303
    assert items(client, "post-holdings")[0]["employee_id"] == str(org.li)


def test_a_double_click_registers_once(browser: Browser, client: Any, org: Any) -> None:
    path = f"/registry/grids/new?centre={org.centre}"
    fields = {"_idempotency_key": "one-key", "code": "G9", "name": "九号片区"}
    assert [browser.post(path, fields).status_code for _ in range(2)] == [303, 303]
    assert len(items(client, "grids", "?code=G9")) == 1


def test_what_is_in_the_way_of_retiring_can_be_found_and_ended(
    browser: Browser, client: Any, org: Any
) -> None:
    for tag in ("1", "2"):
        phone = {**PHONE, "asset_tag": f"GJ-{tag}", "serial": f"R58M00{tag}", "imei1": ""}
        assert new(browser, "handsets", org.centre, **phone).status_code == 303
    first, second = (p["id"] for p in items(client, "handsets"))
    unassigned = browser.get(f"/phones/{first}").text
    found = re.search(r'href="(/registry/kit-assignments/new[^"]+)"', unassigned)
    assert found
    prefilled = unescape(found[1])
    assert f'<option value="{first}" selected' in browser.get(prefilled).text
    for phone_id in (first, second):
        kit = {"post_id": str(org.post), "handset_id": phone_id, "valid_from": "2026-05-01T09:00"}
        assert new(browser, "kit-assignments", org.centre, **kit).status_code == 303
    refused = act(browser, f"/registry/handsets/{first}/retire")
    narrowed = f"/registry/kit-assignments?handset_id={first}"
    assert f'href="{narrowed}"' in refused.text
    assert f'href="{narrowed}"' in browser.get(f"/phones/{first}").text
    listed = browser.get(narrowed).text
    assert "R58M001" in listed
    assert "R58M002" not in listed
    assert "export.xlsx?handset_id=" in listed
    end = re.search(r'href="(/registry/kit-assignments/[0-9a-f-]+/end)"', listed)
    assert end
    assert act(browser, end[1], at="2026-06-01T00:00").status_code == 303
    assert end[1] not in browser.get(narrowed).text, "what has ended is not offered to be ended"
    assert act(browser, f"/registry/handsets/{first}/retire").status_code == 303
    by_post = browser.get(f"/registry/kit-assignments?post_id={org.post}").text
    assert f'<option value="{org.post}" selected' in by_post
    assert "R58M002" in by_post
    assert "没有符合条件的岗位配置" in browser.text(f"/registry/kit-assignments?post_id={org.grid}")
