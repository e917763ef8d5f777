"""What people see and do in a browser."""

from __future__ import annotations

import io
import re

import pytest

from app.allowance.correcting import recheck
from app.allowance.model import TopupClaim
from tests.app.allowance.conftest import MONTH
from tests.app.allowance.receipts import pdf
from tests.support.browser import Browser, words

HTML = {"Accept": "text/html"}


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def furnished(kept, org):
    """Zhang holds the phone all the time and was off once, Li has nothing."""

    def write(world):
        phone = world.phone(org.post, "2026-01-01")
        world.holds(org.post, org.zhang, "2026-01-01")
        world.incident(phone, org.zhang, "2026-10-12 10:00")
        return phone

    return kept(write)


def test_nothing_yet(browser, org):
    assert "没有服务中心" not in browser.text("/allowance")
    assert "当月没有人保管手机" in browser.text(f"/allowance/{MONTH}/{org.centre}")
    assert "没有待审的报销单" in browser.text("/allowance/claims")


def test_previewed_closed_by_typing_the_month_and_exported(browser, org, furnished):
    here = f"/allowance/{MONTH}/{org.centre}"
    assert "可以关账" in browser.text("/allowance")
    page = browser.text(here)
    assert "预览，还没有关账" in page
    assert "张三" in page
    assert "1 次关机成立，未达取消次数" in page
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', browser.get(here).text)[1]
    wrong = browser.submit(here, f"{here}/close", seen=seen, confirm="2026-11")
    assert wrong.status_code == 422
    assert browser.submit(here, f"{here}/close", seen=seen, confirm=MONTH).location == here
    assert "已关账" in browser.text(here)
    assert "已关账" in browser.text("/allowance?month=2026-10&state=closed")
    assert browser.submit(here, f"{here}/export").location == f"{here}#exports"
    path = re.search(r'href="(/allowance/exports/[^"]+)"', browser.get(here).text)[1]
    file = browser.get(path)
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.data[:2] == b"PK"
    assert browser.submit(here, f"{here}/recheck").status_code == 303


def test_too_early_offers_no_closing(browser, org, furnished):
    page = browser.text(f"/allowance/2026-11/{org.centre}")
    assert "才能关账" in page
    assert "输入 2026-11 确认" not in page


def test_a_loss_is_shown_and_corrected(browser, org, furnished, kept, tools):
    here = f"/allowance/{MONTH}/{org.centre}"
    kept(lambda world: world.close())

    def evidence(world):
        world.incident(furnished, org.zhang, "2026-10-25 10:00")
        return recheck(world.session, tools, world.now)

    assert kept(evidence) == 0
    assert "需要更正：新证据使 1 人的补贴减少" in browser.text(here)
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', browser.get(here).text)[1]
    assert browser.submit(here, f"{here}/correct", seen=seen, reason="补采日志").status_code == 303
    page = browser.text(f"/allowance/people/{org.zhang}")
    assert "已被更正：照发" in page
    assert "更正：补采日志" in page
    assert "取消补贴（R02）" in page
    trace = re.search(
        r'href="(/allowance/lines/[^"]+/trace.jsonl)"', browser.get(f"/allowance/people/{org.zhang}").text
    )
    assert browser.get(trace[1]).status_code == 200


def test_search_state_and_sort(browser, org, furnished):
    here = f"/allowance/{MONTH}/{org.centre}"
    assert "张三" in browser.text(f"{here}?q=e001&sort=-paid")
    assert "没有符合条件的员工" in browser.text(f"{here}?q=nobody")
    assert "没有符合条件的员工" in browser.text(f"{here}?state=cancelled&page=9")
    assert browser.get("/allowance/2026-13/" + str(org.centre)).status_code == 422


def _send(caller, path, **changes):
    fields = {
        "paid": "30.50",
        "paid_on": "2026-10-08",
        "receipt_number": "A-1",
        "receipt": (io.BytesIO(pdf()), "a.pdf"),
    }
    return caller.post(path, data={**fields, **changes}, content_type="multipart/form-data", headers=HTML)


def test_a_butlers_receipt_from_filing_to_the_book(as_user, org, furnished, browser):
    zhang = as_user("butler", org.centre, employee=org.zhang, name="张三")
    finance = as_user("finance", org.centre, name="财务")
    assert "各月结论" in words(zhang.get("/my/allowance", headers=HTML).text)
    assert zhang.get("/my/allowance/claims/new", headers=HTML).status_code == 200
    bad = _send(zhang, "/my/allowance/claims/new", paid="30.505")
    assert bad.status_code == 422
    assert "金额最多两位小数" in bad.text
    assert 'value="A-1"' in bad.text
    filed = _send(zhang, "/my/allowance/claims/new")
    assert filed.status_code == 303, filed.text
    page = zhang.get(filed.location, headers=HTML)
    assert "待审" in words(page.text)
    again = _send(zhang, "/my/allowance/claims/new")
    assert again.status_code == 422
    assert "这张票据已报过" in again.text
    path = filed.location.replace("/my", "")
    assert "本月还可报销 ¥50.00" in words(finance.get(path, headers=HTML).text)
    assert (
        finance.post(f"{path}/approve", data={"approved": "", "reason": ""}, headers=HTML).status_code == 303
    )
    assert "¥30.50" in words(zhang.get("/my/allowance", headers=HTML).text)
    receipt = zhang.get(f"{path}/receipt")
    assert receipt.data == pdf()
    assert receipt.headers["Content-Disposition"].startswith("attachment")
    assert receipt.headers["X-Content-Type-Options"] == "nosniff"
    assert "张三" in browser.text("/allowance/claims?state=all")


def test_operations_file_for_a_butler_and_it_is_withdrawn(as_user, org, furnished, kept):
    clerk = as_user("operations", org.centre)
    assert "E001" in clerk.get("/allowance/claims/new", headers=HTML).text
    filed = _send(clerk, "/allowance/claims/new", employee_id=str(org.zhang))
    assert filed.status_code == 303
    claim_id = filed.location.rsplit("/", 1)[1]
    assert clerk.post(f"/my/allowance/claims/{claim_id}/withdraw", headers=HTML).location == filed.location
    assert kept(lambda world: world.session.query(TopupClaim).one().state) == "withdrawn"


def test_another_butler_sees_nothing_of_it(as_user, org, furnished, kept):
    kept(lambda world: world.close())
    zhang = as_user("butler", org.centre, employee=org.zhang)
    filed = _send(zhang, "/my/allowance/claims/new")
    li = as_user("butler", org.centre, employee=org.li)
    assert li.get(filed.location, headers=HTML).status_code == 404
    assert li.get(filed.location.replace("/my", "") + "/receipt").status_code == 404
    assert "关机成立" not in li.get("/my/allowance", headers=HTML).text
    assert "1 次关机成立" in zhang.get("/my/allowance", headers=HTML).text
    for path in ("/allowance", f"/allowance/{MONTH}/{org.centre}", "/allowance/claims"):
        assert li.get(path, headers=HTML).status_code == 403
    nobody = as_user("it", org.centre)
    assert nobody.get("/my/allowance", headers=HTML).status_code == 404
