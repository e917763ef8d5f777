from __future__ import annotations

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.tasks import Task, open_task
from tests.app.conftest import Org
from tests.support.browser import Browser


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def _open(app: Flask, org: Org, clock: FixedClock) -> str:
    with app.app_context():
        session = begin_write(db.session())
        open_task(
            session, key="k", kind="dial", centre_id=org.centre, title="拨 <b>GJ</b>", link="/dialling",
            due_at=clock.now(), now=clock.now(),
        )  # fmt: skip
        session.commit()
        found = str(session.query(Task).one().id)
        db.session.remove()
    return found


def test_nothing_to_do(browser: Browser) -> None:
    assert "现在没有要做的事" in browser.text("/tasks")
    assert "还没有结束的待办" in browser.text("/tasks?state=ended")
    assert "没有符合条件的待办" in browser.text("/tasks?q=x")


def test_done_and_taken_back(browser: Browser, app: Flask, org: Org, clock: FixedClock) -> None:
    task_id = _open(app, org, clock)
    clock.move(60)
    page = browser.get("/tasks").text
    assert "拨 &lt;b&gt;GJ" in page
    assert "已超期" in page
    path = f"/tasks/{task_id}/complete"
    assert browser.submit("/tasks", path, note="打过了", back="/tasks?who=all").location == "/tasks?who=all"
    assert "现在没有要做的事" in browser.text("/tasks")
    ended = "/tasks?state=ended"
    assert "应急令牌：打过了" in browser.text(ended)
    assert browser.submit(ended, f"/tasks/{task_id}/reopen", back="//evil.example").location == "/tasks"
    assert "1 我的" in browser.text("/tasks")
