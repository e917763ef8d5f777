"""What the stories share: a real server, people at the width of a phone, a gateway that reads phones."""

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
from typing import Any, Generic, TypeVar

import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from agent.simulator.state import PhoneState
from app import create_app
from app.bootstrap import build_runtime
from app.demo.people import DEMO_PASSWORD
from app.demo.seed import DemoPhone
from app.escrow import keeping
from app.fleet import make_code
from app.kernel.clock import SystemClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.people import password_service
from app.runtime import Runtime
from app.settings import load_settings
from tests.support.tools import need

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
PHONE: Any = {"width": 390, "height": 844}


@dataclass
class House:
    """A real server; `complaints`: what the browsers' consoles said."""

    app: Flask
    url: str
    complaints: list[str] = field(default_factory=list, kw_only=True)


@dataclass
class Person:
    """Somebody before a screen of his own; `secret` is what his authenticator knows."""

    page: Page
    house: House
    secret: str = ""

    def go(self, path: str) -> None:
        self.page.goto(self.house.url + path)

    def press(self, name: str) -> None:
        """And wait for the page that answers: else what counts on it counts the old one, or half of it."""
        with self.page.expect_navigation():
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

    def sign(self, **fields: str) -> None:
        self.draw()
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").fill(value)
        self.press("我已读过全文，签字")


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters."""
    quick = partial(PasswordHasher, time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(password_service, "PasswordHasher", quick)


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


@dataclass(frozen=True)
class Served(Generic[T]):
    """A real server of its own; `code` enrols one gateway of the centre, `made` is what filled the database."""

    app: Flask
    url: str
    code: str
    made: T


@contextmanager
def served(
    home: Path, fill: Callable[[Session, Runtime, dt.datetime], tuple[uuid.UUID, T]]
) -> Iterator[Served[T]]:
    """Serve what `fill(session, runtime, now)` makes; it gives the centre's id and whatever the story wants to know."""
    settings = load_settings(
        {"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(home / "var"), "BUTLER_CHECKIN_INTERVAL_S": "5"}
    )
    here = build_runtime(settings)
    app = create_app(here)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session, now = begin_write(db.session()), SystemClock().now()
        initialise(session, KeyStore(settings.key_dir, may_create=True), now)
        keeping.set_up(session, here.vault, None, now)
        centre, made = fill(session, here, now)
        key = here.keys.public_key("agent-reads")
        code = make_code(
            session,
            SYSTEM,
            centre,
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
    try:
        yield Served(app, url, str(code.code), made)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def demo_phone(state: PhoneState) -> DemoPhone:
    """A simulated phone as the demo registers it."""
    told = state.identity
    return DemoPhone(told.serial, told.brand, told.model, tuple(told.imeis), reachable=True)


def no_phones(prefix: str, number: int) -> list[DemoPhone]:
    """Phones that are registered and nowhere: the demo keeps its last three loose."""
    return [DemoPhone(f"{prefix}{i}", "Redmi", "12C", (), reachable=True) for i in range(number)]


@contextmanager
def reading_agent(url: str, code: str, port: int, home: Path, *more: int) -> Iterator[None]:
    """An enrolled gateway that reads the phone at this port, and at `more`, every second, until the end."""
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
            [*run, *(f"--target=tcp:127.0.0.1:{one}" for one in (port, *more))],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _tell(login: str, page: Page) -> None:
    """What stood on the screen at the end: of a story that failed, pytest shows it, and it says why."""
    sys.stdout.write(f"{login} {page.url}\n{page.locator('body').inner_text(timeout=2000)}\n\n")


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
            stack.callback(_tell, login, page)
            page.set_default_timeout(15_000)
            who = Person(page, house)
            who.go("/enter")
            page.get_by_label("登录名").fill(login)
            page.get_by_label("密码", exact=True).fill(DEMO_PASSWORD)
            who.press("登录")
            if page.get_by_role("button", name="开始", exact=True).count():
                who.press("开始")
                who.secret = page.locator("code.secret").inner_text().replace(" ", "")
                page.get_by_label("应用现在显示的 6 位数字").fill(pyotp.TOTP(who.secret).now())
                who.press("确认")
                page.get_by_role("link", name="我已保存，继续").click()
            return who

        yield sign_in
