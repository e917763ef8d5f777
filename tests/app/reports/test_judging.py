"""Only what staff confirmed is evidence, of the instant at which the household called; each step stays on record."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.model import AuditRow
from app.kernel.clock import FixedClock
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles
from app.registry import Grid, Household, KitAssignment
from app.reports import report_facts
from app.reports.code_service import make_missing, report_code
from app.reports.intake_service import receive, take_reports
from app.reports.model import CustomerReport, ReportChange
from app.reports.service import confirm, reject, undo
from app.reports.views import report_view
from app.tasks import open_tasks
from app.uptime.model import SettleQueue
from tests.app.conftest import Org
from tests.support.kits import Kit

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def policies(app: Any) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


@pytest.fixture
def report(kit: Kit, session: Session, org: Org, policies: PolicyFiles, clock: FixedClock) -> CustomerReport:
    return _report(session, org, policies, clock)


def _report(
    session: Session,
    org: Org,
    policies: PolicyFiles,
    clock: FixedClock,
    room: str = "1-101",
    when: str = "now",
) -> CustomerReport:
    make_missing(session, SYSTEM, org.centre, clock.now())
    receive(
        session, code=report_code(session, org.post) or "", form_key=uuid.uuid4().hex, room=room, said="",
        when_said=when, policies=policies, now=clock.now(),
    )  # fmt: skip
    take_reports(session, policies, clock.now())
    newest = select(CustomerReport).order_by(CustomerReport.received_at.desc(), CustomerReport.id.desc())
    return session.scalars(newest).first()  # type: ignore[return-value]


def _who(org: Org, role: str = "operations", **more: Any) -> Principal:
    return Principal("u-" + role, frozenset({role}), frozenset({org.centre}), **more)


def _confirm(
    session: Session,
    report: CustomerReport,
    kit: Kit,
    policies: PolicyFiles,
    who: Principal = SYSTEM,
    **more: Any,
) -> CustomerReport:
    values = {
        "household_id": kit.rooms["1-101"], "called_at": report.received_at, "reason": "已回访",
        "policies": policies, "now": report.received_at + HOUR,
    }  # fmt: skip
    return confirm(session, who, report.id, **{**values, **more})


def test_a_new_report_says_nothing(report: CustomerReport, kit: Kit, session: Session) -> None:
    assert report_facts(session, kit.handset) == []
    assert session.scalar(select(func.count()).select_from(SettleQueue)) == 0


def test_a_confirmed_one_is_a_fact_of_its_instant(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org
) -> None:
    at = report.received_at - HOUR
    _confirm(session, report, kit, policies, _who(org, "lead"), called_at=at)
    assert report_facts(session, kit.handset) == [at]
    assert session.scalars(select(SettleQueue.handset_id)).all() == [kit.handset]
    assert not open_tasks(session, SYSTEM).items
    session.commit()
    assert session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()[-1] == "report.confirm"


def test_two_reports_of_a_household_count_once(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org, clock: FixedClock
) -> None:
    clock.move(3600)
    second = _report(session, org, policies, clock, room="1 - 101")
    clock.move(60)
    other = _report(session, org, policies, clock, room="1-102")
    first_at = report.received_at
    _confirm(session, second, kit, policies)
    _confirm(session, report, kit, policies)
    assert report_facts(session, kit.handset) == [first_at]
    _confirm(session, other, kit, policies, household_id=kit.rooms["1-102"])
    assert report_facts(session, kit.handset) == [first_at, other.received_at]
    view = report_view(session, SYSTEM, report.id, policies)
    assert [o.id for o in view.others] == [second.id]


def test_taking_a_confirmation_back_settles_again_and_stays_on_record(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, clock: FixedClock
) -> None:
    _confirm(session, report, kit, policies)
    session.query(SettleQueue).delete()
    with pytest.raises(Invalid):
        undo(session, SYSTEM, report.id, reason="  ", policies=policies, now=clock.now())
    undo(session, SYSTEM, report.id, reason="认错了人", policies=policies, now=clock.move(60))
    assert report_facts(session, kit.handset) == []
    assert session.scalars(select(SettleQueue.handset_id)).all() == [kit.handset]
    assert [task.kind for task in open_tasks(session, SYSTEM).items] == ["report"]
    reject(session, SYSTEM, report.id, reason="查无此人", now=clock.now())
    events = session.scalars(select(ReportChange.event).order_by(ReportChange.id)).all()
    assert events == ["confirm", "undo", "reject"]
    with pytest.raises(Conflict):
        _confirm(session, report, kit, policies)


def test_whoever_answers_for_the_phone_does_not_judge(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org, clock: FixedClock
) -> None:
    zhang = _who(org, "lead", employee=org.zhang)
    for act in (
        lambda: _confirm(session, report, kit, policies, zhang),
        lambda: reject(session, zhang, report.id, reason="没有的事", now=clock.now()),
    ):
        with pytest.raises(Forbidden) as refused:
            act()
        assert refused.value.code == "own_phone"
    assert not report_view(session, zhang, report.id, policies).may_judge
    _confirm(session, report, kit, policies, _who(org, "lead", employee=org.li))
    with pytest.raises(Forbidden):
        undo(session, zhang, report.id, reason="x", policies=policies, now=clock.now())


@pytest.mark.parametrize("role", ["it", "butler", "finance", "auditor"])
def test_other_roles_do_not_judge(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org, role: str
) -> None:
    with pytest.raises(Forbidden):
        _confirm(session, report, kit, policies, _who(org, role))


def test_a_foreign_centres_report_is_not_there(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org, clock: FixedClock
) -> None:
    foreign = Principal("f", frozenset({"operations"}), frozenset({org.other_centre}))
    with pytest.raises(NotFound):
        _confirm(session, report, kit, policies, foreign)
    with pytest.raises(NotFound):
        reject(session, foreign, report.id, reason="x", now=clock.now())
    with pytest.raises(NotFound):
        report_view(session, foreign, report.id, policies)


def test_the_call_lies_before_the_report_and_not_too_long(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles
) -> None:
    for at in (report.received_at + dt.timedelta(microseconds=1), report.received_at - 73 * HOUR):
        with pytest.raises(Invalid):
            _confirm(session, report, kit, policies, called_at=at)


def test_a_household_of_another_grid_is_refused(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, org: Org, clock: FixedClock
) -> None:
    stamp = {"created_at": clock.now(), "updated_at": clock.now()}
    grid = Grid(centre_id=org.centre, code="G2", name="二号片区", **stamp)
    session.add(grid)
    session.flush()
    house = Household(centre_id=org.centre, grid_id=grid.id, room="2-201", **stamp)
    session.add(house)
    session.flush()
    for household_id in (house.id, uuid.uuid4()):
        with pytest.raises(Invalid):
            _confirm(session, report, kit, policies, household_id=household_id)


def test_the_phone_is_the_posts_of_the_instant_of_the_call(
    report: CustomerReport, kit: Kit, session: Session, policies: PolicyFiles, phones: Any
) -> None:
    """The post got another phone between the call and the report: the fact is about the one that was called."""
    tie = session.scalars(select(KitAssignment).where(KitAssignment.handset_id == kit.handset)).one()
    began, changed = tie.valid_from, report.received_at - HOUR
    tie.valid_from = changed
    session.flush()
    with pytest.raises(Conflict) as refused:
        _confirm(session, report, kit, policies, called_at=changed - HOUR)
    assert refused.value.code == "no_phone_then"
    stamp = {"created_at": began, "updated_at": began}
    session.add(
        KitAssignment(
            centre_id=tie.centre_id, post_id=tie.post_id, handset_id=phones["S2"], valid_from=began,
            valid_to=changed, **stamp,
        )
    )  # fmt: skip
    session.flush()
    _confirm(session, report, kit, policies, called_at=changed - HOUR)
    assert report_facts(session, phones["S2"]) == [changed - HOUR]
    assert report_facts(session, kit.handset) == []
