"""Lost and found, the kit that moves, phones that wait to be destroyed, the timeline."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import select

from app.hardware import disposing, life_events, losing, waiting_of
from app.hardware.loss_rules import STEPS
from app.hardware.model import HardwareCase
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.timeline import Subject
from app.registry import Handset, hold
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


def test_a_lost_phone_asks_for_everything_at_once_and_found_ends_it(way, session, place):
    way.report("loss")
    lost = {f"hardware.{step.what}" for step in STEPS}
    assert tasks(session) == {*lost, "hardware.judge"}
    bodies = "".join(task.body for task in session.scalars(select(Task)))
    assert "+8613800000001" in bodies
    assert "**小新" in bodies
    police = losing.Deed("lost_police", "done", receipt="A123")
    losing.record_deed(session, place.zhang, way.tools, way.case.id, police, way.now)
    assert "hardware.lost_police" not in tasks(session)
    way.find()
    assert way.case.state == "found"
    assert tasks(session) == set()
    refused(Conflict, "hardware_state", way.judge)


def test_found_after_the_change_somebody_decides_what_becomes_of_the_new_one(way, session, place):
    way.report("loss")
    way.state()
    way.judge()
    way.offer(fen=99_900)
    way.accept()
    row = waiting_of(session, place.phone)
    assert row.cause == "lost"
    way.later(2).find()
    assert row.found_at == way.now
    assert tasks(session) == {"hardware.refund"}
    assert any("¥999.00" in task.body for task in session.scalars(select(Task)))


def test_damage_is_not_found_again(way):
    way.report()
    refused(Conflict, "not_lost", way.find)


def test_while_a_handover_holds_the_kit_no_phone_moves(way, session, place):
    way.report()
    way.judge("wear")
    hold(
        session, cause="handover:x", subjects=[("handset", place.phone)], centre_id=place.org.centre, reason="正在交接",
        link="/handovers/x", by="u", now=way.now,
    )  # fmt: skip
    refused(Conflict, "held", way.buy)


def test_the_same_serial_is_not_its_own_replacement(way):
    way.report()
    way.judge("wear")
    refused(Conflict, "serial", way.buy, phone=dataclasses.replace(NEW, serial="SERIAL-OLD"))


def test_a_phone_that_the_agent_adopted_is_taken_as_it_is(way, session, place):
    stamp = {"created_at": way.now, "updated_at": way.now}
    known = Handset(
        centre_id=place.org.centre, asset_tag="GJ-7", serial="SERIAL-NEW", brand="Redmi", model="13C",
        specification={}, **stamp,
    )  # fmt: skip
    session.add(known)
    session.flush()
    way.report()
    way.judge("wear")
    refused(Conflict, "differs", way.buy, phone=dataclasses.replace(NEW, model="12C"))
    assert way.buy(tag="").new_handset_id == known.id


def test_disposals_are_ordered_once_cancelled_with_a_reason_and_bounded(way, session, place):
    def order(source, by=place.lead):
        return disposing.order_disposal(
            session, by, place.phone, cause="contract_end", reason="到期", source=source, now=way.now
        )

    row = order("/contracts/1")
    assert order("/contracts/1").id == row.id
    refused(Conflict, "disposal_waits", order, "/contracts/2")
    refused(Forbidden, "role_in_centre", order, "/x", by=place.it)
    assert [r.id for r in disposing.disposals(session, place.auditor).items] == [row.id]
    assert not disposing.disposals(session, place.foreign).items
    with pytest.raises(Invalid):
        disposing.cancel_disposal(session, place.lead, row.id, reason=" ", now=way.now)
    disposing.cancel_disposal(session, place.lead, row.id, reason="续约", now=way.now)
    refused(
        Conflict,
        "hardware_state",
        disposing.cancel_disposal,
        session,
        place.lead,
        row.id,
        reason="x",
        now=way.now,
    )
    assert order("/contracts/2").id != row.id
    with pytest.raises(ValueError, match="no cause"):
        disposing.order_disposal(
            session, place.lead, place.phone, cause="whim", reason="", source="/x", now=way.now
        )


def test_the_timeline_tells_it_of_both_phones_the_post_and_the_person(way, session, place):
    way.deducting()
    case = session.get_one(HardwareCase, way.case.id)
    for kind, subject_id in (
        ("handset", place.phone), ("handset", case.new_handset_id), ("post", place.org.post),
        ("employee", place.org.zhang),
    ):  # fmt: skip
        titles = [event.title for event in life_events(session, place.lead, Subject(kind, subject_id))]
        assert "换机：GJ-2 接替 GJ-1" in titles
        assert "下达赔付扣款单" in titles
    assert any("待销毁" in e.title for e in life_events(session, place.lead, Subject("handset", place.phone)))
    assert not life_events(session, place.foreign, Subject("handset", place.phone))
    assert not life_events(session, place.lead, Subject("number", place.number))
