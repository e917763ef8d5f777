"""A butler leaves: the lead takes the kit with one thing missing and a cracked screen, the successor collects it.

A real server and browser, a simulated phone that a real agent reads while they stand there. At the end each of them
answers for what happened in his own time, and for nothing else.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from app import create_app
from app.bootstrap import build_runtime
from app.demo.handover_story import Handovers
from app.demo.people import DEMO_PASSWORD
from app.demo.pictures import phone_front
from app.demo.secrets import seed_secrets
from app.demo.seed import SINCE, DemoPhone, seed
from app.demo.users import seed_butler, seed_users
from app.escrow import keeping
from app.fleet import make_code
from app.handover import AtHand, ChangeKind, LegRecord, differences_of, last_records
from app.kernel.clock import SystemClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.people import password_service
from app.registry import RESOURCES, create, holding_of
from app.settings import load_settings
from tests.support.tools import need

ROOT = Path(__file__).resolve().parents[2]
PHONE = {"width": 390, "height": 844}


@dataclass
class House:
    """A server with two issued kits; the first one's phone is read by an agent."""

    app: Flask
    url: str
    handset: str
    post: str
    complaints: list[str] = field(default_factory=list)


def _now() -> dt.datetime:
    return SystemClock().now()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters."""
    quick = partial(PasswordHasher, time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(password_service, "PasswordHasher", quick)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    environment = {
        "BUTLER_ENV": "test",
        "BUTLER_VAR_DIR": str(tmp_path / "var"),
        "BUTLER_CHECKIN_INTERVAL_S": "5",
    }
    settings = load_settings(environment)
    here = build_runtime(settings)
    app = create_app(here)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    states = [make_phone(i, seed=12) for i in range(2)]
    phones = [
        DemoPhone(
            p.identity.serial, p.identity.brand, p.identity.model, tuple(p.identity.imeis), reachable=True
        )
        for p in states
    ]
    # The last reachable ones are the demo's spare and its stranger.
    phones += [DemoPhone(f"SPARE{i}", "Redmi", "12C", (), reachable=True) for i in range(2)]
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session, now = begin_write(db.session()), _now()
        initialise(session, KeyStore(settings.key_dir, may_create=True), now)
        keeping.set_up(session, here.vault, None, now)
        seeded = seed(session, phones, here.policies, now)
        seed_users(session, seeded.code, now - SINCE)
        posts = [post for _, post in seeded.kits]
        seed_secrets(
            session, posts, vault=here.vault, policies=here.policies, now=now - SINCE + dt.timedelta(hours=1)
        )
        kits = seeded.kits[:2]
        assert (
            Handovers(session, seeded.centre, AtHand(here.policies, here.keys, here.blobs), now, kits).tell()
            == 2
        )
        values = {"centre_id": seeded.centre, "number": "E0300", "name": "钱书宁"}
        successor = create(session, SYSTEM, RESOURCES["employees"], values, now).id
        seed_butler(session, seeded.centre, successor, now)
        key = here.keys.public_key("agent-reads")
        code = make_code(
            session,
            SYSTEM,
            seeded.centre,
            url=url,
            command_key=key,
            name="前台网关",
            handset_id=None,
            hours=1,
            now=now,
        )
        session.commit()
        db.session.remove()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet(states[1:]))
        stack.enter_context(_agent(url, str(code.code), fleet.ports[0], tmp_path))
        yield House(app, url, str(kits[1][0]), str(kits[1][1]))
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = need("chromium")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(path), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def _agent(url: str, code: str, port: int, home: Path) -> Iterator[None]:
    """An enrolled gateway that reads one phone every second, until the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BUTLER_")}
    # Never this machine's own adb server.
    environment = {**kept, "ADB_SERVER_SOCKET": "tcp:127.0.0.1:9"}
    agent, state = [sys.executable, "-m", "agent"], ["--state", str(home / "agent")]
    enrol = [*agent, "enrol", "-", *state]
    done = subprocess.run(
        enrol, input=code, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    run = [*agent, "run", "--server", url, "--no-adb-server", "--interval", "1", *state]
    with (home / "agent.log").open("ab") as log:
        process = subprocess.Popen(
            [*run, "--target", f"tcp:127.0.0.1:{port}"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Person:
    """Somebody before a screen of his own."""

    page: Page
    house: House

    def go(self, path: str) -> None:
        self.page.goto(self.house.url + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fits(self) -> None:
        """Nothing runs over the screen of a phone."""
        self.page.wait_for_load_state()
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(script) == 0, self.page.url

    def draw(self) -> None:
        """A signature across the pad."""
        pad = self.page.locator("[data-pad] canvas")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box is not None
        for strokes in (((0.2, 0.3), (0.5, 0.8), (0.7, 0.2)), ((0.75, 0.3), (0.8, 0.8))):
            (x, y), *rest = strokes
            self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            self.page.mouse.down()
            for x, y in rest:
                self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
            self.page.mouse.up()

    def sign(self, **proof: str) -> None:
        self.draw()
        for name, value in proof.items():
            self.page.locator(f"[name={name}]").fill(value)
        self.press("我已读过全文，签字")


@pytest.fixture
def people(chromium: Browser, house: House) -> Iterator[Callable[[str], Person]]:
    """`people("zhuguan")`: signed in at a phone's width; who needs an authenticator sets one up."""
    with ExitStack() as stack:

        def sign_in(login: str) -> Person:
            context = chromium.new_context(viewport=PHONE, locale="zh-CN")
            stack.callback(context.close)
            context.on(
                "console",
                lambda m: house.complaints.append(m.text) if m.type in ("error", "warning") else None,
            )
            context.on("weberror", lambda e: house.complaints.append(str(e.error)))
            page = context.new_page()
            page.set_default_timeout(15_000)
            who = Person(page, house)
            who.go("/enter")
            page.get_by_label("登录名").fill(login)
            page.get_by_label("密码", exact=True).fill(DEMO_PASSWORD)
            who.press("登录")
            page.wait_for_load_state()
            if page.get_by_role("button", name="开始", exact=True).count():
                who.press("开始")
                secret = page.locator("code.secret").inner_text().replace(" ", "")
                page.get_by_label("应用现在显示的 6 位数字").fill(pyotp.TOTP(secret).now())
                who.press("确认")
                page.get_by_role("link", name="我已保存，继续").click()
            return who

        yield sign_in


def test_a_butler_leaves_and_a_successor_collects(house: House, people: Callable[[str], Person]) -> None:
    lead = people("zhuguan")
    page = lead.page
    lead.go(f"/handovers/new?post={house.post}")
    page.get_by_label("原因").select_option(label="离职")
    page.get_by_label("接收人").select_option(label="钱书宁（E0300）")
    lead.press("开始")
    case = page.url.removeprefix(house.url)
    page.get_by_role("link", name="继续清点").click()

    # Everything is as it was but two things; each card saves itself.
    lead.press("没清点的 8 件都和上次一样")
    phone = page.locator("section.panel").filter(has=page.get_by_text("IMEI1"))
    phone.get_by_role("radio", name="有裂痕").check()
    phone.get_by_role("textbox").fill("左上角裂开")
    phone.get_by_role("textbox").blur()
    charger = page.get_by_label("充电器", exact=True)
    charger.get_by_role("radio", name="不在", exact=True).check()
    expect(charger.get_by_role("radio", name="有裂痕")).to_be_hidden()
    charger.get_by_role("textbox").fill("说是丢了")
    charger.get_by_role("textbox").blur()
    picture = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": phone_front("GJ", cracked=True)}
    phone.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    expect(phone.get_by_role("img")).to_have_count(1)
    lead.fits()
    for unsaved in ("还没有保存", "正在保存"):
        expect(page.get_by_text(unsaved)).to_have_count(0)
    page.reload()
    expect(phone.get_by_role("radio", name="有裂痕")).to_be_checked()
    expect(phone.get_by_role("textbox")).to_have_value("左上角裂开")
    expect(charger.get_by_role("radio", name="不在", exact=True)).to_be_checked()
    expect(charger.get_by_role("textbox")).to_have_value("说是丢了")

    # The phone in his hand is read while they wait.
    page.get_by_role("link", name="下一步：检测").click()
    lead.press("现在读一次")
    row = page.get_by_role("row").filter(has_text="身份与登记一致")
    expect(row.get_by_text("通过", exact=True)).to_be_visible(timeout=30_000)

    # The leaver signs on the lead's screen with his own name and password.
    page.get_by_role("link", name="核对全文").click()
    expect(page.get_by_text("左上角裂开").first).to_be_visible()
    lead.press("定稿，开始签字")
    lead.sign(password=DEMO_PASSWORD)
    lead.fits()
    page.get_by_role("link", name="李文博在这台设备上签").click()
    lead.sign(signer_login="guanjia", signer_password=DEMO_PASSWORD)
    expect(page.get_by_text("双方已签字，交接完成。")).to_be_visible()
    lead.fits()
    for name, change in (("充电器", "缺失"), ("左上角裂开", "变差")):
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(change)
        expect(row).to_contain_text("李文博")

    # The successor reads and signs on his own phone.
    lead.go(case)
    page.get_by_role("link", name="继续清点").click()
    lead.press("没清点的 8 件都和上次一样")
    page.get_by_role("link", name="核对全文").click()
    lead.press("定稿，开始签字")
    lead.sign(password=DEMO_PASSWORD)
    expect(page.get_by_text("已签字，等另一方。")).to_be_visible()
    successor = people("e0300")
    successor.go("/my/handovers")
    successor.fits()
    successor.page.get_by_role("link", name="去签字").click()
    successor.sign(password=DEMO_PASSWORD)
    expect(successor.page.get_by_text("双方已签字，交接完成。")).to_be_visible()
    link = successor.page.get_by_role("link", name="打开 PDF").get_attribute("href")
    printed = successor.page.request.get(house.url + str(link))
    assert (printed.status, printed.body()[:5]) == (200, b"%PDF-")
    assert house.complaints == []
    _liability_lies_with_the_leaver(house)


def _liability_lies_with_the_leaver(house: House) -> None:
    with house.app.app_context():
        session = db.session()
        holding = holding_of(session, uuid.UUID(house.post), _now())
        assert holding is not None
        collected, taken, _ = last_records(session, uuid.UUID(house.handset))
        assert (collected.receiver_id, taken.receiver_id) == (holding.employee_id, None)
        found = _changes(session, taken)
        assert found == {
            "充电器": ("missing", taken.giver_id),
            taken.items[0].name: ("worse", taken.giver_id),
        }
        assert _changes(session, collected) == {}
        db.session.remove()


def _changes(session: Session, record: LegRecord) -> dict[str, tuple[str, uuid.UUID | None]]:
    """What is not as it was, with who answers for it."""
    return {
        change.name: (str(change.kind), change.in_custody_of.employee_id if change.in_custody_of else None)
        for change in differences_of(session, SYSTEM, record.leg_id)
        if change.kind is not ChangeKind.SAME
    }
