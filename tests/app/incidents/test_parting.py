"""What people said of an incident when late evidence parts it in two."""

from __future__ import annotations

import pytest

from app.incidents.months import month_rulings
from app.incidents.service import Word, decide
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
