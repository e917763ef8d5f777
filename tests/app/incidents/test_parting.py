"""What people said of an incident when late evidence parts it in two."""

from __future__ import annotations

import pytest

from app.incidents.months import month_rulings
from app.incidents.service import Word, appeal, decide, decide_appeal
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.reports.model import CustomerReport
from app.runtime import runtime
from tests.app.conftest import Org
from tests.app.incidents.support import Phone, at, staff


@pytest.fixture
def undecided(phone: Phone, org: Org) -> Phone:
    """One unknown stretch with a report and, much later, a call that found the phone off."""
    phone.held_by(org.zhang)
    phone.reads(1, -100, -101)
    phone.reported(-90)
    phone.dialled(-50)
    phone.reads(9, -10, -11)
    phone.settle(0)
    assert phone.one().status == "undecided"
    return phone


def _say(phone: Phone, org: Org, status: str) -> None:
    row, lead = phone.one(), staff("lead", org, "u-lead")
    word = Word(status, "回访住户", row.version)
    decide(phone.session, lead, row.id, word, now=at(0.1), policies=runtime().policies)
    assert phone.one().status == status


def test_one_confirmation_does_not_become_two_strikes(undecided: Phone, org: Org) -> None:
    phone = undecided
    _say(phone, org, "confirmed")
    assert len(phone.strikes()) == 1
    # The phone was on for a moment in between, says a gateway that comes back late.
    phone.reads(5, -70, -71)
    phone.settle(0.2)
    assert [row.status for row in phone.incidents()] == ["confirmed", "undecided"]
    assert [row.state for row in phone.incidents()] == ["decided", "waiting"]
    assert [strike.at for strike in phone.strikes()] == [at(-90)]
    ruling = month_rulings(phone.session, runtime().policies, org.centre, "2026-11")[org.zhang]
    assert ruling.allowance == "undecided"
    statuses = [one["status"] for one in phone.replayed(0.2)["phones"][str(phone.id)]["incidents"]]
    assert statuses == ["confirmed", "undecided"]


def test_a_refusal_holds_for_both_parts(undecided: Phone, org: Org) -> None:
    phone = undecided
    _say(phone, org, "refuted")
    phone.reads(5, -70, -71)
    phone.settle(0.2)
    assert [row.status for row in phone.incidents()] == ["refuted", "refuted"]
    assert phone.strikes() == []


def test_an_incident_that_is_joined_to_another_leaves_no_strike_behind(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-100, -95)
    phone.dialled(-97)
    phone.was_off(-92, -70, 5)
    phone.dialled(-71)
    phone.settle(0)
    assert [row.strikes for row in phone.incidents()] == [1, 1]
    layer = LayerInput("uptime", "centre", org.centre, {"merge_minutes": 240}, "试点")
    put_layer(phone.session, SYSTEM, runtime().policies, layer, expected_version=0, now=at(0.1))
    phone.settle(0.2)
    assert phone.one().strikes == 2
    assert [(strike.incident_id, strike.at) for strike in phone.strikes()] == [
        (phone.one().id, at(-97)),
        (phone.one().id, at(-71)),
    ]


def test_the_last_word_is_open_again_once_what_it_rested_on_is_gone(undecided: Phone, org: Org) -> None:
    phone = undecided
    _say(phone, org, "confirmed")
    policies, row = runtime().policies, phone.one()
    appeal(phone.session, staff("butler", org, "u-zhang", org.zhang), row.id, "当时开着", now=at(0.2))
    word = Word("confirmed", "已核", phone.one().version)
    desk = staff("operations", org, "u-desk")
    decide_appeal(phone.session, desk, row.id, word, now=at(0.3), policies=policies)
    assert (phone.one().status, phone.one().state) == ("confirmed", "final")
    phone.session.query(CustomerReport).delete()
    phone.settle(0.4)
    assert (phone.one().status, phone.one().state) == ("undecided", "waiting")
    assert phone.strikes() == []


def test_what_waited_and_is_gone_holds_no_month_back(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.reads(1, -100, -101)
    phone.reported(-50)
    phone.reads(9, -10, -11)
    phone.settle(0)
    policies = runtime().policies
    assert month_rulings(phone.session, policies, org.centre, "2026-11")[org.zhang].undecided == 1
    phone.session.query(CustomerReport).delete()
    phone.settle(0.1)
    assert month_rulings(phone.session, policies, org.centre, "2026-11")[org.zhang].undecided == 0
