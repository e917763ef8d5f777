"""A month is closed once, whole, as it was seen; two at once have one winner."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select

from app.allowance.closing import preview
from app.allowance.model import AllowanceLine, AllowanceMonth
from app.allowance.rules import month_after, month_of
from app.allowance.telling import ask_to_close
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import LedgerEntry, balance
from app.policy import LayerInput, put_layer
from app.tasks import open_tasks
from tests.app.allowance.conftest import MONTH, at


def books(session, employee, month=MONTH):
    """(account, fen, whether it reverses another), in the order of booking."""
    query = select(LedgerEntry).where(LedgerEntry.employee_id == employee, LedgerEntry.month == month)
    return [
        (row.account, row.amount_fen, row.reverses_id is not None)
        for row in session.scalars(query.order_by(LedgerEntry.booked_at, LedgerEntry.id))
    ]


def line_of(session, employee, month=MONTH):
    query = select(AllowanceLine).where(
        AllowanceLine.employee_id == employee,
        AllowanceLine.month == month,
        AllowanceLine.replaced_at.is_(None),
    )
    return session.scalars(query).one()


def test_who_holds_gets_and_who_was_off_twice_gets_nothing(session, world, org):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01", "2026-10-11")
    world.holds(org.post, org.li, "2026-10-11")
    world.incident(phone, org.li, "2026-10-12 10:00")
    world.incident(phone, org.li, "2026-10-20 10:00")
    world.close()
    zhang, li = line_of(session, org.zhang), line_of(session, org.li)
    assert (zhang.state, zhang.days, zhang.amount_fen) == ("payable", 10, 1613)
    assert (li.state, li.days, li.amount_fen, li.strikes) == ("cancelled", 21, 3387, 2)
    assert zhang.amount_fen + li.amount_fen == 5000
    assert books(session, org.zhang) == [("grant", 1613, False)]
    assert books(session, org.li) == [("grant", 3387, False), ("cancellation", -3387, False)]
    assert {e.rule for e in session.scalars(select(LedgerEntry))} == {"U05", "R02"}


def test_what_may_still_be_cancelled_is_held_and_not_booked(session, world, org):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    world.incident(phone, org.zhang, "2026-10-20 10:00", "undecided")
    world.close()
    line = line_of(session, org.zhang)
    assert (line.state, line.strikes, line.undecided) == ("held", 1, 1)
    assert [m["kind"] for m in line.matters] == ["strike", "undecided"]
    assert books(session, org.zhang) == []


def test_the_ruling_keeps_its_trace_and_its_policies(session, world, org, tools):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    row = world.close()
    line = line_of(session, org.zhang)
    data, kind = tools.blobs.get(session, line.trace_sha256)
    assert kind == "application/jsonl"
    assert str(phone).encode() in data
    assert row.policy_sha256 == tools.files.latest("allowance").sha256
    assert row.uptime_sha256 == tools.files.latest("uptime").sha256
    assert row.policy_body["monthly_fen"] == 5000


def test_a_delegate_with_strikes_is_listed_with_what_his_own_custody_earns(session, world, org):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    world.incident(phone, org.li, "2026-10-12 10:00")
    world.incident(phone, org.li, "2026-10-20 10:00")
    world.close()
    assert (line_of(session, org.li).state, line_of(session, org.li).amount_fen) == ("cancelled", 0)
    assert line_of(session, org.zhang).state == "payable"
    assert books(session, org.li) == []


def test_closed_twice_is_a_conflict_and_changes_nothing(session, world, org):
    world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    world.close()
    before = session.scalar(select(func.count()).select_from(LedgerEntry))
    with pytest.raises(Conflict) as caught:
        world.close()
    assert caught.value.code == "already_closed"
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == before
    assert session.scalar(select(func.count()).select_from(AllowanceMonth)) == 1


def test_what_changed_since_it_was_seen_is_not_closed(session, world, org):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    seen = preview(session, SYSTEM, world.tools, org.centre, MONTH)[0].sha256
    world.incident(phone, org.zhang, "2026-10-12 10:00")
    with pytest.raises(Conflict) as caught:
        world.close(seen=seen)
    assert caught.value.code == "sheet_changed"
    assert books(session, org.zhang) == []


@pytest.mark.parametrize(
    ("now", "may"),
    [("2026-10-31 23:59", False), ("2026-11-05 23:59", False), ("2026-11-06 00:00", True)],
)
def test_never_before_the_grace_days_are_over(session, world, now, may):
    world.now = at(now)
    if may:
        assert world.close().month == MONTH
        return
    with pytest.raises(Conflict) as caught:
        world.close()
    assert caught.value.code == "too_early"


def test_months_are_closed_in_their_order(session, world):
    world.close("2026-08")
    with pytest.raises(Conflict) as caught:
        world.close("2026-10")
    assert caught.value.code == "out_of_order"
    world.close("2026-09")
    world.close("2026-10")
    with pytest.raises(Conflict) as caught:
        world.close("2026-07")
    assert caught.value.code == "already_closed"


def test_the_first_month_is_none_of_long_ago(session, world):
    """Each month after it would have to be closed before the present one could be paid."""
    oldest = month_after(month_of(world.now), -12)
    for month in ("2001-01", month_after(oldest, -1)):
        with pytest.raises(Conflict) as caught:
            world.close(month)
        assert caught.value.code == "too_old"
    world.close(oldest)
    world.close(month_after(oldest))


def test_only_finance_and_lead_of_the_very_centre(session, world, org):
    def person(*rights: tuple[str, uuid.UUID | None]) -> Principal:
        centres = frozenset(c for _, c in rights if c)
        return Principal(
            str(uuid.uuid4()), frozenset(r for r, _ in rights), centres, rights=frozenset(rights)
        )

    for role in ("operations", "it", "butler", "auditor"):
        with pytest.raises(Forbidden):
            world.close(principal=person((role, org.centre)))
    with pytest.raises(Forbidden):
        world.close(principal=person(("butler", org.centre), ("lead", org.other_centre)))
    with pytest.raises(NotFound):
        world.close(principal=person(("lead", org.other_centre)))
    assert world.close(principal=person(("finance", org.centre))).month == MONTH


def test_no_month_and_no_centre(session, world):
    with pytest.raises(Invalid):
        world.close("2026-13", seen="x")
    with pytest.raises(NotFound):
        world.close(centre=uuid.uuid4(), seen="x")


def test_closing_ends_the_task_that_asked_for_it(session, world, org, tools):
    world.phone(org.post, "2026-01-01")
    assert ask_to_close(session, tools.files, at("2026-11-05 12:00")) == 0
    assert ask_to_close(session, tools.files, world.now) == 1
    assert ask_to_close(session, tools.files, world.now) == 0
    assert [t.kind for t in open_tasks(session, SYSTEM).items] == ["month"]
    world.close()
    assert open_tasks(session, SYSTEM).items == []


def test_a_centre_layer_of_the_policy_pays_its_own_amount(session, world, org, tools):
    world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    layer = LayerInput("allowance", "centre", org.centre, {"monthly_fen": 8000}, "本中心标准")
    put_layer(session, SYSTEM, tools.files, layer, expected_version=0, now=world.now)
    world.close()
    assert balance(session, SYSTEM, org.zhang, "grant", MONTH) == 8000
