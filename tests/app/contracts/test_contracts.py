"""Entering, renewing, correcting and voiding contracts; warnings once and in time."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from app.audit import AuditRow
from app.contracts import contract_at, store, views
from app.contracts import contract_service as service
from app.contracts.model import NumberContract
from app.contracts.warning_service import forget_retired, warn_of_ends
from app.contracts.words import end_task
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale, TooLarge
from app.kernel.ids import new_id
from app.notify.model import Notice
from app.registry import Number
from app.tasks import open_tasks
from app.tasks.model import Task
from tests.app.contracts.conftest import DAY, terms

SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def enter(session, kit, clock, *args, by=None, number=None, **changes):
    return service.enter(
        session, by or kit.ops, number or kit.number, terms(*args, **changes), now=clock.now()
    )


def notices(session):
    return session.scalars(
        select(Notice.title).where(Notice.kind == "contract").order_by(Notice.created_at)
    ).all()


def tasks(session, kit):
    return [task.title for task in open_tasks(session, kit.ops).items]


def test_a_contract_holds_from_its_first_to_its_last_day(session, kit, clock, contract):
    for day, holds in (
        ("2024-12-31", False),
        ("2025-01-01", True),
        ("2026-12-31", True),
        ("2027-01-01", False),
    ):
        found = contract_at(session, kit.number, dt.date.fromisoformat(day))
        assert (found is not None) == holds, day


def test_no_two_of_one_number_share_a_day(session, kit, clock, contract):
    for start, end in (
        ("2026-12-31", "2027-12-31"),
        ("2024-01-01", "2025-01-01"),
        ("2024-01-01", "2030-01-01"),
    ):
        with pytest.raises(Conflict, match="重叠"):
            enter(session, kit, clock, start, end)
    following = enter(session, kit, clock, "2027-01-01", "2028-02-29")
    before = enter(session, kit, clock, "2023-01-01", "2024-12-31")
    assert (following.renews_id, before.renews_id) == (contract.id, None)
    enter(session, kit, clock, number=kit.spare)  # another number's days are its own


def test_a_renewal_names_the_contract_that_it_follows(session, kit, clock, contract):
    other = enter(session, kit, clock, number=kit.spare)
    start = terms("2027-01-01", "2028-12-31")
    for old in (other.id, new_id()):
        with pytest.raises(NotFound):
            service.enter(session, kit.ops, kit.number, start, renews_id=old, now=clock.now())
    row = service.enter(session, kit.ops, kit.number, start, renews_id=contract.id, now=clock.now())
    assert row.renews_id == contract.id
    assert [c.id for c in store.of_number(session, kit.number)] == [contract.id, row.id]


def test_who_may_enter(session, kit, clock):
    for who in (kit.finance,):
        with pytest.raises(Forbidden):
            enter(session, kit, clock, by=who)
    with pytest.raises(NotFound):
        enter(session, kit, clock, number=kit.foreign)
    enter(session, kit, clock, by=kit.lead)
    session.get_one(Number, kit.spare).retired_at = clock.now()
    with pytest.raises(Conflict, match="停用"):
        enter(session, kit, clock, number=kit.spare)


def test_a_correction_says_why_and_leaves_both_in_the_trail(session, kit, clock, contract):
    later = terms(end="2026-10-31")
    with pytest.raises(Invalid):
        service.change(session, kit.ops, contract.id, later, version=1, reason=" ", now=clock.now())
    with pytest.raises(Stale):
        service.change(session, kit.ops, contract.id, later, version=7, reason="提前终止", now=clock.now())
    row = service.change(session, kit.ops, contract.id, later, version=1, reason="提前终止", now=clock.now())
    assert (row.ends_on, row.version) == (dt.date(2026, 10, 31), 2)
    session.commit()  # events are appended just before it
    event = session.scalars(select(AuditRow).where(AuditRow.action == "number_contract.change")).one()
    assert "2026-12-31" in str(event.details)
    assert "2026-10-31" in str(event.details)
    same = service.change(session, kit.ops, contract.id, later, version=2, reason="没有变", now=clock.now())
    assert same.version == 2


def test_void_leaves_room_and_not_under_a_renewal(session, kit, clock, contract):
    following = enter(session, kit, clock, "2027-01-01", "2028-12-31")
    with pytest.raises(Conflict, match="续约"):
        service.void(session, kit.ops, contract.id, version=1, reason="录错", now=clock.now())
    service.void(session, kit.ops, following.id, version=1, reason="录错", now=clock.now())
    service.void(session, kit.ops, contract.id, version=1, reason="录错", now=clock.now())
    with pytest.raises(Conflict, match="作废"):
        service.void(session, kit.ops, contract.id, version=2, reason="录错", now=clock.now())
    assert enter(session, kit, clock).renews_id is None


def test_a_scan_is_a_pdf_or_a_picture(session, kit, clock, contract, here):
    def attach(data, version, name="合同.PDF"):
        return service.attach(
            session, kit.ops, contract.id, data, name, version=version, blobs=here.blobs, policies=here.policies,
            now=clock.now(),
        )  # fmt: skip

    for bad in (b"", b"%PDF-1.7 torn", b"MZ an exe", b"<svg/>"):
        with pytest.raises(Invalid):
            attach(bad, 1)
    with pytest.raises(TooLarge):
        attach(b"%PDF-" + b"x" * (11 * 2**20) + b"%%EOF", 1)
    row = attach(b"%PDF-1.7 whole %%EOF", 1, "..\\..\\a/合同.exe")
    assert row.file_name == "合同.pdf"
    assert here.blobs.get(session, row.file_sha256)[1] == "application/pdf"


def test_each_threshold_is_told_once(session, kit, clock, contract, here):
    told, end = [], dt.datetime(2026, 12, 31, 0, 5, tzinfo=SHANGHAI)
    for left in (91, 90, 89, 61, 60, 31, 30, 8, 7, 6, 0, -1, -2, -29, -30, -31, -400):
        if warn_of_ends(session, here.policies, end - left * DAY):
            told.append(left)
        assert warn_of_ends(session, here.policies, end - left * DAY + dt.timedelta(hours=1)) == 0
    assert told == [90, 60, 30, 7, -1, -30]
    assert [t.split("：")[0] for t in notices(session)] == [
        "号码合约还有 90 天到期", "号码合约还有 60 天到期", "号码合约还有 30 天到期", "号码合约还有 7 天到期",
        "号码合约已到期 1 天", "号码合约已到期 30 天",
    ]  # fmt: skip
    (title,) = tasks(session, kit)
    assert title == "号码合约 2026-12-31 到期：138 0013 8000（一号片区管家）"
    task = session.scalars(select(Task)).one()
    assert task.due_at == dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC)
    assert task.handset_id == kit.old


def test_after_weeks_of_downtime_only_the_latest_is_told(session, kit, clock, contract, here):
    assert warn_of_ends(session, here.policies, dt.datetime(2026, 10, 2, 15, 59, tzinfo=dt.UTC)) == 1
    assert warn_of_ends(session, here.policies, dt.datetime(2026, 12, 28, 1, 0, tzinfo=dt.UTC)) == 1
    assert [t.split("：")[0] for t in notices(session)] == ["号码合约还有 90 天到期", "号码合约还有 3 天到期"]


def test_the_day_turns_at_shanghais_midnight(session, kit, clock, contract, here):
    before = dt.datetime(2026, 10, 1, 15, 59, 59, tzinfo=dt.UTC)  # 91 days left
    assert warn_of_ends(session, here.policies, before) == 0
    assert warn_of_ends(session, here.policies, before + dt.timedelta(seconds=1)) == 1


def test_a_renewal_ends_the_asking_and_a_moved_end_asks_anew(session, kit, clock, contract, here):
    now = dt.datetime(2026, 12, 20, 1, 0, tzinfo=dt.UTC)
    assert warn_of_ends(session, here.policies, now) == 1
    service.change(
        session, kit.ops, contract.id, terms(end="2026-12-24"), version=1, reason="提前终止", now=now
    )
    assert tasks(session, kit) == []
    assert warn_of_ends(session, here.policies, now) == 1
    assert len(tasks(session, kit)) == 1
    clock.set(now)
    enter(session, kit, clock, "2026-12-25", "2028-12-31")
    assert tasks(session, kit) == []
    assert warn_of_ends(session, here.policies, now + 20 * DAY) == 0


def test_a_retired_number_is_asked_about_no_more(session, kit, clock, contract, here):
    now = dt.datetime(2026, 12, 20, 1, 0, tzinfo=dt.UTC)
    warn_of_ends(session, here.policies, now)
    session.get_one(Number, kit.number).retired_at = now
    session.flush()
    assert warn_of_ends(session, here.policies, now + 30 * DAY) == 0
    assert forget_retired(session, now) == 1
    assert forget_retired(session, now) == 0
    assert session.scalars(select(Task.state).where(Task.key == end_task(contract))).one() != "open"


def test_what_ends_next_stands_first_and_numbers_without_stand_apart(session, kit, clock, contract, here):
    other = enter(session, kit, clock, "2025-01-01", "2026-11-30", number=kit.spare)
    page = views.list_contracts(session, kit.ops)
    assert [row.id for row in page.items] == [other.id, contract.id]
    lines = views.contract_lines(session, page.items, here.policies, clock.now())
    assert [(line.left, line.badge) for line in lines] == [(8, "unknown"), (39, "busy")]
    assert lines[1].place.tag == "GJ-1"
    assert lines[0].place is None
    service.void(session, kit.ops, other.id, version=1, reason="录错", now=clock.now())
    without = views.numbers_without(session, kit.ops, here.policies, clock.now())
    assert [line.number.id for line in without.items] == [kit.spare]


def test_another_centre_sees_none_of_it(session, kit, clock, contract):
    foreign = kit.ops.__class__("x", frozenset({"lead"}), frozenset({kit.org.other_centre}))
    assert views.list_contracts(session, foreign, all_rows=True).items == []
    with pytest.raises(NotFound):
        service.find_contract(session, foreign, contract.id)
    with pytest.raises(NotFound):
        service.change(session, foreign, contract.id, terms(), version=1, reason="x", now=clock.now())


def test_a_moved_number_takes_its_contract_into_sight(session, kit, clock, contract):
    session.get_one(Number, kit.number).centre_id = kit.org.other_centre
    session.flush()
    there = kit.ops.__class__("x", frozenset({"operations"}), frozenset({kit.org.other_centre}))
    assert service.find_contract(session, there, contract.id).id == contract.id
    with pytest.raises(NotFound):  # it is no longer this centre's to write
        service.change(session, kit.ops, contract.id, terms(), version=1, reason="x", now=clock.now())
    service.change(
        session, there, contract.id, terms(end="2026-12-30"), version=1, reason="改", now=clock.now()
    )


def test_the_database_holds_against_a_span_that_ends_before_it_begins(session, kit, clock, contract):
    bad = {c.name: getattr(contract, c.name) for c in NumberContract.__table__.columns}
    row = NumberContract(**{**bad, "id": uuid.uuid4(), "ends_on": dt.date(2020, 1, 1)})
    session.add(row)
    with pytest.raises(Exception, match="span"):
        session.flush()
    session.rollback()
