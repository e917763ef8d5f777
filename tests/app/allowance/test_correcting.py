"""After closing: what gives is booked by itself, what takes waits for a person; each is a reversal and a new row."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from app.allowance.correcting import correct, drifts_of, recheck
from app.allowance.model import AllowanceLine
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import LedgerEntry
from app.policy import LayerInput, put_layer
from app.registry.ties import PostHolding
from app.tasks import open_tasks
from tests.app.allowance.conftest import MONTH, at
from tests.app.allowance.test_closing import books, line_of


@pytest.fixture
def phone(world, org):
    found = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    return found


def later(world, days=1):
    world.now += dt.timedelta(days=days)
    return world.now


def test_an_appeal_upheld_after_closing_gives_the_month_back(session, world, org, phone, tools):
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    wrong = world.incident(phone, org.zhang, "2026-10-20 10:00")
    world.close()
    world.refute(wrong)
    assert recheck(session, tools, later(world)) == 1
    assert books(session, org.zhang) == [
        ("grant", 5000, False),
        ("cancellation", -5000, False),
        ("cancellation", 5000, True),
    ]
    line = line_of(session, org.zhang)
    assert (line.revision, line.state, line.made_by) == (2, "payable", "system")
    assert "取消改为照发" in line.why
    assert session.scalar(select(func.count()).select_from(AllowanceLine)) == 2
    assert recheck(session, tools, later(world)) == 0
    assert len(books(session, org.zhang)) == 3


def test_held_is_released_when_it_is_decided(session, world, org, phone, tools):
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    waiting = world.incident(phone, org.zhang, "2026-10-20 10:00", "undecided")
    world.close()
    assert recheck(session, tools, later(world)) == 0
    world.refute(waiting)
    assert recheck(session, tools, later(world)) == 1
    assert books(session, org.zhang) == [("grant", 5000, False)]


def test_held_and_then_confirmed_is_cancelled(session, world, org, phone, tools):
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    waiting = world.incident(phone, org.zhang, "2026-10-20 10:00", "suspected")
    world.close()
    world.refute(waiting)
    world.incident(phone, org.zhang, "2026-10-20 10:00")
    assert recheck(session, tools, later(world)) == 1
    assert line_of(session, org.zhang).state == "cancelled"
    assert sum(fen for _, fen, _ in books(session, org.zhang)) == 0


def test_what_takes_asks_a_person(session, world, org, phone, tools):
    row = world.close()
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    world.incident(phone, org.zhang, "2026-10-20 10:00")
    assert recheck(session, tools, later(world)) == 0
    assert books(session, org.zhang) == [("grant", 5000, False)]
    assert [t.kind for t in open_tasks(session, SYSTEM).items] == ["month"]
    drifts = drifts_of(session, tools.files, row)
    with pytest.raises(Invalid):
        correct(session, SYSTEM, tools, row.id, seen=drifts.sha256, reason=" ", now=later(world))
    with pytest.raises(Conflict):
        correct(session, SYSTEM, tools, row.id, seen="0" * 64, reason="补证", now=later(world))
    assert correct(session, SYSTEM, tools, row.id, seen=drifts.sha256, reason="补证", now=later(world)) == 1
    assert books(session, org.zhang) == [("grant", 5000, False), ("cancellation", -5000, False)]
    assert line_of(session, org.zhang).why == "补证"
    assert open_tasks(session, SYSTEM).items == []
    with pytest.raises(Conflict):
        correct(session, SYSTEM, tools, row.id, seen=drifts.sha256, reason="补证", now=later(world))


def test_a_suspicion_after_closing_takes_nothing_back(session, world, org, phone, tools):
    row = world.close()
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    world.incident(phone, org.zhang, "2026-10-20 10:00", "undecided")
    assert recheck(session, tools, later(world)) == 0
    drifts = drifts_of(session, tools.files, row)
    assert (len(drifts.waiting), drifts.losses, drifts.gains) == (1, (), ())
    assert books(session, org.zhang) == [("grant", 5000, False)]


def test_custody_mended_after_closing_gives_to_one_and_asks_to_take_from_the_other(
    session, world, org, phone, tools
):
    row = world.close()
    wrong = session.scalars(select(PostHolding)).one()
    wrong.voided_at = world.now
    world.holds(org.post, org.zhang, "2026-01-01", "2026-10-11")
    world.holds(org.post, org.li, "2026-10-11")
    assert recheck(session, tools, later(world)) == 1
    assert books(session, org.li) == [("grant", 3387, False)]
    drifts = drifts_of(session, tools.files, row)
    correct(session, SYSTEM, tools, row.id, seen=drifts.sha256, reason="交接日期更正", now=later(world))
    assert books(session, org.zhang) == [
        ("grant", 5000, False),
        ("grant", -5000, True),
        ("grant", 1613, False),
    ]


def test_a_policy_of_today_does_not_move_a_closed_month(session, world, org, phone, tools):
    world.close()
    layer = LayerInput("allowance", "centre", org.centre, {"monthly_fen": 100}, "新标准")
    put_layer(session, SYSTEM, tools.files, layer, expected_version=0, now=world.now)
    assert recheck(session, tools, later(world)) == 0
    assert open_tasks(session, SYSTEM).items == []


def test_only_those_who_may_close_may_correct(session, world, org, phone, tools):
    row = world.close()
    lead = Principal("u1", frozenset({"lead"}), frozenset({org.other_centre}))
    with pytest.raises(NotFound):
        correct(session, lead, tools, row.id, seen="", reason="x", now=world.now)
    clerk = Principal("u2", frozenset({"operations"}), frozenset({org.centre}))
    with pytest.raises(Forbidden):
        correct(session, clerk, tools, row.id, seen="", reason="x", now=world.now)


def test_months_that_are_long_past_are_left_alone(session, world, org, phone, tools):
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    wrong = world.incident(phone, org.zhang, "2026-10-20 10:00")
    world.close()
    world.refute(wrong)
    assert recheck(session, tools, at("2027-12-01 00:00")) == 0
    assert recheck(session, tools, at("2027-10-31 23:00")) == 1


def test_no_booking_is_dated_before_a_closing(session, world, org, phone, tools):
    """Two machines' clocks may differ: a correction that is committed after a closing belongs after it."""
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    wrong = world.incident(phone, org.zhang, "2026-10-20 10:00")
    row = world.close()
    world.refute(wrong)
    recheck(session, tools, world.now - dt.timedelta(minutes=5))
    last = session.scalar(select(func.max(LedgerEntry.booked_at)))
    assert last > row.closed_at
    assert row.month == MONTH
