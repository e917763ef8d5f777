"""Two at once on a real database: one tap, one correction, one judgement, one list of the day."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.dialling import DialCall, DialTest, add_call, ask_dial, correct, draw_centre, record_result
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.reports.code_service import make_missing, report_code
from app.reports.intake_service import receive, take_reports
from app.reports.model import CustomerReport, ReportHour, ReportIntake
from app.reports.service import confirm, reject
from app.tasks import Task, open_task
from tests.app.conftest import Org
from tests.app.registry.test_races import together
from tests.support.kits import Kit

Rows = Callable[..., list[Any]]


@pytest.fixture
def act(app: Flask) -> Callable[[Callable[[Session], Any]], Any]:
    """`act(use case)` in a transaction of its own."""

    def run(use_case: Callable[[Session], Any]) -> Any:
        with app.app_context():
            session = begin_write(db.session())
            found = use_case(session)
            session.commit()
            db.session.remove()
        return found

    return run


def test_one_of_two_taps_counts(
    app: Flask, kit: Kit, clock: FixedClock, rows: Rows, act: Callable[..., Any]
) -> None:
    act(lambda session: add_call(session, SYSTEM, kit.handset, clock.now()))
    call = rows(DialCall)[0].id

    def tap(result: str) -> Callable[[Session], Any]:
        return lambda session: record_result(session, SYSTEM, call, kit.number, result, clock.now())

    taps = [tap(result) for result in ("powered_off", "answered", "rings")]
    assert together(app, taps) == ["call_state", "call_state", "won"]
    (test,) = rows(DialTest)

    def fix(session: Session) -> Any:
        return correct(session, SYSTEM, test.id, "busy", "听错", clock.now())

    assert together(app, [fix, fix]) == ["test_corrected", "won"]
    assert len(rows(DialTest)) == 2


def test_one_list_a_day_and_one_call_a_phone(
    app: Flask, kit: Kit, org: Org, clock: FixedClock, rows: Rows
) -> None:
    policy = app.extensions["butler"].policies.latest("dialling")
    drawing = [lambda session: draw_centre(session, org.centre, policy, clock.now())] * 2
    asking = [lambda session: ask_dial(session, kit.handset, "probe", clock.now())] * 2
    assert together(app, [*drawing, *asking]) == ["won"] * 4
    assert [row.source for row in rows(DialCall)] == ["asked"]
    assert len(rows(Task)) == 1


def test_one_task_a_cause(app: Flask, org: Org, clock: FixedClock, rows: Rows) -> None:
    def ask(session: Session) -> bool:
        return open_task(session, key="k", kind="x", centre_id=org.centre, title="x", now=clock.now())

    assert together(app, [ask] * 3) == ["won"] * 3
    assert len(rows(Task)) == 1


def test_a_form_sent_at_once_is_one_and_every_one_is_counted(
    app: Flask, kit: Kit, org: Org, clock: FixedClock, rows: Rows, act: Callable[..., Any]
) -> None:
    act(lambda session: make_missing(session, SYSTEM, org.centre, clock.now()))
    code = act(lambda session: report_code(session, org.post))
    policies = app.extensions["butler"].policies

    def send(session: Session) -> None:
        receive(
            session, code=code, form_key="same", room="1-101", said="", when_said="now", policies=policies,
            now=clock.now(),
        )  # fmt: skip

    assert together(app, [send] * 4) == ["won"] * 4
    assert (len(rows(ReportIntake)), rows(ReportHour)[0].number) == (1, 4)
    taking = [lambda session: take_reports(session, policies, clock.now())] * 2
    assert together(app, taking) == ["won", "won"]
    (report,) = rows(CustomerReport)
    house: uuid.UUID = kit.rooms["1-101"]
    judging: list[Callable[[Session], Any]] = [
        lambda session: confirm(
            session, SYSTEM, report.id, household_id=house, called_at=report.received_at, reason="",
            policies=policies, now=clock.now(),
        ),
        lambda session: reject(session, SYSTEM, report.id, reason="重复", now=clock.now()),
    ]  # fmt: skip
    assert together(app, judging) == ["report_state", "won"]
