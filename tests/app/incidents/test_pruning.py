"""Old boots are forgotten, and no ruling changes."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.incidents.pruning import cutoff, prune_boots
from app.runtime import runtime
from app.uptime.model import PhoneBoot
from tests.app.conftest import Org
from tests.app.incidents.support import Phone, at
from tests.app.incidents.test_trace import told

YEARS = 24 * 365 * 4


def boots(phone: Phone) -> int:
    return phone.session.scalar(select(func.count()).select_from(PhoneBoot)) or 0


def prune(phone: Phone, hour: float = YEARS) -> int:
    policies = runtime().policies
    return prune_boots(phone.session, at(hour), policies, cutoff(at(hour), policies), 100)


def life(phone: Phone, org: Org) -> None:
    """Twenty quiet boots, an incident in their middle, and one boot of today."""
    phone.held_by(org.zhang)
    for number in range(10, 30):
        start = (number - 20) * 100 + (50 if number >= 20 else 0)
        phone.reads(number, start + 40, start)
    phone.reads(20, 30, 50 - 0.1)
    phone.dialled(20)
    phone.reads(60, YEARS - 1, YEARS - 5)
    phone.settle(YEARS)


def test_what_no_verdict_rests_on_is_forgotten(phone: Phone, org: Org) -> None:
    life(phone, org)
    before, stored = told(phone), boots(phone)
    assert before
    assert prune(phone) > 0
    assert boots(phone) < stored
    phone.settle(YEARS + 1)
    assert told(phone) == before
    assert len(phone.changes(phone.incidents()[0])) == 1


def test_what_an_incident_rests_on_stays(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    phone.reads(60, YEARS - 1, YEARS - 5)
    phone.settle(YEARS)
    before = told(phone)
    assert (prune(phone), boots(phone)) == (0, 3)
    assert told(phone) == before


@pytest.mark.parametrize("hour", [10.0, 24 * 1099])
def test_young_boots_stay(phone: Phone, org: Org, hour: float) -> None:
    phone.reads(1, 0, -1)
    phone.reads(2, 3, 2)
    assert prune(phone, hour) == 0


def test_the_latest_boot_stays_however_old(phone: Phone) -> None:
    phone.reads(1, 0, -1)
    phone.reads(2, 3, 2)
    phone.settle(YEARS)
    assert prune(phone) == 1
    assert boots(phone) == 1
