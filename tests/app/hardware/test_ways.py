"""A case from its report to its end: who pays, what moves, who may do it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from app.hardware import repairing, service_life, store, waiting_of
from app.hardware.judging import payer_of
from app.hardware.model import HardwareStep
from app.hardware.reminding import ask_for_months, ask_for_overdue
from app.hardware.rights import acts_of
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM
from app.notify.model import Notice
from app.papers import papers_about
from app.people.model import User
from app.registry import Handset, KitAssignment, holder_of
from app.tasks import Task
from tests.app.hardware.steps import NEW, Way


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def way(place, session, tools, photo):
    return Way(session, tools, place, photo)


def tasks(session, *, state="open"):
    return {t.key.split(":")[0] for t in session.scalars(select(Task).where(Task.state == state))}


def refused(error, code, act, *args, **kwargs):
    with pytest.raises(error) as refusal:
        act(*args, **kwargs)
    assert refusal.value.code == code


def test_human_damage_in_its_time_is_repaired_at_the_persons_cost(way, session):
    case = way.report()
    assert case.employee_id == way.place.org.zhang
    assert "张三 保管" in case.answers_why
    way.state()
    way.judge(way="repair")
    assert (case.state, case.payer, case.within_life) == ("repair", "person", True)
    with pytest.raises(Invalid):
        _without_receipt(way)
    way.repair("repaired", 19_900)
    assert (case.state, case.ended_at) == ("repaired", way.now)
    assert session.scalars(select(HardwareStep.step).order_by(HardwareStep.id)).all() == [
        "report", "state", "judge", "repair",
    ]  # fmt: skip
    assert not tasks(session)


def _without_receipt(way):
    given = repairing.Repair("店", way.now.date(), 100, "repaired")
    repairing.record_repair(way.session, way.place.operations, way.tools, way.case.id, given, way.now)


@pytest.mark.parametrize("cause", ["wear", "defect", "third_party", "unknown"])
@pytest.mark.parametrize("kind", ["damage", "loss"])
def test_what_is_not_human_is_the_centres_matter(way, cause, kind):
    way.report(kind)
    case = way.judge(cause)
    assert (case.state, case.payer, case.due_on, case.appeal_until) == ("buying", "centre", None, None)
    way.buy()
    assert case.state == "replaced"
    assert store.order_of(way.session, case.id) is None


def test_beyond_two_years_and_without_a_known_beginning_the_centre_pays(way, session):
    tie = session.scalar(select(KitAssignment).where(KitAssignment.handset_id == way.place.phone))
    tie.valid_from = way.now - dt.timedelta(days=731)
    session.flush()
    way.report()
    case = way.judge()
    assert (case.within_life, case.payer) == (False, "centre")


def test_a_phone_of_no_post_is_nobodys_and_its_time_is_unknown(way, session):
    tie = session.scalar(select(KitAssignment).where(KitAssignment.handset_id == way.place.phone))
    session.delete(tie)
    session.flush()
    case = way.report()
    assert (case.employee_id, case.post_id) == (None, None)
    way.judge()
    assert (case.within_life, case.payer) == (None, "centre")


def test_he_is_heard_first_or_had_his_days(way):
    way.report()
    refused(Conflict, "statement_first", way.judge)
    way.later(3)
    assert way.judge().payer == "person"
    refused(Conflict, "hardware_state", way.state)


def test_another_than_custody_says_needs_a_reason_and_is_heard_too(way, org):
    way.report()
    way.state(disputed=True)
    assert way.case.disputed
    with pytest.raises(Invalid):
        way.judge(employee_id=org.li)
    refused(Conflict, "statement_first", way.judge, employee_id=org.li, employee_why="监控看到李四摔的")
    way.later(3)
    case = way.judge(employee_id=org.li, employee_why="监控看到李四摔的")
    assert case.employee_id == org.li
    assert "监控" in case.answers_why
    assert way.place.zhang.employee != case.employee_id
    refused(NotFound, "not_found", way.offer)


def test_beyond_repair_he_brings_a_phone_that_takes_the_old_ones_place(way, session, place):
    way.report()
    way.state()
    way.judge(way="repair")
    way.repair("beyond_repair")
    case = way.case
    assert case.state == "demanded"
    assert (case.due_on - way.now.date()).days == 15
    way.later(2).offer()
    assert tasks(session) == {"hardware.offer"}
    way.accept()
    assert (case.state, case.ended_at) == ("replaced", way.now)
    new = session.get_one(Handset, case.new_handset_id)
    assert (new.asset_tag, new.serial, new.centre_id) == ("GJ-2", "SERIAL-NEW", place.org.centre)
    assert holder_of(session, SYSTEM, place.phone, way.now) is None
    assert holder_of(session, SYSTEM, new.id, way.now).employee_id == place.org.zhang
    row = waiting_of(session, place.phone)
    assert (row.cause, row.source) == ("beyond_repair", f"/hardware/{case.id}")
    life = service_life(session, new.id, policies=way.tools.policies)
    assert (life.of, life.begins) == ("receipt", way.now.date())
    assert not tasks(session)


def test_a_lower_one_is_not_accepted_and_an_unknown_one_only_with_a_reason(way):
    way.report()
    way.state()
    way.judge()
    way.offer(dataclasses.replace(NEW, specification={"内存": "6GB", "存储": "128GB"}))
    refused(Conflict, "lower", way.accept, reason="算了")
    way.reject()
    assert way.case.state == "demanded"
    way.offer(dataclasses.replace(NEW, brand="Xiaomi"))
    refused(Conflict, "lower", way.accept)
    way.reject()
    way.offer(dataclasses.replace(NEW, specification={"内存": "8GB"}))
    with pytest.raises(Invalid):
        way.accept()
    assert way.accept(reason="包装盒上写明 128GB").state == "replaced"
    verdicts = [row.verdict for row in store.replacements(way.session, way.case.id)]
    assert verdicts == ["lower", "lower", "unknown"]


def test_who_offered_does_not_compare_and_nobody_decides_on_himself(way, place, org):
    way.report()
    lead_himself = dataclasses.replace(place.lead, employee=org.zhang)
    refused(Forbidden, "own_case", way.judge, by=lead_himself)
    way.state()
    way.judge()
    way.offer(by=place.lead)
    refused(Forbidden, "second_person", way.accept, by=place.lead)
    refused(Forbidden, "own_case", way.accept, by=dataclasses.replace(place.second, employee=org.zhang))
    assert way.accept(by=place.second).state == "replaced"


def test_nobody_speaks_for_who_can_sign_in_himself(way, session, place, org, clock):
    now = clock.now()
    session.add(
        User(login="zhang", name="张三", employee_id=org.zhang, active=True, created_at=now, updated_at=now)
    )
    session.flush()
    way.report()
    refused(Forbidden, "own_answer", way.state, by=place.lead)
    shown = acts_of(place.lead, way.case, None, None, way.now, has_user=True)
    assert "state" not in shown
    way.state()
    way.judge()
    refused(Forbidden, "own_answer", way.refuse, by=place.operations, reason="他说不买")
    refused(Forbidden, "own_answer", way.appeal, by=place.lead)
    assert not {"appeal", "refuse"} & acts_of(place.lead, way.case, None, None, way.now, has_user=True)
    assert {"appeal", "refuse"} < acts_of(place.zhang, way.case, None, None, way.now, has_user=True)
    way.later(16)
    assert way.refuse(by=place.operations, reason="到期没有提供").state == "buying"


def test_who_wrote_the_statement_down_has_not_heard_him_by_it(way, place):
    way.report()
    way.state(by=place.lead)
    refused(Conflict, "statement_first", way.judge, by=place.lead)
    assert way.judge(by=place.second).payer == "person"


def test_refused_or_overdue_the_centre_buys_and_says_so_in_a_paper(way, session, place):
    way.report()
    way.state()
    way.judge()
    with pytest.raises(Invalid):
        way.refuse(by=place.operations)
    assert ask_for_overdue(session, way.now + dt.timedelta(days=15)) == 0
    way.later(16)
    assert ask_for_overdue(session, way.now) == 1
    assert ask_for_overdue(session, way.now) == 0
    way.refuse(by=place.operations)
    assert tasks(session) == {"hardware.buy"}
    way.buy()
    papers = papers_about(session, place.zhang, f"hardware_case:{way.case.id}")
    assert [paper.kind for paper in papers] == ["damage", "deduction"]
    assert "90000" not in papers[1].document
    assert "¥900.00" in papers[1].document
    assert all(paper.about.startswith("损坏　GJ-1 ") for paper in papers), "a list of papers tells them apart"
    assert papers_about(session, place.li, f"hardware_case:{way.case.id}") == []


def test_finance_is_asked_for_each_month_after_the_time_to_appeal(way, session):
    way.deducting()
    order, late = store.order_of(session, way.case.id), way.now + dt.timedelta(days=8)
    offered = [
        acts_of(way.place.finance, way.case, order, None, now, has_user=True) for now in (way.now, late)
    ]
    assert ["take" in acts for acts in offered] == [False, True], "no button that is refused"
    assert ask_for_months(session, way.now) == 0
    way.later(8)
    assert ask_for_months(session, way.now) == 1
    assert ask_for_months(session, way.now) == 0
    way.take("2026-11", 30_000)
    assert tasks(session) == set()
    assert ask_for_months(session, way.now) == 0
    way.later(5)
    assert ask_for_months(session, way.now) == 1


@pytest.mark.parametrize(
    ("steps", "state"),
    [((), "buying"), (("offer",), "buying"), (("refuse",), "buying"), (("refuse", "buy"), "replaced")],
)
def test_an_appeal_relieves_wherever_the_case_stands(way, session, steps, state):
    way.report()
    way.state()
    way.judge()
    for step in steps:
        getattr(way, step)()
    way.appeal()
    refused(Conflict, "hardware_state", way.appeal)
    case = way.decide(allow=True)
    assert (case.state, case.payer, case.appeal) == (state, "centre", "allowed")
    assert not [row for row in store.replacements(session, case.id) if row.state == "waiting"]
    damage = [p for p in papers_about(session, SYSTEM, f"hardware_case:{case.id}") if p.kind == "damage"]
    assert damage[1].corrects == damage[0].id


def test_what_he_has_paid_himself_is_asked_back(way, session):
    way.report()
    way.state()
    way.judge(way="repair")
    way.repair("repaired", 19_900)
    way.appeal()
    way.decide(allow=True)
    assert way.case.state == "repaired"
    (task,) = [t for t in session.scalars(select(Task)) if t.state == "open"]
    assert task.roles == "|finance|"
    assert "¥199.00" in task.body


def test_an_appeal_has_its_time_and_its_judge(way, place):
    way.report()
    way.state()
    way.judge()
    refused(NotFound, "not_found", way.appeal, by=place.li)
    way.later(8)
    refused(Conflict, "too_late", way.appeal)
    way.refuse()
    way.buy(by=place.operations)
    way.appeal()
    for who in (place.lead, place.operations):
        refused(Forbidden, "second_person", way.decide, False, by=who)
    case = way.decide(allow=False)
    assert (case.appeal, case.state) == ("dismissed", "deducting")


def test_one_case_of_a_phone_at_a_time(way):
    way.report()
    refused(Conflict, "case_runs", way.report)
    way.drop()
    assert way.report().state == "reported"


def test_what_came_to_nothing_leaves_nothing_to_do(way, session):
    way.report()
    way.state()
    way.judge(way="repair")
    way.appeal()
    assert tasks(session) == {"hardware.repair", "hardware.appeal"}
    assert way.drop().state == "dropped"
    assert not tasks(session)
    refused(Conflict, "hardware_state", way.decide, True)


def test_whose_phone_it_is_to_report_and_to_see(way, session, place):
    refused(Forbidden, "not_yours", way.report, by=place.li)
    refused(NotFound, "not_found", way.report, by=place.foreign)
    case = way.report(by=place.zhang)
    for who in (place.li, place.foreign):
        with pytest.raises(NotFound):
            store.find(session, who, case.id)
    for who in (place.zhang, place.lead, place.operations, place.it, place.finance, place.auditor):
        assert store.find(session, who, case.id).id == case.id


@pytest.mark.parametrize("who", ["it", "finance", "auditor", "zhang", "li", "foreign"])
@pytest.mark.parametrize("act", ["judge", "drop", "decide", "buy"])
def test_only_leads_and_operations_decide(way, place, who, act):
    way.report()
    args = (True,) if act == "decide" else ()
    with pytest.raises((Forbidden, NotFound)):
        getattr(way, act)(*args, by=getattr(place, who))


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "theft"}, {"words": "  "}, {"happened_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)},
        {"photos": (b"x",) * 9},
    ],
)  # fmt: skip
def test_ugly_reports(way, values):
    with pytest.raises(Invalid):
        way.report(**values)


def test_he_is_told_each_step_once(way, session):
    way.deducting().later(8).take("2026-11", 30_000)
    titles = [notice.title for notice in session.scalars(select(Notice).order_by(Notice.id))]
    told = [title.removesuffix("：GJ-1") for title in titles if title.endswith("：GJ-1")]
    assert told == ["手机损坏登记", "损坏遗失已认定", "转由中心购机", "赔付扣款单", "2026-11 赔付扣款"]


@pytest.mark.parametrize("cause", ["human", "wear", "unknown"])
@pytest.mark.parametrize("life", [True, False, None])
@pytest.mark.parametrize("beyond", ["centre", "person"])
@pytest.mark.parametrize("known", [True, False])
def test_only_what_is_proved_is_the_persons_to_pay(cause, life, beyond, known):
    found = payer_of(cause, uuid.uuid4() if known else None, life, {"beyond_life": beyond})
    proved = cause == "human" and known and (life is True or (life is False and beyond == "person"))
    assert found == ("person" if proved else "centre")
