"""Rulings of one phone live: from facts of every room to incidents that keep their name and their history."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select, update

from app.dialling import DialTest
from app.incidents.model import Incident, IncidentChange
from app.kernel.db import to_us
from app.kernel.tenancy import SYSTEM
from app.notify.model import Notice
from app.policy import LayerInput, put_layer
from app.runtime import runtime
from app.tasks import open_tasks
from tests.app.conftest import Org
from tests.app.incidents.support import DAY, HOUR, MINUTE, Phone, at


def test_proved_off_time_that_a_test_found_costs_a_strike(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    row = phone.one()
    assert (row.kind, row.status, row.state, row.employee_id) == ("a", "confirmed", "ruled", org.zhang)
    assert (row.start_at, row.end_at, row.month, row.strikes) == (at(-10), at(-5), "2026-11", 1)
    (strike,) = phone.strikes()
    assert (strike.at, strike.employee_id, strike.month) == (at(-7), org.zhang, "2026-11")
    assert row.appeal_until == at(0) + 7 * DAY
    assert row.policy_body["min_off_minutes"] == 10


def test_a_second_run_changes_nothing(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    row = phone.one()
    first = (row.version, row.changed_at, [s.id for s in phone.strikes()])
    phone.settle(1)
    row = phone.one()
    assert (row.version, row.changed_at, [s.id for s in phone.strikes()]) == first
    assert len(phone.changes()) == 1


def test_a_suspicion_waits_and_the_phone_itself_clears_it(phone: Phone, org: Org) -> None:
    """It was only out of reach: met a week later, the same boot proves that it was on all the time."""
    phone.held_by(org.zhang)
    phone.reads(1, -2, -3)
    phone.dialled(-1)
    phone.settle(0)
    row = phone.one()
    assert (row.status, row.state, phone.strikes()) == ("suspected", "waiting", [])
    assert phone.due()[1]
    phone.reads(1, 168, -3)
    assert phone.run_job(168.1) == 1
    row = phone.one()
    assert (row.status, row.state) == ("refuted", "ruled")
    opened, cleared = phone.changes()
    assert (opened.before, opened.after["status"]) == (None, "suspected")
    assert (cleared.before["status"], cleared.after["status"]) == ("suspected", "refuted")
    assert cleared.causes == ["boots"]
    assert not phone.due()[1]


def test_time_alone_makes_it_the_leads_matter(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -2, -3)
    phone.dialled(-1)
    phone.settle(0)
    assert phone.due()[0] == at(0) + DAY
    phone.settle(29 * 24)
    due = phone.due()[0]
    assert due == at(-1) + 30 * DAY
    phone.clock.set(due)
    assert phone.run_job(29 * 24 + 23) == 1
    assert phone.one().status == "undecided"
    assert phone.changes()[-1].causes == ["time"]
    (task,) = open_tasks(phone.session, SYSTEM, kind="incident").items
    assert task.key == f"incident_decide:{phone.one().id}"


def test_an_accusation_becomes_part_of_the_proof_that_comes_later(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -12, -13)
    phone.dialled(-8)
    phone.dialled(-6, "answered")
    phone.dialled(-5.5)
    phone.settle(-5)
    b1, b2 = phone.incidents()
    assert {b1.kind, b2.kind} == {"b"}
    # The answered call was a slip; the journal proves one off-time over both.
    phone.session.execute(update(DialTest).where(DialTest.result == "answered").values(result="unclear"))
    phone.reads(2, -3, -4)
    phone.journal(1, -3, 3, "shutdown")
    phone.settle(-2)
    row = phone.one()
    assert (row.kind, row.status, row.start_at, row.end_at) == ("a", "confirmed", at(-10), at(-4))
    assert row.id in {b1.id, b2.id}
    gone = next(one for one in phone.incidents(gone=True) if one.gone_at is not None)
    assert (gone.gone_to, gone.strikes) == (row.id, 0)
    last = phone.changes(gone)[-1]
    assert last.after is None
    assert "并入" in last.why
    assert {"boots", "tests"} <= set(phone.changes(row)[-1].causes)


def test_an_incident_that_is_no_more_stays_on_record(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -2, -3)
    phone.dialled(-1)
    phone.settle(0)
    gone_id = phone.one().id
    phone.session.execute(update(DialTest).values(result="unclear"))
    phone.settle(1)
    assert phone.incidents() == []
    (row,) = phone.incidents(gone=True)
    assert (row.id, row.gone_to, row.status) == (gone_id, None, "suspected")
    phone.session.execute(update(DialTest).values(result="powered_off"))
    phone.settle(2)
    assert phone.one().id == gone_id
    assert [change.after is None for change in phone.changes()] == [False, True, False]


def test_custody_that_is_corrected_moves_the_strike(phone: Phone, org: Org) -> None:
    holding = phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    holding.valid_to, holding.updated_at = at(-8), at(1)
    phone.held_by(org.li, -8)
    phone.settle(2)
    assert [s.employee_id for s in phone.strikes()] == [org.li]
    assert phone.one().employee_id == org.li
    change = phone.changes()[-1]
    assert change.causes == ["custody"]
    assert (change.before["answers"], change.after["answers"]) == (str(org.zhang), str(org.li))
    assert phone.one().appeal_until == at(2) + 7 * DAY


def test_a_delegate_answers_within_the_delegation(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-40, -5)
    phone.dialled(-39)
    phone.dialled(-6)
    phone.delegated(org.li, -10, 0)
    phone.settle(0)
    assert [(s.at, s.employee_id) for s in phone.strikes()] == [(at(-39), org.zhang), (at(-6), org.li)]


def test_repair_excuses(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    phone.excused(-11, -4)
    phone.settle(1)
    assert (phone.one().status, phone.strikes()) == ("excused", [])
    assert phone.changes()[-1].causes == ["excuses"]


def test_policy_that_changes_rules_again_and_says_so(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.settle(0)
    assert phone.strikes() == []
    layer = LayerInput("uptime", "centre", org.centre, {"needs_hit": False}, "更严")
    put_layer(phone.session, SYSTEM, runtime().policies, layer, expected_version=0, now=at(1))
    phone.settle(1)
    assert len(phone.strikes()) == 1
    assert phone.changes()[-1].causes == ["policy"]
    assert phone.one().policy_body["needs_hit"] is False


def test_what_the_phone_says_of_itself_refutes_no_test(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -12, -13)
    phone.reads(1, -6, -13, grade="self")
    phone.reads(2, -3, -4)
    phone.dialled(-8)
    phone.settle(0)
    assert (phone.one().status, phone.strikes()) == ("undecided", [])


def test_nobody_in_custody_is_nobodys_strike(phone: Phone) -> None:
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    row = phone.one()
    assert (row.employee_id, row.answers) == (None, f"holder:{phone.id}")
    assert phone.strikes()[0].employee_id is None


def test_a_phone_that_cannot_be_ruled_stops_no_other(
    phone: Phone, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.incidents import settling

    phone.dialled(-1)
    real = settling.gather

    def broken(session, handset_id, now):  # type: ignore[no-untyped-def]
        raise RuntimeError("no")

    monkeypatch.setattr(settling, "gather", broken)
    assert phone.run_job(0) == 0
    assert phone.due()[0] == at(0.25)
    monkeypatch.setattr(settling, "gather", real)
    assert phone.run_job(0.25) == 1
    assert phone.one().status == "suspected"


def test_notices_go_to_whom_it_concerns_once_and_name_nobody_else(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7, by="李四")
    phone.settle(0)
    phone.settle(1)
    notices = phone.session.scalars(select(Notice)).all()
    assert sorted(n.link for n in notices) == sorted(
        [f"/incidents/{phone.one().id}", f"/my/incidents/{phone.one().id}"]
    )
    for notice in notices:
        assert "11月" in notice.body
        assert "李四" not in notice.title + notice.body
        assert "张三" not in notice.title + notice.body


def test_an_accusation_that_the_phone_refuted_at_once_is_told_to_nobody(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -1, -10)
    phone.dialled(-5)
    phone.settle(0)
    assert phone.one().status == "refuted"
    assert phone.session.scalar(select(func.count()).select_from(Notice)) == 0


def test_bounds_that_move_by_seconds_are_no_change_of_verdict(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.settle(0)
    phone.reads(2, 0.5, -5 - 5 / 3600)
    phone.settle(1)
    row = phone.one()
    assert to_us(row.end_at) == to_us(at(-5)) - 5_000_000
    assert (len(phone.changes()), row.changed_at) == (1, at(0))


def test_a_customers_report_alone_waits_for_the_lead(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -12, -13)
    phone.reads(2, -3, -4)
    phone.reported(-8)
    phone.settle(0)
    assert (phone.one().status, phone.one().state) == ("undecided", "waiting")


def test_incidents_of_another_phone_are_left_alone(phone: Phone, org: Org) -> None:
    phone.dialled(-1)
    phone.settle(0)
    assert phone.session.scalar(select(func.count()).select_from(Incident)) == 1
    assert phone.session.scalar(select(func.count()).select_from(IncidentChange)) == 1
    assert isinstance(phone.one().id, uuid.UUID)
    assert phone.due()[0] <= at(0) + 24 * HOUR + MINUTE
