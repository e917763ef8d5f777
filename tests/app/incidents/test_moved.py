"""A phone that goes to another centre: whose policy rules it, and whose lead decides about what was before."""

from __future__ import annotations

from app.incidents.pending import queue_changed
from app.incidents.tracing import export_trace
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.registry import Handset, KitAssignment
from app.runtime import runtime
from tests.app.conftest import Org
from tests.app.incidents.support import Phone, at, replayed


def _moves(phone: Phone, hour: float) -> None:
    phone.session.query(KitAssignment).filter_by(handset_id=phone.id).one().valid_to = at(hour)
    phone.session.get_one(Handset, phone.id).centre_id = phone.org.other_centre
    phone.session.flush()


def _found_off(phone: Phone) -> None:
    phone.held_by(phone.org.zhang)
    phone.was_off(-100, -95)
    phone.dialled(-97)


def test_it_is_ruled_again_by_the_policy_of_its_new_centre(phone: Phone, org: Org) -> None:
    layer = LayerInput("uptime", "centre", org.other_centre, {"min_off_minutes": 1440}, "试点")
    put_layer(phone.session, SYSTEM, runtime().policies, layer, expected_version=0, now=at(-200))
    _found_off(phone)
    phone.settle(-50)
    assert (phone.one().status, len(phone.strikes())) == ("confirmed", 1)
    _moves(phone, -40)
    phone.forget_queue()
    assert queue_changed(phone.session, at(0), runtime().policies) == 1
    assert phone.run_job(0) == 1
    assert phone.strikes() == []
    told = replayed(export_trace(phone.session, runtime().policies, [phone.id], at(0)))
    statuses = [one["status"] for one in told["phones"][str(phone.id)]["incidents"]]
    assert [row.status for row in phone.incidents()] == statuses
    phone.forget_queue()
    assert queue_changed(phone.session, at(1), runtime().policies) == 0


def test_what_was_before_stays_with_the_centre_that_had_it(phone: Phone, org: Org) -> None:
    _found_off(phone)
    _moves(phone, -40)
    phone.settle(0)
    row = phone.one()
    assert (row.status, row.employee_id, row.centre_id) == ("confirmed", org.zhang, org.centre)
    assert [strike.centre_id for strike in phone.strikes()] == [org.centre]


def test_without_custody_it_is_the_phones_own_centre(phone: Phone, org: Org) -> None:
    phone.was_off(-100, -95)
    phone.dialled(-97)
    phone.session.get_one(Handset, phone.id).centre_id = org.other_centre
    phone.settle(0)
    assert phone.one().centre_id == org.other_centre
