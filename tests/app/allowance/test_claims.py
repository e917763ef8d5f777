"""Receipts: once, not one's own, within the cap, never of a cancelled month."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app.allowance import claims
from app.allowance.claims import ClaimInput
from app.allowance.correcting import recheck
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import balance
from app.policy import LayerInput, put_layer
from tests.app.allowance.conftest import MONTH
from tests.app.allowance.receipts import jpeg, pdf, png


@pytest.fixture
def zhang(org):
    return Principal("u-zhang", frozenset({"butler"}), frozenset({org.centre}), employee=org.zhang)


@pytest.fixture
def finance(org):
    return Principal("u-finance", frozenset({"finance"}), frozenset({org.centre}))


@pytest.fixture
def phone(world, org):
    found = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    return found


def given(org, **changes) -> ClaimInput:
    values = {
        "employee_id": org.zhang,
        "paid_fen": 3000,
        "paid_on": dt.date(2026, 10, 8),
        "number": None,
        "note": "",
    }
    data = changes.pop("data", pdf())
    return ClaimInput(**{**values, "receipt": claims.take_receipt(data), **changes})


@pytest.fixture
def filing(session, world, org, zhang, phone):
    def run(principal=zhang, **changes):
        return claims.file_claim(session, principal, world.tools, given(org, **changes), world.now)

    return run


@pytest.fixture
def approving(session, world, finance):
    def run(claim, principal=finance, fen=None):
        return claims.approve(session, principal, world.tools, claim.id, fen=fen, reason="", now=world.now)

    return run


def topup(session, org):
    return balance(session, SYSTEM, org.zhang, "topup", MONTH)


def test_filed_approved_and_booked(session, org, filing, approving):
    claim = filing()
    assert (claim.state, claim.month, claim.filed_by, claim.centre_id) == (
        "filed",
        MONTH,
        "u-zhang",
        org.centre,
    )
    approving(claim)
    assert (claim.state, claim.approved_fen, claim.decided_by) == ("approved", 3000, "u-finance")
    assert topup(session, org) == 3000


def test_no_more_than_the_cap_of_the_month(session, org, filing, approving):
    approving(filing())
    second = filing(data=png(), paid_fen=9000)
    with pytest.raises(Conflict) as caught:
        approving(second, fen=2001)
    assert caught.value.code == "cap_reached"
    assert approving(second).approved_fen == 2000
    with pytest.raises(Conflict):
        approving(filing(data=jpeg()))
    assert topup(session, org) == 5000


@pytest.mark.parametrize("fen", [0, -1, 3001])
def test_never_more_than_the_receipt(filing, approving, fen):
    with pytest.raises(Invalid):
        approving(filing(), fen=fen)


def test_the_same_receipt_is_refused_with_a_pointer_to_the_first(session, org, world, filing, finance):
    first = filing(number="A-1")
    with pytest.raises(Conflict) as caught:
        filing()
    assert caught.value.code == "receipt_used"
    assert str(first.id) in caught.value.detail
    for spelling in (" A-1 ", "a1", "Ａ－1", "A 1", "A\u20111"):
        with pytest.raises(Conflict):
            filing(data=png(), number=spelling)
    assert filing(data=png(), number="A-1", paid_on=dt.date(2026, 10, 9)).state == "filed"
    claims.reject(session, finance, first.id, reason="看不清", now=world.now)
    assert filing(number="A-1").state == "filed"


def test_another_centre_learns_nothing_of_the_first(world, org, filing):
    filing()
    world.holds(world.post("P2"), org.li, "2026-01-01")
    stranger = Principal("u-li", frozenset({"butler"}), frozenset({org.other_centre}), employee=org.li)
    with pytest.raises(Conflict) as caught:
        filing(stranger, employee_id=org.li, paid_on=dt.date(2026, 10, 8))
    assert "报销单" not in caught.value.detail


def test_not_ones_own(session, world, org, filing, approving, finance):
    claim = filing()
    own = Principal("u-x", frozenset({"finance"}), frozenset({org.centre}), employee=org.zhang)
    with pytest.raises(Forbidden):
        approving(claim, own)
    clerk = Principal("u-both", frozenset({"operations", "finance"}), frozenset({org.centre}))
    filed = filing(clerk, data=png())
    for act in (claims.reject, claims.take_back):
        with pytest.raises(Forbidden):
            act(session, clerk, filed.id, reason="x", now=world.now)
    with pytest.raises(Forbidden):
        approving(filed, clerk)
    assert approving(filed, finance).state == "approved"


def test_who_may_file_for_whom(world, org, filing):
    foreign = Principal("u-f", frozenset({"operations"}), frozenset({org.other_centre}))
    with pytest.raises(NotFound):
        filing(foreign)
    other = Principal("u-li", frozenset({"butler"}), frozenset({org.centre}), employee=org.li)
    with pytest.raises(Forbidden):
        filing(other)
    with pytest.raises(NotFound):
        filing(other, employee_id=org.li)
    assert filing(Principal("u-o", frozenset({"operations"}), frozenset({org.centre}))).state == "filed"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"paid_on": dt.date(2026, 11, 23)}, "paid_on"),
        ({"paid_on": dt.date(2026, 8, 31)}, "paid_on"),
        ({"paid_fen": 0}, "paid_fen"),
        ({"data": b"<html>"}, "receipt"),
    ],
)
def test_what_is_refused(filing, changes, field):
    with pytest.raises(Invalid) as caught:
        filing(**changes)
    assert caught.value.fields[0].field == field


def test_a_file_too_large(filing):
    with pytest.raises(TooLarge):
        filing(data=b"%PDF-" + b"0" * (10 * 2**20) + b"%%EOF")


def test_a_cancelled_month_is_not_reimbursed(session, world, org, phone, filing, approving):
    claim = filing()
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    waiting = world.incident(phone, org.zhang, "2026-10-20 10:00", "undecided")
    with pytest.raises(Conflict) as caught:
        approving(claim)
    assert caught.value.code == "month_undecided"
    world.refute(waiting)
    world.incident(phone, org.zhang, "2026-10-20 10:00")
    with pytest.raises(Conflict) as caught:
        approving(claim)
    assert caught.value.code == "month_cancelled"
    world.close()
    with pytest.raises(Conflict):
        approving(claim)


def test_closing_a_cancelled_month_takes_back_what_was_approved_and_a_reversal_reopens_it(
    session, world, org, phone, filing, approving, tools
):
    claim = filing()
    approving(claim)
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    wrong = world.incident(phone, org.zhang, "2026-10-20 10:00")
    world.close()
    session.refresh(claim)
    assert (claim.state, claim.reversed_for, claim.approved_fen) == ("reversed", "R02", None)
    assert topup(session, org) == 0
    world.refute(wrong)
    world.now += dt.timedelta(days=1)
    assert recheck(session, tools, world.now) == 1
    session.refresh(claim)
    assert claim.state == "filed"
    approving(claim)
    assert topup(session, org) == 3000


def test_a_mistake_is_reversed_by_a_row_and_stays_so(
    session, world, org, phone, filing, approving, finance, tools
):
    claim = filing()
    approving(claim)
    claims.take_back(session, finance, claim.id, reason="重复报销", now=world.now)
    assert (claim.state, claim.reversed_for, topup(session, org)) == ("reversed", "mistake", 0)
    world.close()
    session.refresh(claim)
    assert claim.state == "reversed"
    with pytest.raises(Conflict):
        claims.take_back(session, finance, claim.id, reason="再来", now=world.now)


def test_withdrawn_by_the_filer_only(session, world, org, filing, finance):
    claim = filing()
    with pytest.raises(Forbidden):
        claims.withdraw(session, finance, claim.id, now=world.now)
    clerk = Principal("u-zhang", frozenset({"butler"}), frozenset({org.centre}), employee=org.zhang)
    assert claims.withdraw(session, clerk, claim.id, now=world.now).state == "withdrawn"


def test_a_butler_sees_his_own_only(session, world, org, filing):
    claim = filing()
    other = Principal("u-li", frozenset({"butler"}), frozenset({org.centre}), employee=org.li)
    for who in (other, Principal("u-n", frozenset({"finance"}), frozenset({org.other_centre}))):
        with pytest.raises(NotFound):
            claims.get(session, who, claim.id)
        with pytest.raises(NotFound):
            claims.receipt(session, who, world.tools, claim.id)
    with pytest.raises(NotFound):
        claims.get(session, SYSTEM, uuid.uuid4())


def test_no_receipts_where_policy_takes_none(session, world, org, tools, filing):
    layer = LayerInput("allowance", "centre", org.centre, {"topup_cap_fen": 0}, "只发补贴")
    put_layer(session, SYSTEM, tools.files, layer, expected_version=0, now=world.now)
    with pytest.raises(Conflict) as caught:
        filing()
    assert caught.value.code == "no_topups"
