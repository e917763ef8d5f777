"""The pages in a real browser: signing in, live parts, the content security policy, narrow screens."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from app import create_app
from app.bootstrap import build_runtime
from app.fleet import make_code
from app.kernel.clock import SystemClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.registry import Company, District, Handset, ServiceCentre
from app.settings import load_settings
from app.transfer.model import Transfer
from tests.support.agents import FakeAgent, package, reading, with_sections
from tests.support.tools import need

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Site:
    """A server on a port of its own with a phone and a gateway, and all that the browser complained of."""

    app: Flask
    url: str
    gateway: FakeAgent
    phone: str
    complaints: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        token: str = self.app.extensions["butler"].access_token
        return token


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = load_settings({"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(tmp_path)})
    app = create_app(build_runtime(settings))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    # Waited for at the end: an answer that a closed page no longer takes would leave its file open.
    server.daemon_threads = False
    url = f"http://127.0.0.1:{server.port}"
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session = begin_write(db.session())
        initialise(session, KeyStore(settings.key_dir, may_create=True), _now())
        phone, token = _fill(session, url, app)
        session.commit()
        db.session.remove()
    gateway = FakeAgent(app, _now)
    assert gateway.enrol(token).status_code == 201
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(app, url, gateway, phone)
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


def _now() -> dt.datetime:
    return SystemClock().now()


def _fill(session, url: str, app: Flask) -> tuple[str, str]:  # type: ignore[no-untyped-def]
    stamp = {"created_at": _now(), "updated_at": _now()}
    company = Company(name="示例物业", **stamp)
    session.add(company)
    session.flush()
    district = District(company_id=company.id, code="HD", name="华东大区", **stamp)
    session.add(district)
    session.flush()
    centre = ServiceCentre(district_id=district.id, code="C1", name="锦绣花园", **stamp)
    session.add(centre)
    session.flush()
    phone = Handset(
        centre_id=centre.id, asset_tag="GJ-0001", serial="S1", brand="Xiaomi", model="M1", **stamp
    )
    phone.specification = {}
    session.add(phone)
    session.flush()
    key = app.extensions["butler"].keys.public_key("agent-reads")
    code = make_code(
        session,
        SYSTEM,
        centre.id,
        url=url,
        command_key=key,
        name="前台网关",
        handset_id=None,
        hours=1,
        now=_now(),
    )
    return str(phone.id), code.code.token


@pytest.fixture
def context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser that keeps account of errors and of every address that it asks for."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    context.on(
        "console", lambda m: site.complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    context.on("weberror", lambda e: site.complaints.append(str(e.error)))
    context.on("request", lambda r: _note_foreign(site, r.url))
    yield context
    context.close()


def _note_foreign(site: Site, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(site.url).netloc:
        site.complaints.append(f"asked another server: {url}")


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Page:
    """Signed in by the address that the server prints."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{site.url}/enter#{site.token}")
    page.wait_for_url(f"{site.url}/")
    return page


def read(site: Site) -> None:
    apps = [package("com.tencent.mm"), package("com.ss.android.ugc.aweme", installer=None)]
    entry = with_sections(reading(age_s=0.1), packages=apps, users=[])
    assert site.gateway.checkin(readings=[entry]).get_json()["accepted"] == 1


def test_the_address_with_the_token_signs_in_and_forgets_it(site: Site, page: Page) -> None:
    expect(page.get_by_role("heading", name="手机", exact=True)).to_be_visible()
    page.go_back()
    assert site.token not in page.url
    assert site.token not in page.content()
    assert site.complaints == []


def test_a_wrong_token_is_told_and_a_pasted_one_works(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{site.url}/commands")
    page.get_by_role("link", name="去登录").click()
    page.get_by_text("用应急令牌登录").click()
    page.get_by_label("访问令牌").fill("wrong")
    page.get_by_role("button", name="进入").click()
    expect(page.get_by_role("alert").filter(has_text="访问令牌不正确")).to_be_visible()
    page.get_by_label("访问令牌").fill(site.token)
    page.get_by_role("button", name="进入").click()
    page.wait_for_url(f"{site.url}/commands")


def test_without_scripts_signing_in_and_lists_still_work(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/enter#{site.token}")
    page.get_by_text("用应急令牌登录").click()
    page.get_by_label("访问令牌").fill(site.token)
    page.get_by_role("button", name="进入").click()
    expect(page.get_by_role("link", name="GJ-0001")).to_be_visible()
    context.close()


def test_no_page_breaks_the_policy_or_runs_over_a_narrow_screen(site: Site, page: Page) -> None:
    read(site)
    page.goto(f"{site.url}/")
    links = page.locator("header nav a").evaluate_all("all => all.map(a => a.href)")
    assert len(links) >= 5
    own = [f"/phones/{site.phone}", f"/gateways/{site.gateway.agent_id}/revoke", "/registry/import"]
    for address in [*links, *(site.url + path for path in own)]:
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            if not address.endswith("/docs"):  # swagger-ui's own tables are as wide as they are
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert over <= 0, f"{address} is {over} px too wide at {width} px"
    assert site.complaints == []


def test_the_api_page_shows_its_operations(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/api/v1/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    assert site.complaints == []


def test_read_now_is_followed_to_its_end(site: Site, page: Page) -> None:
    read(site)
    page.goto(f"{site.url}/phones/{site.phone}")
    page.get_by_role("button", name="立即读取").click()
    row = page.locator("#live tbody tr").first
    expect(row).to_contain_text("等待网关")
    (command,) = site.gateway.commands(site.gateway.checkin())
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(row).to_contain_text("已交给网关")
    done = {"id": command.id, "state": "succeeded", "age_s": 0.0, "detail": {"reading": True}}
    site.gateway.checkin(results=[done])
    # No hand touches the page any more: it asks by itself, and loads anew when the command has ended.
    expect(row).to_contain_text("已完成", timeout=15_000)
    assert page.locator("#live[data-busy]").count() == 0
    assert site.complaints == []


def transfer(site: Site, state: str) -> str:
    """The path of a transfer in that state: the one there is, or a new one."""
    with site.app.app_context():
        session = begin_write(db.session())
        row = session.scalars(select(Transfer)).one_or_none()
        if row is None:
            phone = session.scalars(select(Handset)).one()
            row = Transfer(
                centre_id=phone.centre_id, old_id=phone.id, old_serial="S1", reason="", state=state, opened_by="x",
                opened_at=_now(), parts=["files"],
            )  # fmt: skip
            session.add(row)
        row.state = state
        session.commit()
        path = f"/transfers/{row.id}"
        db.session.remove()
    return path


def test_forms_of_another_state_do_not_stay(site: Site, page: Page) -> None:
    page.goto(site.url + transfer(site, "draft"))
    badge = page.locator(".headline .badge")
    expect(badge).to_have_text("待开始")
    transfer(site, "queued")
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(badge).to_have_text("等网关")
    page.get_by_text("取消这次迁移", exact=True).click()
    reason = page.get_by_role("textbox", name="原因")
    reason.fill("换错了手机")
    transfer(site, "running")
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(page.locator("#changed")).to_be_visible()
    expect(reason).to_have_value("换错了手机")
    page.locator("#changed a").click()
    expect(badge).to_have_text("迁移中")
    expect(reason).to_have_count(0)
    assert site.complaints == []


def test_what_is_old_says_so(site: Site, page: Page, context: BrowserContext) -> None:
    page.goto(f"{site.url}/")
    expect(page.locator("#stale")).to_be_hidden()
    context.set_offline(True)
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(page.locator("#stale")).to_be_visible()
    context.set_offline(False)
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(page.locator("#stale")).to_be_hidden()


def test_a_refresh_leaves_a_keyboard_user_where_he_is(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/")
    link = page.get_by_role("link", name="GJ-0001")
    link.focus()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(link).to_be_focused()
    assert asked == []
    page.keyboard.press("Escape")
    link.blur()
    with page.expect_request(f"{site.url}/"):
        page.evaluate("htmx.trigger('#live', 'seen')")


def test_a_choice_filters_at_once_and_the_rest_of_the_page_stays(site: Site, page: Page) -> None:
    read(site)
    page.goto(f"{site.url}/")
    page.get_by_label("开关机", exact=True).and_(page.locator("select")).select_option("unknown")
    page.wait_for_url("**/?*power=unknown*")
    expect(page.get_by_text("没有符合条件的手机")).to_be_visible()
    page.get_by_role("link", name="清除条件", exact=True).click()
    page.get_by_label("搜索").fill("gj-00")
    read(site)
    page.evaluate("htmx.trigger('#live', 'seen')")
    expect(page.locator("#live")).to_contain_text("GJ-0001")
    assert page.get_by_label("搜索").input_value() == "gj-00", "a refresh must not undo what is being typed"


def test_a_code_can_be_copied_and_enrols(site: Site, page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page.goto(f"{site.url}/gateways")
    page.get_by_label("网关名称").fill("东门岗亭")
    page.get_by_role("button", name="取登记码").click()
    page.get_by_role("button", name="复制登记码").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    copied: str = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{site.url}#")
    assert FakeAgent(site.app, _now).enrol(copied.split("#")[1]).status_code == 201
    assert site.complaints == []
