"""The lead decides, the butler appeals once, a second person decides that; on every edge somebody is refused."""

from __future__ import annotations

import threading
import uuid
from contextlib import nullcontext

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from app.audit.model import AuditRow
from app.incidents import Incident
from app.incidents.model import IncidentAppeal, IncidentDecision
from app.incidents.service import Word, appeal, decide, decide_appeal
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.kernel.tenancy import SYSTEM, Principal
from app.notify.model import Notice
from app.runtime import runtime
from app.tasks import open_tasks
from tests.app.conftest import Org
from tests.app.incidents.support import DAY, Phone, at, staff

CONFIRMED, REFUTED = Word("confirmed", "电话核实过"), Word("refuted", "当时在充电重启")


@pytest.fixture
def lead(org: Org) -> Principal:
    return staff("lead", org, "lead-1")


@pytest.fixture
def second(org: Org) -> Principal:
    return staff("operations", org, "ops-2")


@pytest.fixture
def butler(org: Org) -> Principal:
    return staff("butler", org, "zhang", org.zhang)


@pytest.fixture
def undecided(phone: Phone, org: Org) -> Phone:
    """A powered-off call between two readings more than half a day apart: nothing is proved."""
    phone.held_by(org.zhang)
    phone.reads(1, -20, -21)
    phone.dialled(-8)
    phone.reads(2, -3, -4)
    phone.settle(0)
    assert phone.one().status == "undecided"
    return phone


@pytest.fixture
def proved(phone: Phone, org: Org) -> Phone:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    return phone


def say(phone: Phone, who: Principal, word: Word, hour: float = 1) -> Incident:
    return decide(phone.session, who, phone.one().id, word, now=at(hour), policies=runtime().policies)


def review(phone: Phone, who: Principal, word: Word, hour: float = 3) -> Incident:
    return decide_appeal(phone.session, who, phone.one().id, word, now=at(hour), policies=runtime().policies)


def test_the_whole_way(undecided: Phone, lead: Principal, butler: Principal, second: Principal) -> None:
    phone = undecided
    row = say(phone, lead, CONFIRMED)
    assert (row.status, row.state, row.strikes, row.appeal_until) == (
        "confirmed",
        "decided",
        1,
        at(1) + 7 * DAY,
    )
    assert open_tasks(phone.session, SYSTEM, kind="incident").items == []
    row = appeal(phone.session, butler, row.id, "手机没电，已报修", now=at(2))
    assert row.state == "appealed"
    (task,) = open_tasks(phone.session, SYSTEM, kind="incident").items
    assert task.key == f"incident_appeal:{row.id}"
    row = review(phone, second, REFUTED)
    assert (row.status, row.state, row.strikes, phone.strikes()) == ("refuted", "final", 0, [])
    assert open_tasks(phone.session, SYSTEM, kind="incident").items == []
    words = phone.session.scalars(select(IncidentDecision).order_by(IncidentDecision.at)).all()
    assert [(w.stage, w.status, w.actor) for w in words] == [
        ("first", "confirmed", "lead-1"),
        ("appeal", "refuted", "ops-2"),
    ]
    assert phone.session.scalars(select(IncidentAppeal)).one().decided_at == at(3)
    told = [(c.before["status"] if c.before else None, c.after["status"]) for c in phone.changes()]  # type: ignore[index]
    assert told == [(None, "undecided"), ("undecided", "confirmed"), ("confirmed", "refuted")]
    assert all(c.causes == ["decisions"] for c in phone.changes()[1:])
    phone.session.commit()
    actions = list(phone.session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))
    assert [a for a in actions if a.startswith("incidents.")] == [
        "incidents.decide",
        "incidents.appeal",
        "incidents.decide_appeal",
    ]


def test_each_step_is_told_to_who_answers(
    undecided: Phone, lead: Principal, butler: Principal, second: Principal
) -> None:
    phone = undecided
    say(phone, lead, CONFIRMED)
    appeal(phone.session, butler, phone.one().id, "说明", now=at(2))
    review(phone, second, CONFIRMED)
    mine = f"/my/incidents/{phone.one().id}"
    titles = phone.session.scalars(
        select(Notice.title).where(Notice.link == mine).order_by(Notice.created_at)
    ).all()
    assert [t.split("：")[0] for t in titles] == ["关机事件待定", "关机事件成立", "申诉已复核"]


def test_a_lead_may_waive_what_is_proved_but_not_confirm_it(proved: Phone, lead: Principal) -> None:
    with pytest.raises(Conflict):
        say(proved, lead, CONFIRMED)
    row = say(proved, lead, REFUTED)
    assert (row.status, row.state, proved.strikes()) == ("refuted", "decided", [])


def test_proof_that_comes_after_the_decision_wins(undecided: Phone, lead: Principal) -> None:
    say(undecided, lead, CONFIRMED)
    undecided.reads(1, -7, -21)
    undecided.settle(2)
    row = undecided.one()
    assert (row.status, row.state, undecided.strikes()) == ("refuted", "decided", [])
    with pytest.raises(Conflict):
        say(undecided, lead, CONFIRMED)


@pytest.mark.parametrize("role", ["operations", "it", "butler", "finance", "auditor"])
def test_only_a_lead_decides(undecided: Phone, org: Org, role: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        say(undecided, staff(role, org, "x"), CONFIRMED)


def test_the_lead_of_another_centre_sees_nothing(undecided: Phone, org: Org) -> None:
    other = Principal(
        "x", frozenset({"lead"}), frozenset({org.other_centre}), None, frozenset({("lead", org.other_centre)})
    )
    with pytest.raises(NotFound):
        say(undecided, other, CONFIRMED)


def test_nobody_decides_his_own(undecided: Phone, org: Org, lead: Principal, butler: Principal) -> None:
    mine = staff("lead", org, "zhang", org.zhang)
    with pytest.raises(Forbidden):
        say(undecided, mine, REFUTED)
    say(undecided, lead, CONFIRMED)
    appeal(undecided.session, butler, undecided.one().id, "x", now=at(2))
    with pytest.raises(Forbidden):
        review(undecided, mine, REFUTED)
    with pytest.raises(Forbidden):
        review(undecided, lead, CONFIRMED)
    assert review(undecided, staff("lead", org, "lead-2"), CONFIRMED).state == "final"


def test_twice_is_a_conflict(
    undecided: Phone, org: Org, lead: Principal, butler: Principal, second: Principal
) -> None:
    say(undecided, lead, CONFIRMED)
    with pytest.raises(Conflict):
        say(undecided, staff("lead", org, "lead-2"), REFUTED)
    with pytest.raises(Conflict):
        review(undecided, second, REFUTED)
    appeal(undecided.session, butler, undecided.one().id, "x", now=at(2))
    with pytest.raises(Conflict):
        appeal(undecided.session, butler, undecided.one().id, "x", now=at(2))
    review(undecided, second, CONFIRMED)
    with pytest.raises(Conflict):
        appeal(undecided.session, butler, undecided.one().id, "x", now=at(4))


def test_who_may_appeal_and_until_when(proved: Phone, org: Org, butler: Principal) -> None:
    row = proved.one()
    with pytest.raises(NotFound):
        appeal(proved.session, staff("butler", org, "li", org.li), row.id, "x", now=at(1))
    with pytest.raises(Forbidden):
        appeal(proved.session, staff("lead", org, "lead-1"), row.id, "x", now=at(1))
    for empty in ("", " \n", "字" * 2001):
        with pytest.raises(Invalid):
            appeal(proved.session, butler, row.id, empty, now=at(1))
    with pytest.raises(Conflict):
        appeal(proved.session, butler, row.id, "x", now=at(0.001) + 7 * DAY)
    assert appeal(proved.session, butler, row.id, "x", now=at(0) + 7 * DAY).state == "appealed"


def test_what_is_not_confirmed_needs_no_appeal(undecided: Phone, butler: Principal) -> None:
    with pytest.raises(Conflict):
        appeal(undecided.session, butler, undecided.one().id, "x", now=at(1))


def test_a_delegate_whose_strike_is_another_mans_appeals_for_himself(
    phone: Phone, org: Org, butler: Principal, second: Principal
) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-40, -5)
    phone.dialled(-39)
    phone.dialled(-6)
    phone.delegated(org.li, -10, 0)
    phone.settle(0)
    li = staff("butler", org, "li", org.li)
    for who in (butler, li):
        assert appeal(phone.session, who, phone.one().id, "x", now=at(1)).state == "appealed"
    assert review(phone, second, REFUTED).state == "final"
    assert phone.session.scalar(select(func.count()).where(IncidentAppeal.decided_at.is_(None))) == 0


def test_a_reason_is_needed_and_the_version_that_was_seen(undecided: Phone, lead: Principal) -> None:
    with pytest.raises(Invalid):
        say(undecided, lead, Word("confirmed", "  "))
    with pytest.raises(Invalid):
        say(undecided, lead, Word("maybe", "x"))
    with pytest.raises(Stale):
        say(undecided, lead, Word("confirmed", "x", undecided.one().version + 1))
    assert say(undecided, lead, Word("confirmed", "x", undecided.one().version)).state == "decided"


def test_one_that_is_gone_is_decided_by_nobody(phone: Phone, org: Org, lead: Principal) -> None:
    from app.dialling import DialTest

    phone.reads(1, -2, -3)
    phone.dialled(-1)
    phone.settle(0)
    name = phone.one().id
    phone.session.execute(update(DialTest).values(result="unclear"))
    phone.settle(1)
    with pytest.raises(Conflict):
        decide(phone.session, lead, name, CONFIRMED, now=at(2), policies=runtime().policies)


def test_an_unknown_incident(phone: Phone, lead: Principal) -> None:
    with pytest.raises(NotFound):
        decide(phone.session, lead, uuid.uuid4(), CONFIRMED, now=at(2), policies=runtime().policies)


def test_two_leads_at_once_have_one_winner(app: Flask, undecided: Phone, org: Org, clock: FixedClock) -> None:
    name = undecided.one().id
    undecided.session.commit()
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def run(user: str) -> None:
        with app.app_context():
            session = db.session()
            barrier.wait()
            try:
                begin_write(session)
                decide(
                    session, staff("lead", org, user), name, CONFIRMED, now=at(1), policies=runtime().policies
                )
                session.commit()
                outcomes.append("won")
            except (Conflict, Stale):
                session.rollback()
                outcomes.append("lost")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(user,)) for user in ("lead-1", "lead-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost", "won"]
    begin_write(undecided.session)
    assert undecided.session.scalar(select(func.count()).select_from(IncidentDecision)) == 1


def test_two_workers_at_once_rule_a_phone_once(app: Flask, undecided: Phone, org: Org) -> None:
    """Both see the late evidence; one writes what comes of it."""
    from app.incidents import settle_due

    undecided.reads(1, -7, -21)
    undecided.session.commit()
    barrier = threading.Barrier(2)
    done: list[int] = []

    def run() -> None:
        with app.app_context():
            session = db.session()
            barrier.wait()
            begin_write(session)
            done.append(settle_due(session, at(1), runtime().policies))
            session.commit()
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begin_write(undecided.session)
    assert sum(done) == 1
    assert [c.after["status"] for c in undecided.changes()] == ["undecided", "refuted"]  # type: ignore[index]


def test_who_may_come_to_answer_for_a_part_decides_nothing(phone: Phone, org: Org) -> None:
    """Li has the phone by delegation at the first call, Zhang himself at the second: both win by a waiver."""
    phone.held_by(org.zhang)
    phone.reads(1, -20, -21)
    phone.delegated(org.li, -12, -9)
    phone.dialled(-10)
    phone.dialled(-8)
    phone.reads(2, -3, -4)
    phone.settle(0)
    assert (phone.one().employee_id, len(phone.one().hits)) == (org.li, 2)
    with pytest.raises(Forbidden):
        say(phone, staff("lead", org, "zhang", org.zhang), REFUTED)


def test_who_made_the_call_does_not_review_it(
    undecided: Phone, org: Org, lead: Principal, butler: Principal
) -> None:
    say(undecided, lead, CONFIRMED)
    appeal(undecided.session, butler, undecided.one().id, "当时没有信号", now=at(2))
    with pytest.raises(Forbidden) as refused:
        review(undecided, staff("operations", org, "caller"), CONFIRMED)
    assert refused.value.code == "second_person"


def test_who_decided_a_part_does_not_review_the_whole(
    undecided: Phone, org: Org, lead: Principal, butler: Principal, second: Principal
) -> None:
    """A word on what became part of another incident is a word on that one."""
    undecided.dialled(-900)
    undecided.settle(0)
    before, row = undecided.incidents()
    decide(undecided.session, lead, row.id, CONFIRMED, now=at(1), policies=runtime().policies)
    appeal(undecided.session, butler, row.id, "x", now=at(2))
    undecided.session.execute(update(IncidentDecision).values(incident_id=before.id))
    for who, refused in ((lead, True), (second, False)):
        with pytest.raises(Forbidden) if refused else nullcontext():
            decide_appeal(undecided.session, who, row.id, CONFIRMED, now=at(3), policies=runtime().policies)
