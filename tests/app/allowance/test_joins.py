"""Where rooms meet at the closing: phones that change centres, and people with phones under two centres' policies."""

from __future__ import annotations

import datetime as dt

import pytest

from app.allowance.correcting import recheck
from app.incidents import settle_phone
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.registry import Handset, KitAssignment
from app.runtime import runtime
from tests.app.allowance.test_closing import books, line_of
from tests.app.incidents.support import Phone, at, replayed
from tests.app.uptime.support import add_handset


@pytest.fixture
def handset(app, org):
    return add_handset(app, org.centre, "S1")


@pytest.fixture
def phone(handset, session, org, clock):
    """Off twice in October, each time found so by a call."""
    made = Phone(session, org, clock, handset)
    made.held_by(org.zhang)
    made.was_off(-800, -795)
    made.dialled(-797)
    made.was_off(-760, -755, 5)
    made.dialled(-757)
    return made


def test_a_phone_that_left_before_it_was_ruled_still_tells_of_who_had_it(phone, world, session, org):
    session.query(KitAssignment).filter_by(handset_id=phone.id).one().valid_to = at(-100)
    session.get_one(Handset, phone.id).centre_id = org.other_centre
    settle_phone(session, phone.id, org.other_centre, at(0), runtime().policies)
    assert len(phone.strikes()) == 2
    world.close()
    line = line_of(session, org.zhang)
    assert (line.state, line.strikes) == ("cancelled", 2)
    assert sum(fen for _, fen, _ in books(session, org.zhang)) == 0


def test_another_centres_policy_hinders_no_closing_and_no_correction(
    phone, world, session, org, tools, clock
):
    layer = LayerInput("uptime", "centre", org.other_centre, {"merge_minutes": 7}, "试点")
    put_layer(session, SYSTEM, tools.files, layer, expected_version=0, now=at(-2))
    other = Phone(session, org, clock, world.phone(org.post, "2026-10-01"))
    session.get_one(Handset, other.id).centre_id = org.other_centre
    session.flush()
    other.was_off(-700, -690, 9)
    other.dialled(-695)
    phone.settle(0)
    settle_phone(session, other.id, org.other_centre, at(0), runtime().policies)
    world.close()
    line = line_of(session, org.zhang)
    assert (line.state, line.strikes) == ("cancelled", 3)
    data, _ = tools.blobs.get(session, line.trace_sha256)
    assert set(replayed(data)["phones"]) == {str(phone.id)}
    for row in phone.incidents() + other.incidents():
        world.refute(row)
    assert recheck(session, tools, clock.now() + dt.timedelta(hours=1)) == 1
    assert line_of(session, org.zhang).state == "payable"
