"""What a person hears becomes a fact once, stays on record for good, and is never about his own phone."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.model import AuditRow
from app.dialling import (
    DialFact,
    DialTest,
    add_call,
    ask_dial,
    call_lines,
    correct,
    dial_facts,
    draw_centre,
    drop_call,
    find_phones,
    lapse_centre,
    record_result,
    undo,
)
from app.dialling.model import DialCall, DialDraw
from app.dialling.states import State
from app.duty.model import Delegation
from app.kernel.clock import FixedClock
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import Policy, PolicyFiles
from app.registry import Handset, KitAssignment
from app.tasks import open_tasks
from app.uptime.model import SettleQueue
from tests.app.conftest import Org
from tests.support.fleet import Phones
from tests.support.kits import E164, Kit


@pytest.fixture
def policies(app: Any) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


@pytest.fixture
def policy(policies: PolicyFiles) -> Policy:
    return policies.latest("dialling")


def _who(org: Org, role: str = "operations", **more: Any) -> Principal:
    return Principal("u-" + role, frozenset({role}), frozenset({org.centre}), **more)


def _call(session: Session) -> DialCall:
    return session.scalars(select(DialCall).where(DialCall.state == State.OPEN)).one()


def _heard(kit: Kit, session: Session, clock: FixedClock, result: str = "answered") -> DialTest:
    add_call(session, SYSTEM, kit.handset, clock.now())
    return record_result(session, SYSTEM, _call(session).id, kit.number, result, clock.now())


def test_a_suspicion_puts_a_phone_first_and_once(kit: Kit, session: Session, clock: FixedClock) -> None:
    ask_dial(session, kit.handset, "probe", clock.now())
    ask_dial(session, kit.handset, "report", clock.now())
    call = _call(session)
    assert (call.source, call.cause) == ("asked", "probe")
    assert not add_call(session, SYSTEM, kit.handset, clock.now())
    assert [task.title for task in open_tasks(session, SYSTEM).items] == ["拨测有疑点的手机"]


def test_a_drawn_phone_moves_up_when_suspected(
    kit: Kit, session: Session, policy: Policy, org: Org, clock: FixedClock
) -> None:
    draw_centre(session, org.centre, policy, clock.now())
    ask_dial(session, kit.handset, "probe", clock.now())
    session.refresh(call := _call(session))
    assert (call.source, call.priority) == ("asked", 0)


def test_a_retired_phone_is_not_called(kit: Kit, session: Session, clock: FixedClock) -> None:
    session.get_one(Handset, kit.handset).retired_at = clock.now()
    ask_dial(session, kit.handset, "probe", clock.now())
    assert session.scalar(select(func.count()).select_from(DialCall)) == 0
    with pytest.raises(Conflict):
        add_call(session, SYSTEM, kit.handset, clock.now())


def test_a_result_is_a_fact_of_that_instant(kit: Kit, session: Session, org: Org, clock: FixedClock) -> None:
    ask_dial(session, kit.handset, "probe", clock.now())
    at = clock.move(90)
    who = _who(org, "lead")
    test = record_result(session, who, _call(session).id, kit.number, "powered_off", at)
    assert (test.e164, test.post_id, test.employee_id) == (E164, org.post, org.zhang)
    assert dial_facts(session, kit.handset) == [DialFact(at, "powered_off", "u-lead")]
    assert session.scalars(select(SettleQueue.handset_id)).all() == [kit.handset]
    assert not open_tasks(session, SYSTEM).items
    session.commit()
    assert session.scalars(select(AuditRow.action).order_by(AuditRow.seq)).all()[-1] == "dialling.result"


def test_the_second_hand_on_a_call_is_told_so(kit: Kit, session: Session, clock: FixedClock) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    call = _call(session)
    record_result(session, SYSTEM, call.id, kit.number, "rings", clock.now())
    with pytest.raises(Conflict):
        record_result(session, SYSTEM, call.id, kit.number, "powered_off", clock.now())
    assert [fact.result for fact in dial_facts(session, kit.handset)] == ["rings"]


def test_only_results_that_there_are(kit: Kit, session: Session, clock: FixedClock) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    for heard in ("withdrawn", "", "off'--"):
        with pytest.raises(Invalid):
            record_result(session, SYSTEM, _call(session).id, kit.number, heard, clock.now())


def test_another_number_meanwhile_is_no_result(
    kit: Kit, session: Session, policies: PolicyFiles, clock: FixedClock
) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    tie = session.scalars(select(KitAssignment).where(KitAssignment.number_id == kit.number)).one()
    tie.valid_to = clock.now()
    session.flush()
    with pytest.raises(Conflict) as refused:
        record_result(session, SYSTEM, _call(session).id, kit.number, "powered_off", clock.now())
    assert refused.value.code == "other_number"
    (line,) = call_lines(session, SYSTEM, policies=policies, now=clock.now())
    assert (line.number_id, line.number) == (None, "")


@pytest.mark.parametrize("role", ["it", "butler", "finance", "auditor"])
def test_other_roles_do_not_call(kit: Kit, session: Session, org: Org, clock: FixedClock, role: str) -> None:
    with pytest.raises(Forbidden):
        add_call(session, _who(org, role), kit.handset, clock.now())
    add_call(session, SYSTEM, kit.handset, clock.now())
    with pytest.raises(Forbidden):
        record_result(session, _who(org, role), _call(session).id, kit.number, "answered", clock.now())


def test_nobody_tests_or_sees_the_test_of_his_own_phone(
    kit: Kit, session: Session, org: Org, policies: PolicyFiles, clock: FixedClock
) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    zhang, li = _who(org, "lead", employee=org.zhang), _who(org, "lead", employee=org.li)
    assert not call_lines(session, zhang, policies=policies, now=clock.now())
    assert len(call_lines(session, li, policies=policies, now=clock.now())) == 1
    assert not find_phones(session, zhang, "GJ-0000", clock.now())
    with pytest.raises(Forbidden) as refused:
        record_result(session, zhang, _call(session).id, kit.number, "answered", clock.now())
    assert refused.value.code == "own_phone"
    test = record_result(session, li, _call(session).id, kit.number, "powered_off", clock.now())
    with pytest.raises(Forbidden):
        correct(session, zhang, test.id, "answered", "我接了", clock.now())


def test_a_foreign_centres_calls_are_not_there(
    kit: Kit, session: Session, org: Org, policies: PolicyFiles, clock: FixedClock
) -> None:
    test = _heard(kit, session, clock)
    foreign = Principal("f", frozenset({"operations"}), frozenset({org.other_centre}))
    assert not call_lines(session, foreign, policies=policies, now=clock.now())
    for act in (
        lambda: add_call(session, foreign, kit.handset, clock.now()),
        lambda: record_result(session, foreign, test.call_id, kit.number, "rings", clock.now()),
        lambda: correct(session, foreign, test.id, "rings", "x", clock.now()),
        lambda: undo(session, foreign, test.id, policies=policies, now=clock.now()),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_tap_can_be_taken_back_within_a_minute(
    kit: Kit, session: Session, policies: PolicyFiles, clock: FixedClock
) -> None:
    test = _heard(kit, session, clock, "powered_off")
    session.query(SettleQueue).delete()
    undo(session, SYSTEM, test.id, policies=policies, now=clock.move(60))
    assert dial_facts(session, kit.handset) == []
    assert session.scalar(select(func.count()).select_from(SettleQueue)) == 1
    again = record_result(session, SYSTEM, _call(session).id, kit.number, "answered", clock.now())
    assert [fact.result for fact in dial_facts(session, kit.handset)] == ["answered"]
    with pytest.raises(Conflict):
        undo(session, SYSTEM, test.id, policies=policies, now=clock.now())
    with pytest.raises(Conflict) as late:
        undo(session, SYSTEM, again.id, policies=policies, now=clock.move(61))
    assert late.value.code == "too_late"
    assert session.scalar(select(func.count()).select_from(DialTest)) == 3, "every record stays"


def test_only_ones_own_tap_is_taken_back(
    kit: Kit, session: Session, org: Org, policies: PolicyFiles, clock: FixedClock
) -> None:
    test = _heard(kit, session, clock)
    with pytest.raises(Conflict):
        undo(session, _who(org), test.id, policies=policies, now=clock.now())


def test_a_correction_takes_the_place_once_and_keeps_the_instant(
    kit: Kit, session: Session, org: Org, clock: FixedClock
) -> None:
    at = clock.now()
    test = _heard(kit, session, clock, "powered_off")
    now = clock.move(3600)
    with pytest.raises(Invalid):
        correct(session, SYSTEM, test.id, "busy", " \x00 ", now)
    new = correct(session, _who(org), test.id, "busy", "听错了", now)
    assert (new.at, new.recorded_at, new.corrects) == (at, now, test.id)
    assert dial_facts(session, kit.handset) == [DialFact(at, "busy", "u-operations")]
    with pytest.raises(Conflict):
        correct(session, SYSTEM, test.id, "answered", "再改", now)
    correct(session, SYSTEM, new.id, "withdrawn", "拨错号码", now)
    assert dial_facts(session, kit.handset) == []
    session.refresh(test)
    assert (test.result, test.reason) == ("powered_off", "")


def test_a_withdrawn_record_is_not_corrected_into_another(
    kit: Kit, session: Session, clock: FixedClock
) -> None:
    test = _heard(kit, session, clock)
    gone = correct(session, SYSTEM, test.id, "withdrawn", "没拨", clock.now())
    with pytest.raises(Conflict):
        correct(session, SYSTEM, gone.id, "powered_off", "x", clock.now())


def test_the_days_list_is_drawn_once_after_its_hour(
    kit: Kit, session: Session, org: Org, policy: Policy, clock: FixedClock
) -> None:
    clock.set(dt.datetime(2026, 11, 22, 23, 59, tzinfo=dt.UTC))  # 07:59 in Shanghai
    assert draw_centre(session, org.centre, policy, clock.now()) == 0
    assert draw_centre(session, org.centre, policy, clock.move(60)) == 1, "S2 has no post and takes no part"
    assert draw_centre(session, org.centre, policy, clock.move(60)) == 0
    call = _call(session)
    assert (call.handset_id, call.source, call.day) == (kit.handset, "drawn", dt.date(2026, 11, 23))
    assert session.scalars(select(DialDraw)).one().phones == 1
    with pytest.raises(Conflict):
        drop_call(session, SYSTEM, call.id, clock.now())


def test_calls_that_nobody_made_leave_the_list(
    kit: Kit, session: Session, org: Org, policy: Policy, clock: FixedClock
) -> None:
    draw_centre(session, org.centre, policy, clock.now())
    clock.set(dt.datetime(2026, 11, 22, 15, 59, tzinfo=dt.UTC))
    assert lapse_centre(session, org.centre, policy, clock.now()) == 0
    assert lapse_centre(session, org.centre, policy, clock.move(60)) == 1, "midnight in Shanghai"
    add_call(session, SYSTEM, kit.handset, clock.now())
    assert lapse_centre(session, org.centre, policy, clock.move(24 * 3600)) == 0
    assert lapse_centre(session, org.centre, policy, clock.move(1)) == 1
    assert dial_facts(session, kit.handset) == []


def test_one_added_by_hand_can_be_dropped(kit: Kit, session: Session, clock: FixedClock) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    call = _call(session)
    drop_call(session, SYSTEM, call.id, clock.now())
    with pytest.raises(Conflict):
        record_result(session, SYSTEM, call.id, kit.number, "rings", clock.now())


@pytest.mark.parametrize("words", ["gj-0000", "8613800", "一号片区", "P1", "S1"])
def test_a_phone_is_found_by_what_people_know(
    kit: Kit, session: Session, phones: Phones, clock: FixedClock, words: str
) -> None:
    assert kit.handset in [found.handset_id for found in find_phones(session, SYSTEM, words, clock.now())]
    assert find_phones(session, SYSTEM, "%", clock.now()) == []


def test_an_unknown_call_or_test(kit: Kit, session: Session, clock: FixedClock) -> None:
    with pytest.raises(NotFound):
        record_result(session, SYSTEM, uuid.uuid4(), kit.number, "rings", clock.now())
    with pytest.raises(NotFound):
        correct(session, SYSTEM, uuid.uuid4(), "rings", "x", clock.now())


def test_one_task_a_centre_names_no_phone_and_ends_with_the_last(
    kit: Kit, session: Session, policies: PolicyFiles, phones: Phones, clock: FixedClock
) -> None:
    ask_dial(session, kit.handset, "probe", clock.now())
    ask_dial(session, phones["S2"], "probe", clock.now())
    (task,) = open_tasks(session, SYSTEM).items
    assert (task.handset_id, "GJ" in task.title + task.body) == (None, False)
    first = session.scalars(select(DialCall).where(DialCall.handset_id == kit.handset)).one()
    test = record_result(session, SYSTEM, first.id, kit.number, "rings", clock.now())
    assert len(open_tasks(session, SYSTEM).items) == 1
    lapse_centre(session, phones.centre, policies.latest("dialling"), clock.move(24 * 3600 + 1))
    assert not open_tasks(session, SYSTEM).items
    correct(session, SYSTEM, test.id, "withdrawn", "没拨", clock.now())
    assert not open_tasks(session, SYSTEM).items


def test_a_delegate_does_not_test_the_phone_entrusted_to_him(
    kit: Kit, session: Session, org: Org, clock: FixedClock
) -> None:
    add_call(session, SYSTEM, kit.handset, clock.now())
    since, until = clock.now() - dt.timedelta(hours=1), clock.now() + dt.timedelta(hours=1)
    session.add(
        Delegation(
            centre_id=org.centre, handset_id=kit.handset, from_post_id=org.post, giver_id=org.zhang,
            to_post_id=org.post, delegate_id=org.li, starts_at=since, ends_at=until, force_from=since,
            force_to=until, state="accepted", note="", created_by="u", created_at=since, answered_at=since,
        )
    )  # fmt: skip
    session.flush()
    li, zhang = (_who(org, "lead", employee=who) for who in (org.li, org.zhang))
    for who in (li, zhang):
        with pytest.raises(Forbidden):
            record_result(session, who, _call(session).id, kit.number, "answered", clock.now())
