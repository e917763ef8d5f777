"""Money: booked once, reversed once, never changed."""

from __future__ import annotations

import uuid

import pytest

from app.audit import verify
from app.audit.model import AuditRow
from app.kernel.db import begin_write
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.money import Fen
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import Entry, balance, book, reverse


@pytest.fixture
def entry(org):
    return Entry(org.centre, org.zhang, "2026-11", "allowance", Fen(-5000), "R02", "r02:zhang:2026-11")


def test_a_cause_is_booked_once(session, clock, entry, org):
    book(session, SYSTEM, entry, clock.now())
    with pytest.raises(Conflict):
        book(session, SYSTEM, entry, clock.now())
    assert balance(session, SYSTEM, org.zhang, "allowance", "2026-11") == -5000


def test_a_reversal_is_a_second_row_and_happens_once(session, clock, entry, org):
    row = book(session, SYSTEM, entry, clock.now())
    back = reverse(session, SYSTEM, row.id, "家访证实手机未关机", clock.now())
    assert (back.reverses_id, back.amount_fen) == (row.id, 5000)
    assert balance(session, SYSTEM, org.zhang, "allowance", "2026-11") == 0
    with pytest.raises(Conflict):
        reverse(session, SYSTEM, row.id, "", clock.now())
    with pytest.raises(Conflict):
        reverse(session, SYSTEM, back.id, "", clock.now())


@pytest.mark.parametrize(
    ("change", "field"), [({"month": "2026-13"}, "month"), ({"amount": Fen(0)}, "amount")]
)
def test_bad_bookings_name_their_field(session, clock, entry, change, field):
    with pytest.raises(Invalid) as caught:
        book(session, SYSTEM, Entry(**{**entry.__dict__, **change}), clock.now())
    assert caught.value.fields[0].field == field


def test_another_centres_money_is_out_of_reach(session, clock, entry, org):
    row = book(session, SYSTEM, entry, clock.now())
    stranger = Principal("f", frozenset({"finance"}), frozenset({org.other_centre}))
    with pytest.raises(Forbidden):
        book(session, stranger, Entry(**{**entry.__dict__, "cause": "x"}), clock.now())
    with pytest.raises(NotFound):
        reverse(session, stranger, row.id, "", clock.now())
    with pytest.raises(NotFound):
        reverse(session, SYSTEM, uuid.uuid4(), "", clock.now())
    assert balance(session, stranger, org.zhang, "allowance", "2026-11") == 0


def test_every_booking_is_an_event(session, clock, entry):
    book(session, SYSTEM, entry, clock.now())
    session.commit()
    begin_write(session)
    assert session.get_one(AuditRow, 1).action == "ledger.booked"
    assert verify(session).problem is None
