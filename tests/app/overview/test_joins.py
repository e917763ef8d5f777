"""What the pages of phones tell of the judging rooms: to whom it may concern, and never what is planned."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.duty import to_answer
from app.duty.model import Delegation
from app.kernel.clock import FixedClock
from app.kernel.tenancy import Principal
from app.probes.model import Probe
from app.registry import PostHolding
from app.tasks import open_task
from tests.app.conftest import Caller, Org
from tests.app.incidents.support import Phone, at
from tests.app.uptime.support import add_handset
from tests.support.browser import words


@pytest.fixture
def handset(app: Flask, org: Org) -> uuid.UUID:
    return add_handset(app, org.centre, "S1")


@pytest.fixture
def phone(handset: uuid.UUID, org: Org, session: Session, clock: FixedClock) -> Phone:
    return Phone(session, org, clock, handset)


def shown(caller: Caller, path: str) -> str:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def test_a_phones_page_tells_what_the_rooms_know(
    phone: Phone, org: Org, as_user: Callable[..., Caller], clock: FixedClock
) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-20, -10)
    phone.dialled(-15)
    phone.reported(-14)
    phone.excused(-1, 5)
    phone.delegated(org.li, -1, 5)
    phone.settle(0)
    open_task(
        phone.session, key="plug_in:1", kind="plug_in", centre_id=org.centre, title="请接上底座", now=at(0),
        handset_id=phone.id,
    )  # fmt: skip
    other = add_probe(phone, org, 3)
    phone.session.commit()
    lead = as_user("lead", org.centre)
    page = shown(lead, f"/phones/{phone.id}")
    assert "请接上底座" in page
    assert "成立 记过 1 次" in page
    assert "从未取回" in page
    assert "已关机 15 小时前" in page
    assert "维修" in page
    assert "由 李四 负责" in page
    html = lead.get(f"/phones/{phone.id}").text
    for path in (
        "/incidents?phone=",
        "/dialling/tests?phone=",
        "/probes/phones/",
        "/reports?state=all&amp;phone=",
    ):
        assert f"{path}{phone.id}" in html
    assert other.planned_at.strftime("%H:%M") not in page, "what is planned is told to nobody"
    it = as_user("it", org.centre).get(f"/phones/{phone.id}").text
    assert "/dialling/tests" not in it, "dial tests are not for IT"
    assert as_user("lead", org.other_centre).get(f"/phones/{phone.id}").status_code == 404


def add_probe(phone: Phone, org: Org, hour: float) -> Probe:
    row = Probe(
        centre_id=org.centre, handset_id=phone.id, cause="scheduled", state="planned", planned_at=at(hour),
        day="2026-11-22", policy_version=1, policy_sha256="0" * 64, created_at=at(0), created_by="system",
    )  # fmt: skip
    phone.session.add(row)
    phone.session.flush()
    return row


def test_the_first_page_counts_what_waits(phone: Phone, org: Org, as_user: Callable[..., Caller]) -> None:
    phone.held_by(org.zhang)
    phone.dialled(-15)
    phone.settle(0)
    open_task(
        phone.session, key="a", kind="look", centre_id=org.centre, title="看", now=at(-3), due_at=at(-1)
    )
    phone.session.commit()
    page = shown(as_user("operations", org.centre), "/")
    assert "1 我的待办，1 件逾期" in page
    assert "0 事件待定" in page
    assert "1 事件待查" in page
    assert "0 个拨测" in page
    other = shown(as_user("finance", org.centre), "/")
    assert "0 我的待办" in other
    assert "个拨测" not in other
    assert "事件待查" not in shown(as_user("lead", org.other_centre), "/")


def test_a_butlers_page_tells_his_month(phone: Phone, org: Org, as_user: Callable[..., Caller]) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-20, -10)
    phone.dialled(-15)
    phone.settle(0)
    add_probe(phone, org, 3)
    phone.session.commit()
    butler = as_user("butler", org.centre, employee=org.zhang)
    page = shown(butler, "/my")
    assert "11 月开机考核" in page
    assert "本月已记过 1 次 ，满 2 次取消当月话费补贴" in page
    assert "联系测试" not in page, "nothing that is planned"
    assert "条通知未读" in page
    assert "本月没有记过" in shown(as_user("butler", org.centre, employee=org.li), "/my")
    assert "记过" not in shown(as_user("butler", org.centre), "/my")


def test_a_request_that_waits_for_an_answer_is_told(
    phone: Phone, org: Org, as_user: Callable[..., Caller], clock: FixedClock
) -> None:
    phone.held_by(org.zhang)
    phone.delegated(org.li, 1, 5)
    row = first_delegation(phone.session)
    row.state, row.delegate_id, row.force_from, row.force_to, row.answered_at = (
        "proposed",
        None,
        None,
        None,
        None,
    )
    row.answered_by = None
    holds(phone, row.to_post_id, org.li)
    phone.session.commit()
    li = as_user("butler", org.centre, employee=org.li)
    assert "1 件委托等您答复" in shown(li, "/my")
    assert "等您答复" not in shown(as_user("butler", org.centre, employee=org.zhang), "/my")
    him = Principal("u", frozenset({"butler"}), frozenset({org.centre}), employee=org.li)
    assert to_answer(phone.session, him, at(4)) == 1
    assert to_answer(phone.session, him, at(6)) == 0, "its time is over"


def first_delegation(session: Session) -> Any:
    return session.query(Delegation).one()


def holds(phone: Phone, post_id: Any, employee: Any) -> None:
    phone.session.add(
        PostHolding(
            centre_id=phone.org.centre, post_id=post_id, employee_id=employee, valid_from=at(-100), valid_to=None,
            created_at=at(-1), updated_at=at(-1),
        )
    )  # fmt: skip
    phone.session.flush()
