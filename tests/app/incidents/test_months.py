"""R02 by the month, from what is stored."""

from __future__ import annotations

from app.incidents import month_matters, month_rulings, unsettled
from app.incidents.pending import queue_changed
from app.kernel.clock import FixedClock
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.registry import Handset
from app.runtime import runtime
from app.uptime.settling import put_back
from tests.app.conftest import START, Org
from tests.app.incidents.support import Phone, at


def two_strikes(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-100, -95)
    phone.dialled(-97)
    phone.was_off(-60, -55, 5)
    phone.dialled(-57)
    phone.settle(0)


def test_two_strikes_cancel_and_each_is_named(phone: Phone, org: Org) -> None:
    two_strikes(phone, org)
    ruling = month_rulings(phone.session, runtime().policies, org.centre, "2026-11")[org.zhang]
    assert (ruling.strikes, ruling.allowance) == (2, "cancelled")
    matters = month_matters(phone.session, org.centre, "2026-11")[org.zhang]
    assert [(m.kind, m.at, m.handset_id) for m in matters] == [
        ("strike", at(-97), phone.id),
        ("strike", at(-57), phone.id),
    ]


def test_who_had_custody_is_listed_without_any_matter(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang, -2000, -1200)
    phone.held_by(org.li, -1200)
    phone.settle(0)
    rulings = month_rulings(phone.session, runtime().policies, org.centre, "2026-11")
    told = {who: r.allowance for who, r in rulings.items()}
    assert told == {org.li: "payable"}
    assert set(month_rulings(phone.session, runtime().policies, org.centre, "2026-09")) == {org.zhang}
    assert month_rulings(phone.session, runtime().policies, org.other_centre, "2026-11") == {}
    assert month_matters(phone.session, org.centre, "2026-11") == {}


def test_what_waits_holds_the_month_open(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-100, -95)
    phone.dialled(-97)
    phone.dialled(-20)
    phone.settle(0)
    ruling = month_rulings(phone.session, runtime().policies, org.centre, "2026-11")[org.zhang]
    assert (ruling.strikes, ruling.suspected, ruling.allowance) == (1, 1, "undecided")
    assert [m.kind for m in month_matters(phone.session, org.centre, "2026-11")[org.zhang]] == [
        "strike",
        "suspected",
    ]


def test_the_centres_own_number_of_strikes_holds(phone: Phone, org: Org) -> None:
    two_strikes(phone, org)
    layer = LayerInput("uptime", "centre", org.centre, {"strikes": 3}, "试点")
    put_layer(phone.session, SYSTEM, runtime().policies, layer, expected_version=0, now=START)
    assert (
        month_rulings(phone.session, runtime().policies, org.centre, "2026-11")[org.zhang].allowance
        == "payable"
    )


def test_facts_that_no_ruling_has_seen_are_told(phone: Phone, org: Org) -> None:
    phone.settle(0)
    assert unsettled(phone.session, org.centre, at(0)) == 0
    phone.dialled(0)
    assert unsettled(phone.session, org.centre, at(0)) == 1
    assert unsettled(phone.session, org.other_centre, at(0)) == 0


def queued(phone: Phone, hour: float) -> int:
    return queue_changed(phone.session, at(hour), runtime().policies)


def test_what_changes_elsewhere_is_found_by_comparing(phone: Phone, org: Org, clock: FixedClock) -> None:
    assert queued(phone, 0) == 1
    assert phone.run_job(0) == 1
    assert (queued(phone, 1), phone.run_job(1)) == (0, 0)
    holding = phone.held_by(org.zhang)
    holding.created_at = holding.updated_at = at(2)
    phone.session.flush()
    assert (queued(phone, 2.1), phone.run_job(2.1)) == (1, 1)
    assert (queued(phone, 3), phone.run_job(3)) == (0, 0)
    holding.voided_at = holding.updated_at = at(4)
    phone.session.flush()
    assert (queued(phone, 4.1), phone.run_job(4.1)) == (1, 1)
    layer = LayerInput("uptime", "centre", org.centre, {"strikes": 3}, "试点")
    put_layer(phone.session, SYSTEM, runtime().policies, layer, expected_version=0, now=at(5))
    assert (queued(phone, 5), phone.run_job(5)) == (1, 1)
    assert (queued(phone, 6), phone.run_job(6)) == (0, 0)


def test_a_quiet_phone_is_ruled_once_a_day(phone: Phone) -> None:
    phone.settle(0)
    assert phone.run_job(23.9) == 0
    assert phone.run_job(24) == 1


def test_a_retired_phone_is_not_begun_with(phone: Phone) -> None:
    phone.session.get_one(Handset, phone.id).retired_at = START
    phone.session.flush()
    assert queued(phone, 0) == 0
    put_back(phone.session, phone.id, at(0), waits=False)
