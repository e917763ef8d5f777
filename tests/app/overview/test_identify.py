"""Which phone is it: from the press of a button to what its gateway told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask

from agent import wire
from app.commands import expire_commands
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from tests.support.agents import FakeAgent, reading
from tests.support.browser import Browser
from tests.support.fleet import Phones


def _word(command: wire.Command, state: str, detail: Mapping[str, object]) -> dict[str, object]:
    return {"id": command.id, "state": state, "age_s": 0.5, "detail": detail}


def _press(browser: Browser, phones: Phones) -> str:
    path = f"/handsets/{phones['S1']}/identify"
    assert browser.submit(path, path).status_code == 303
    return path


def test_the_phone_lights_up_and_the_page_says_what_worked(
    browser: Browser, gateway: FakeAgent, phones: Phones
) -> None:
    path = f"/handsets/{phones['S1']}/identify"
    assert "还没有让它亮过" in browser.text(path)
    assert path in browser.get(f"/phones/{phones['S1']}").text
    _press(browser, phones)
    assert "等待网关" in browser.text(path)
    _press(browser, phones)
    (command,) = gateway.commands(gateway.checkin(readings=[reading()]))
    assert (command.kind, command.args) == ("identify_phone", {"label": "GJ-0000"})
    assert "几秒内应当亮起来" in browser.text(path)
    detail = {"did": ["screen", "vibrate", "<b>"], "failed": ["notification"]}
    gateway.checkin(results=[_word(command, "succeeded", detail)])
    page = browser.get(path).text
    assert "屏幕亮起、震动、&lt;b&gt;" in page
    assert "没有做到：通知栏显示资产编号" in page


@pytest.mark.parametrize(
    ("state", "detail", "words"),
    [
        ("succeeded", {"did": [], "failed": ["screen"]}, "连上了，但亮不起来"),
        ("succeeded", {"did": "screen"}, "连上了，但亮不起来"),
        ("not_now", {"reason": "unauthorized"}, "手机还没有允许这台电脑调试"),
        ("failed", {"reason": "other_phone"}, "没有成功"),
    ],
)
def test_what_did_not_work_is_told_as_it_was(
    browser: Browser, gateway: FakeAgent, phones: Phones, state: str, detail: dict[str, object], words: str
) -> None:
    path = _press(browser, phones)
    (command,) = gateway.commands(gateway.checkin(readings=[reading()]))
    gateway.checkin(results=[_word(command, state, detail)])
    assert words in browser.text(path)


def test_nobody_took_it_in_time(app: Flask, browser: Browser, phones: Phones, clock: FixedClock) -> None:
    path = _press(browser, phones)
    clock.move(600)
    with app.app_context():
        session = begin_write(db.session())
        expire_commands(session, clock.now())
        session.commit()
        db.session.remove()
    assert "在时限内没有网关连上这部手机" in browser.text(path)
