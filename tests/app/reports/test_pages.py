"""What staff see and do, and what hangs on the wall."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import segno
from flask import Flask

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.reports import take_reports
from app.reports.model import CustomerReport, ReportCode
from app.reports.pictures import picture
from tests.app.conftest import Caller, Org
from tests.support.browser import Browser, words
from tests.support.kits import Kit

Rows = Callable[..., list[Any]]


def _report(browser: Browser, app: Flask, org: Org, clock: FixedClock, rows: Rows, **fields: str) -> str:
    if not rows(ReportCode):
        browser.submit("/reports/codes", "/reports/codes/make", centre_id=str(org.centre))
    code = rows(ReportCode)[0].code
    stranger = Browser(app, signed_in=False)
    stranger.submit(
        f"/r/{code}", f"/r/{code}", **{"room": "1-101", "when": "now", "said": "<b>急</b>", **fields}
    )
    with app.app_context():
        session = begin_write(db.session())
        take_reports(session, app.extensions["butler"].policies, clock.now())
        session.commit()
        db.session.remove()
    return str(max(rows(CustomerReport), key=lambda r: r.id).id)


def test_nothing_yet(browser: Browser) -> None:
    assert "没有等待核实的客户反映" in browser.text("/reports")
    assert "还没有岗位" in browser.text("/reports/codes")
    assert "还没有生成二维码" in browser.text("/reports/codes/sheet")


def test_judged_on_the_page(
    browser: Browser, app: Flask, org: Org, kit: Kit, clock: FixedClock, rows: Rows
) -> None:
    report_id = _report(browser, app, org, clock, rows)
    listed = browser.get("/reports").text
    assert "&lt;b&gt;急&lt;/b&gt;" in listed
    assert "房号已登记" in words(listed)
    path = f"/reports/{report_id}"
    page = browser.get(path).text
    assert 'value="2026-11-22T10:00"' in page, "just now, in Shanghai"
    house = str(kit.rooms["1-101"])
    wrong = browser.submit(path, f"{path}/confirm", household_id=house, called_at="2026-11-22T10:01")
    assert wrong.status_code == 422
    assert "时间应在收到反映之前" in words(wrong.text)
    done = browser.submit(path, f"{path}/confirm", household_id=house, called_at="2026-11-22T10:00")
    assert done.location == path
    assert "已核实" in browser.text(path)
    assert rows(CustomerReport)[0].called_at == clock.now()
    browser.submit(path, f"{path}/undo", reason="认错")
    browser.submit(path, f"{path}/reject", reason="查无")
    text = browser.text(path)
    for word in ("核实 应急令牌", "撤销处理 应急令牌", "不采纳 应急令牌"):
        assert word in text
    assert "没有等待核实的客户反映" in browser.text("/reports")
    assert "1-101" in browser.text("/reports?state=rejected&q=1-101")


def test_a_call_of_earlier_needs_its_hour(
    browser: Browser, app: Flask, org: Org, kit: Kit, clock: FixedClock, rows: Rows
) -> None:
    path = "/reports/" + _report(browser, app, org, clock, rows, when="today", room="没有的房")
    page = browser.get(path).text
    assert re.search(r'name="called_at"[^>]* value=""', page)
    assert "查无此房号" in page
    house = str(kit.rooms["1-101"])
    assert browser.submit(path, f"{path}/confirm", household_id=house, called_at="").status_code == 422
    assert (
        browser.submit(path, f"{path}/confirm", household_id="x", called_at="2026-11-22T09:00").status_code
        == 422
    )


def test_the_sheet_shows_each_posts_address(browser: Browser, org: Org, kit: Kit, rows: Rows) -> None:
    assert "已生成 1 个码" in words(
        browser.get(
            browser.submit("/reports/codes", "/reports/codes/make", centre_id=str(org.centre)).location
        ).text
    )
    (code,) = rows(ReportCode)
    sheet = browser.get("/reports/codes/sheet").text
    address = f"http://127.0.0.1/r/{code.code}"
    assert f'alt="{address}"' in sheet
    assert picture(address).replace("&", "&amp;").replace("'", "&#39;") in sheet
    browser.submit("/reports/codes", f"/reports/codes/{org.post}/renew", reason="撕了")
    assert address not in browser.get("/reports/codes/sheet").text


def test_a_scanner_reads_the_picture(tmp_path: Path) -> None:
    """With a real decoder where the machine has one; on the page stands the very same symbol."""
    address = "https://phones.example.cn/r/" + "A" * 22
    shape = re.compile(r""" d=["']([^"']+)["']""")
    symbol = segno.make(address, error="q", micro=False)
    symbol.save(drawn := io.BytesIO(), kind="svg", scale=4, border=4)
    on_page = shape.search(unquote(picture(address)))
    wanted = shape.search(drawn.getvalue().decode())
    assert on_page
    assert wanted
    assert on_page[1] == wanted[1]
    if shutil.which("zbarimg") is None:
        pytest.skip("no zbarimg on this machine: apt-get install zbar-tools")
    symbol.save(str(tmp_path / "qr.png"), scale=6)
    command = ["zbarimg", "-q", "--raw", str(tmp_path / "qr.png")]
    assert subprocess.run(command, capture_output=True, check=True).stdout.decode().strip() == address


def test_the_api_by_role(
    browser: Browser,
    app: Flask,
    org: Org,
    kit: Kit,
    clock: FixedClock,
    rows: Rows,
    as_user: Callable[..., Caller],
) -> None:
    report_id = _report(browser, app, org, clock, rows)
    path = f"/api/v1/customer-reports/{report_id}"
    body = {"household_id": str(kit.rooms["1-101"]), "called_at": "2026-11-22T10:00:00+08:00"}
    assert as_user("butler", org.centre).get("/api/v1/customer-reports").status_code == 403
    assert as_user("finance", org.centre).post(f"{path}/confirm", json=body).status_code == 403
    assert as_user("operations", org.other_centre).get(path).status_code == 404
    lead, zhang = as_user("lead", org.centre), as_user("lead", org.centre, employee=org.zhang)
    assert zhang.post(f"{path}/confirm", json=body).json["code"] == "own_phone"
    assert lead.post(f"{path}/confirm", json=body).json["state"] == "confirmed"
    assert lead.post(f"{path}/confirm", json=body).status_code == 409
    assert len(lead.get("/api/v1/customer-reports?state=confirmed").json["items"]) == 1
    assert lead.post(f"{path}/undo", json={"reason": "错"}).json["state"] == "new"
    assert lead.post(f"{path}/reject", json={"reason": ""}).status_code == 422
    assert lead.post(f"{path}/reject", json={"reason": "错"}).json["state"] == "rejected"
    assert lead.get(f"/api/v1/customer-reports/{uuid.uuid4()}").status_code == 404
