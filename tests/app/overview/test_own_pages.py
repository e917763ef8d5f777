"""A butler's first page: his own phone since he has it, and nobody else's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import orjson
import pytest
from sqlalchemy.orm import Session

from app.compliance.model import ComplianceVerdict
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db, to_us
from app.kernel.tenancy import SYSTEM, Principal
from app.overview.own import own_phones
from app.registry import RESOURCES, held_by, tie
from app.runtime import runtime
from tests.app.conftest import Caller, Org
from tests.support.agents import FakeAgent, reading
from tests.support.browser import words
from tests.support.fleet import Phones

DAY = dt.timedelta(days=1)


@pytest.fixture
def held(app, org: Org, phones: Phones, clock: FixedClock) -> Phones:
    """Phone S1 is at the post since ten days ago; 张三 held it until yesterday, 李四 holds it since."""
    now = clock.now()
    with app.app_context():
        session = begin_write(db.session())
        kit = {
            "post_id": org.post,
            "handset_id": phones["S1"],
            "valid_from": now - 10 * DAY,
            "valid_to": None,
        }
        tie(session, SYSTEM, RESOURCES["kit-assignments"], kit, now)
        for employee, start, end in ((org.zhang, now - 10 * DAY, now - DAY), (org.li, now - DAY, None)):
            values = {"post_id": org.post, "employee_id": employee, "valid_from": start, "valid_to": end}
            tie(session, SYSTEM, RESOURCES["post-holdings"], values, now)
        session.commit()
        db.session.remove()
    return phones


def test_who_holds_the_post_is_shown_its_phone(
    held: Phones, as_user: Callable[..., Caller], org: Org, gateway: FakeAgent
) -> None:
    gateway.checkin(readings=[reading(uptime_s=5 * 86_400.0)])
    page = words(as_user("butler", org.centre, employee=org.li).get("/my").text)
    assert "GJ-0000" in page
    assert "开机" in page
    assert "GJ-0001" not in page


@pytest.mark.parametrize("who", ["zhang", None])
def test_who_holds_none_is_told_so(
    held: Phones, as_user: Callable[..., Caller], org: Org, who: str | None
) -> None:
    employee = getattr(org, who) if who else None
    page = as_user("butler", org.centre, employee=employee).get("/my").text
    assert "名下现在没有工作手机" in page
    assert "GJ-0000" not in page


def test_what_was_before_his_custody_is_not_shown(
    app, held: Phones, org: Org, clock: FixedClock, gateway: FakeAgent
) -> None:
    gateway.checkin(readings=[reading(uptime_s=5 * 86_400.0)])
    with app.app_context():
        butler = Principal("u", frozenset({"butler"}), frozenset({org.centre}), employee=org.li)
        (own,) = own_phones(db.session(), butler, clock.now(), runtime().policies)
        assert sum(sum(day.seconds.values()) for day in own.days) == DAY.total_seconds()


def test_custody_of_another_centre_is_not_seen(
    held: Phones, session: Session, org: Org, clock: FixedClock
) -> None:
    foreign = Principal("u", frozenset({"butler"}), frozenset({org.other_centre}), employee=org.li)
    assert held_by(session, foreign, org.li, clock.now()) == []
    assert [c.handset_id for c in held_by(session, SYSTEM, org.li, clock.now())] == [held["S1"]]
    assert held_by(session, SYSTEM, uuid.uuid4(), clock.now()) == []


def test_custody_ends_with_its_span(held: Phones, session: Session, org: Org, clock: FixedClock) -> None:
    yesterday = clock.now() - DAY
    assert held_by(session, SYSTEM, org.zhang, yesterday) == []
    assert len(held_by(session, SYSTEM, org.zhang, yesterday - dt.timedelta(microseconds=1))) == 1
    assert len(held_by(session, SYSTEM, org.li, yesterday)) == 1


def test_he_is_told_what_to_do_until_when_and_blamed_for_nothing_unread(
    app, held: Phones, as_user: Callable[..., Caller], org: Org, clock: FixedClock
) -> None:
    now = clock.now()
    told = {"evidence": {"label": "抖音", "users": [0]}, "first_seen": to_us(now), "severity": "high"}
    findings = [
        {"code": "app_forbidden", "subject": "com.a", "status": "fail", **told},
        {"code": "no_screen_lock", "subject": "", "status": "grace", "grace_until": to_us(now + DAY), **told},
        {
            "code": "app_forbidden",
            "subject": "com.b",
            "status": "exempt",
            "exempt_until": to_us(now + DAY),
            **told,
        },
        {"code": "user_not_inspected", "subject": "10", "status": "unknown", **told, "severity": None},
    ]
    stamp = {"policy_version": 2, "policy_sha256": "0" * 64, "inputs_sha256": "0" * 64}
    with app.app_context():
        session = begin_write(db.session())
        session.add(
            ComplianceVerdict(
                handset_id=held["S1"], centre_id=org.centre, status="fail", findings=orjson.dumps(findings).decode(),
                judged_at=now, changed_at=now, **stamp,
            )
        )  # fmt: skip
        session.commit()
        db.session.remove()
    page = words(as_user("butler", org.centre, employee=org.li).get("/my").text)
    todo, rest = page.split("要您处理的（R03）")[1].split("1 项已批准例外")
    assert todo.count("怎么做：") == 2
    assert "请在 2026-11-23 10:00 前处理好" in todo
    assert "用户空间" not in todo
    assert "1 项系统没有读到，不算您的问题" in rest
    assert "2 项要您处理" in page
