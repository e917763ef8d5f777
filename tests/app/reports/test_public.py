"""Strangers: whatever they send, they get one answer, and a flood leaves a number and nothing more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.idempotency import IdempotencyRecord
from app.kernel.tenancy import SYSTEM
from app.probes import Probe
from app.reports import report_code, take_reports
from app.reports.code_service import make_missing, renew
from app.reports.code_store import prune
from app.reports.model import CustomerReport, ReportHour, ReportIntake
from app.tasks import Task
from tests.app.conftest import BASE_URL, Org
from tests.support.browser import Browser, words
from tests.support.kits import Kit

Rows = Callable[..., list[Any]]
UGLY = [
    "",
    " ",
    "\x00",
    "房" * 400,
    "😀👨‍👩‍👧‍👦",
    "'; DROP TABLE customer_report; --",
    "<script>alert(1)</script>",
    "1-101",
]


@pytest.fixture
def code(app: Flask, org: Org, kit: Kit, clock: FixedClock) -> str:
    with app.app_context():
        session = begin_write(db.session())
        make_missing(session, SYSTEM, org.centre, clock.now())
        session.commit()
        found = report_code(session, org.post)
        db.session.remove()
    assert found
    return found


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app, signed_in=False)


def _send(stranger: Browser, code: str, **fields: str) -> TestResponse:
    form = {"_idempotency_key": uuid.uuid4().hex, "room": "1-101", "said": "", "when": "now", **fields}
    return stranger.post(f"/r/{code}", form)


def _shape(answer: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    return answer.status_code, answer.text, sorted(answer.headers.to_wsgi_list())


def _take(app: Flask, clock: FixedClock) -> int:
    with app.app_context():
        session = begin_write(db.session())
        number = take_reports(session, app.extensions["butler"].policies, clock.now())
        session.commit()
        db.session.remove()
    return number


def test_a_report_starts_a_probe_and_asks_a_person(
    app: Flask, stranger: Browser, code: str, kit: Kit, org: Org, clock: FixedClock, rows: Rows
) -> None:
    answer = _send(stranger, code, room=" 1－101 ", said="打了三次")
    assert (answer.status_code, answer.location) == (303, "/r/-/sent")
    assert "已收到，谢谢" in words(stranger.get("/r/-/sent").text)
    received = clock.now()
    clock.move(3)
    assert _take(app, clock) == 1
    (report,) = rows(CustomerReport)
    assert (report.post_id, report.handset_id, report.matched) == (org.post, kit.handset, "found")
    assert (report.household_id, report.room, report.said) == (kit.rooms["1-101"], "1－101", "打了三次")
    assert (report.received_at, report.state, report.probed_at) == (received, "new", clock.now())
    assert [(p.handset_id, p.cause) for p in rows(Probe)] == [(kit.handset, "report")]
    assert [task.link for task in rows(Task)] == [f"/reports/{report.id}"]
    assert _take(app, clock) == 0


def test_the_same_answer_whatever_was_sent(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock
) -> None:
    good = _shape(_send(stranger, code))
    for ugly in UGLY:
        assert _shape(_send(stranger, code, room=ugly, said=ugly, when=ugly, _idempotency_key=ugly)) == good
    assert _shape(stranger.post(f"/r/{code}", {})) == good
    for unknown in ("x", "A" * 22, "A" * 4000, "%00", "..", "'or 1=1", "码"):
        assert _shape(_send(stranger, unknown)) == good
        assert stranger.get(f"/r/{unknown}").status_code == 200
    _take(app, clock)
    assert all(len(r.room) <= 60 and len(r.said) <= 200 for r in rows(CustomerReport))


def test_the_form_is_the_same_for_every_code(stranger: Browser, code: str) -> None:
    known, unknown = stranger.get(f"/r/{code}").text, stranger.get("/r/" + "A" * 22).text
    assert words(known) == words(unknown)
    assert "管家" in words(known)
    assert "张三" not in known
    assert "138" not in known


def test_every_form_is_the_same_work(app: Flask, stranger: Browser, code: str) -> None:
    """The statements are the same for a code and room that there are and for such as there are not."""
    said: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *call: said.append(call[2].split("(", 1)[0]))
    runs = []
    for path, room in ((code, "1-101"), (code, "9-999"), ("A" * 22, "1-101")):
        said.clear()
        _send(stranger, path, room=room)
        runs.append(list(said))
    assert runs[0] == runs[1] == runs[2]
    said.clear()
    stranger.get(f"/r/{code}")
    assert said == [], "the form itself asks the database nothing"


def test_no_cookie_and_no_script(stranger: Browser, code: str) -> None:
    page = stranger.get(f"/r/{code}")
    assert "Set-Cookie" not in page.headers
    assert "<script" not in page.text
    assert "Set-Cookie" not in _send(stranger, code).headers
    assert page.headers["Cache-Control"] == "no-store"


def test_a_form_sent_twice_counts_once(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock
) -> None:
    for _ in range(3):
        assert _send(stranger, code, _idempotency_key="same").status_code == 303
        _take(app, clock)
    assert len(rows(CustomerReport)) == 1


def test_a_flood_is_counted_not_kept(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock
) -> None:
    first = _shape(_send(stranger, code))
    for n in range(40):
        assert _shape(_send(stranger, code, room=f"1-{n}")) == first
        _send(stranger, f"guess-{n}")
    _take(app, clock)
    assert len(rows(CustomerReport)) == 6
    assert len(rows(ReportIntake)) == 12, "all codes that there are not share one limit"
    assert sorted(r.number for r in rows(ReportHour)) == [40, 41]
    assert len(rows(Probe)) == 1
    clock.move(3600)
    _send(stranger, code)
    _take(app, clock)
    assert len(rows(CustomerReport)) == 7


def test_one_probe_a_post_in_a_while(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock
) -> None:
    for seconds in (0, 60, 15 * 60 - 61, 1):
        clock.move(seconds)
        _send(stranger, code)
        _take(app, clock)
    assert [r.probed_at is not None for r in sorted(rows(CustomerReport), key=lambda r: r.received_at)] == [
        True, False, False, True,
    ]  # fmt: skip


def test_a_renewed_code_leads_nowhere(
    app: Flask, stranger: Browser, code: str, org: Org, rows: Rows, clock: FixedClock
) -> None:
    with app.app_context():
        session = begin_write(db.session())
        new = renew(session, SYSTEM, org.post, reason="被撕掉", now=clock.now())
        session.commit()
        db.session.remove()
    assert new != code
    _send(stranger, code)
    _take(app, clock)
    assert rows(CustomerReport) == []
    _send(stranger, new)
    _take(app, clock)
    assert len(rows(CustomerReport)) == 1


def test_a_post_without_a_phone_still_reports(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock, session: Session, kit: Kit
) -> None:
    from app.registry import KitAssignment

    session.scalars(
        select(KitAssignment).where(KitAssignment.handset_id == kit.handset)
    ).one().voided_at = clock.now()
    session.commit()
    _send(stranger, code)
    _take(app, clock)
    (report,) = rows(CustomerReport)
    assert (report.handset_id, report.probed_at) == (None, None)


def test_another_site_cannot_make_a_browser_report(app: Flask, code: str, rows: Rows) -> None:
    caller = app.test_client()
    headers = {"Origin": "https://evil.example", "Accept": "text/html"}
    answer = caller.post(f"/r/{code}", data={"room": "1-101"}, headers=headers, base_url=BASE_URL)
    assert answer.status_code == 403
    assert rows(ReportIntake) == []


def test_a_huge_form_is_not_read(app: Flask, stranger: Browser, code: str, rows: Rows) -> None:
    assert _send(stranger, code, said="x" * 100_000).status_code == 413
    assert rows(ReportIntake) == []


def test_staff_who_scan_the_code_are_answered_alike(app: Flask, code: str, rows: Rows) -> None:
    signed_in = Browser(app)
    key = uuid.uuid4().hex
    for _ in range(2):
        answer = signed_in.post(f"/r/{code}", {"_idempotency_key": key, "room": "1-101"})
        assert (answer.status_code, answer.location) == (303, "/r/-/sent")
    assert len(rows(ReportIntake)) == 1
    assert any(row.key == key for row in rows(IdempotencyRecord))


def test_what_was_taken_in_is_forgotten(
    app: Flask, stranger: Browser, code: str, rows: Rows, clock: FixedClock
) -> None:
    _send(stranger, code, said="很急")
    _take(app, clock)
    late = clock.move(400 * 86400)
    with app.app_context():
        session = begin_write(db.session())
        assert prune(session, late, late) == 2
        session.commit()
        db.session.remove()
    assert rows(ReportIntake) == rows(ReportHour) == []
    (report,) = rows(CustomerReport)
    assert (report.room, report.said, report.household_id is not None) == ("", "", True)
