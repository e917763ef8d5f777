"""Wages: one order a case, a month's part within its cap, never twice, given back to the fen."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import func, select

from app.hardware import store
from app.hardware.model import Instalment
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.ledger import LedgerEntry
from tests.app.hardware.steps import NEW, Way


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def way(place, session, tools, photo):
    return Way(session, tools, place, photo)


def sum_of(session):
    return session.scalar(select(func.coalesce(func.sum(LedgerEntry.amount_fen), 0)))


def order_of(way):
    return store.order_of(way.session, way.case.id)


def test_the_lower_price_is_owed_and_taken_month_by_month(way, session):
    way.deducting(months=4)
    order = order_of(way)
    assert (order.amount_fen, order.monthly_fen, order.first_month) == (90_000, 22_500, "2026-11")
    assert order.basis["invoice_fen"] == 120_000
    way.later(8)
    assert way.take("2026-11", 30_000).taken_fen == 22_500
    way.later(10)
    assert way.take("2026-12", 5_000).taken_fen == 5_000
    for month, fen in (("2027-01", 22_500), ("2027-02", 22_500), ("2027-03", 17_500)):
        way.later(31)
        assert way.take(month, 1_000_000).taken_fen == fen
    assert order.state == "settled"
    assert way.case.state == "replaced"
    assert way.case.ended_at == way.now
    assert sum_of(session) == -90_000
    accounts = set(session.execute(select(LedgerEntry.account, LedgerEntry.rule)))
    assert accounts == {("R05", "R05")}


def test_a_month_is_taken_once(way):
    way.deducting().later(8)
    way.take("2026-11", 30_000)
    with pytest.raises(Conflict) as refusal:
        way.take("2026-11", 30_000)
    assert refusal.value.code == "already_taken"
    assert sum_of(way.session) == -15_000


@pytest.mark.parametrize("month", ["2026-10", "2026-12", "abc"])
def test_only_months_from_the_order_up_to_now(way, month):
    way.deducting().later(8)
    with pytest.raises(Conflict) as refusal:
        way.take(month, 30_000)
    assert refusal.value.code == "month_out"


def test_a_cap_of_nothing_takes_nothing_and_the_month_is_over(way, session):
    way.deducting().later(8)
    assert way.take("2026-11", 0).taken_fen == 0
    assert sum_of(session) == 0
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_nothing_is_taken_while_he_may_appeal_or_waits_for_the_decision(way):
    way.deducting()
    with pytest.raises(Conflict) as refusal:
        way.take("2026-11", 30_000)
    assert refusal.value.code == "appeal_open"
    way.later(1).appeal()
    way.later(10)
    with pytest.raises(Conflict) as refusal:
        way.take("2026-12", 30_000)
    assert refusal.value.code == "appeal_waits"
    way.decide(allow=False)
    assert way.take("2026-12", 30_000).taken_fen == 15_000


def test_finance_alone_confirms_and_not_who_ordered_it(way, place, org):
    way.deducting().later(8)
    for who in (place.lead, place.operations, place.auditor, place.it):
        with pytest.raises(Forbidden):
            way.take("2026-11", 30_000, by=who)
    both = type(place.lead)("u-lead", frozenset({"finance", "lead"}), frozenset({org.centre}))
    himself = type(place.lead)("u-x", frozenset({"finance"}), frozenset({org.centre}), org.zhang)
    for who in (both, himself):
        with pytest.raises(Forbidden) as refusal:
            way.take("2026-11", 30_000, by=who)
        assert refusal.value.code == "second_person"
    with pytest.raises(Invalid):
        way.take("2026-11", 30_000, attested=False)
    with pytest.raises(Invalid):
        way.take("2026-11", -1)


def test_two_orders_share_one_cap(way, session, place, org, tools, photo):
    """Two phones of one person: the month bears its cap once."""
    from app.registry import KitAssignment
    from app.registry.model import Handset

    stamp = {"created_at": place.now, "updated_at": place.now}
    other = Handset(
        centre_id=org.centre,
        asset_tag="GJ-8",
        serial="S8",
        brand="Redmi",
        model="12C",
        specification={},
        **stamp,
    )
    session.add(other)
    session.flush()
    since = place.now - dt.timedelta(days=9)
    session.add(
        KitAssignment(centre_id=org.centre, post_id=org.post, handset_id=other.id, valid_from=since, **stamp)
    )
    session.flush()
    way.deducting(months=2)
    second = Way(session, tools, place, photo)
    second.report(handset_id=other.id)
    second.state()
    second.judge()
    second.refuse()
    second.buy(80_000, months=2, phone=dataclasses.replace(NEW, serial="SERIAL-3"), tag="GJ-3")
    way.later(8)
    second.later(8)
    assert way.take("2026-11", 50_000).taken_fen == 45_000
    with pytest.raises(Conflict) as refusal:
        second.take("2026-11", 60_000)
    assert refusal.value.code == "cap_differs"
    assert second.take("2026-11", 50_000).taken_fen == 5_000
    assert store.taken_in(session, org.zhang, "2026-11") == 50_000


@pytest.mark.parametrize("settled", [False, True])
def test_found_again_gives_back_to_the_fen(way, session, settled):
    way.deducting(months=1 if settled else 3, kind="loss").later(8)
    way.take("2026-11", 1_000_000)
    way.later(10)
    if not settled:
        way.take("2026-12", 10_000)
    assert sum_of(session) == (-90_000 if settled else -40_000)
    way.find()
    assert sum_of(session) == 0
    assert order_of(way).state == "lifted"
    assert way.case.state == "found"
    assert all(row.reversal_id is not None for row in session.scalars(select(Instalment)))
    with pytest.raises(Conflict):
        way.take("2027-01", 1_000_000)
    with pytest.raises(Conflict):
        way.find()
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == (2 if settled else 4)


def test_an_allowed_appeal_lifts_the_order_before_anything_was_taken(way, session):
    way.deducting().later(1).appeal()
    way.decide(allow=True)
    assert order_of(way).state == "lifted"
    assert (way.case.state, way.case.payer, way.case.appeal) == ("replaced", "centre", "allowed")
    way.later(30)
    with pytest.raises(Conflict) as refusal:
        way.take("2026-12", 1_000_000)
    assert refusal.value.code == "hardware_state"
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_a_closed_month_takes_nothing_more_and_an_order_begins_after_it(way, session, place, org):
    from app.allowance.model import AllowanceMonth

    def close(month):
        session.add(
            AllowanceMonth(
                centre_id=org.centre, month=month, policy_version=1, policy_sha256="0" * 64, policy_body={},
                uptime_version=1, uptime_sha256="0" * 64, lines_sha256="0" * 64, closed_by="u", closed_at=way.now,
                checked_at=way.now,
            )
        )  # fmt: skip
        session.flush()

    close("2026-11")
    way.deducting()
    assert order_of(way).first_month == "2026-12"
    way.later(15)
    close("2026-12")
    with pytest.raises(Conflict) as refusal:
        way.take("2026-12", 30_000)
    assert refusal.value.code == "month_closed"


def test_too_many_months(way):
    with pytest.raises(Invalid):
        way.deducting(months=25)
