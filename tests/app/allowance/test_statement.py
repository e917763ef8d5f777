"""Payroll's sheet: every booking stands in one statement; the file opens, adds up and runs nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import io

import pytest
from python_calamine import CalamineWorkbook

from app.allowance.correcting import recheck
from app.allowance.exporting import HEAD, export, file_of
from app.allowance.statement import statement
from app.audit.model import AuditRow
from app.kernel.errors import Forbidden, NotFound
from app.kernel.money import Fen
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import Entry, book, reverse
from app.registry.model import Employee
from tests.app.allowance.conftest import MONTH


@pytest.fixture
def phone(world, org):
    found = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01", "2026-10-11")
    world.holds(org.post, org.li, "2026-10-11")
    return found


def sheet_of(data):
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def nets(session, row):
    return {paid.employee_id: paid.sums.net for paid in statement(session, row)}


def test_the_file_says_what_the_book_says(session, world, org, phone, tools):
    world.incident(phone, org.li, "2026-10-12 10:00")
    world.incident(phone, org.li, "2026-10-20 10:00")
    row = world.close()
    made = export(session, SYSTEM, tools, row.id, world.now)
    _, data = file_of(session, SYSTEM, tools, made.id)
    rows = sheet_of(data)
    assert tuple(rows[0]) == HEAD
    assert rows[1][:11] == [
        "E001",
        "张三",
        "锦绣花园",
        "一号片区管家",
        10.0,
        16.13,
        0.0,
        0.0,
        0.0,
        0.0,
        16.13,
    ]
    assert rows[2][:11] == [
        "E002",
        "李四",
        "锦绣花园",
        "一号片区管家",
        21.0,
        33.87,
        -33.87,
        0.0,
        0.0,
        0.0,
        0.0,
    ]
    assert rows[2][11:13] == ["取消", "R02"]
    assert rows[3][0] == "合计 2 人"
    assert rows[3][10] == 16.13
    assert hashlib.sha256(data).hexdigest() == made.sha256
    assert made.net_fen == 1613


def test_what_wages_pay_for_hardware_has_a_column_and_lowers_the_total(session, world, org, phone, tools):
    def deduct(employee, month, fen):
        entry = Entry(
            org.centre, employee, month, "R05", Fen(-fen), "R05", f"hardware:{month}", "手机赔付扣款"
        )
        return book(session, SYSTEM, entry, world.now)

    booked = deduct(org.li, MONTH, 2000)
    october = world.close()
    made = export(session, SYSTEM, tools, october.id, world.now)
    rows = sheet_of(file_of(session, SYSTEM, tools, made.id)[1])
    assert rows[0][8] == "赔付扣款（元）"
    assert rows[2][5:11] == [33.87, 0.0, 0.0, -20.0, 0.0, 13.87]
    assert "手机赔付扣款" in rows[2][13]
    world.now += dt.timedelta(days=20)
    reverse(session, SYSTEM, booked.id, "申诉成立", world.now)
    found = {paid.employee_id: paid.sums for paid in statement(session, world.close("2026-11"))}
    assert (found[org.li].deduction, found[org.li].corrections) == (0, 2000)


def test_the_same_month_is_the_same_file_and_each_export_is_audited(session, world, phone, tools):
    row = world.close()
    one = export(session, SYSTEM, tools, row.id, world.now)
    two = export(session, SYSTEM, tools, row.id, world.now + dt.timedelta(days=9))
    assert one.sha256 == two.sha256
    session.commit()
    events = [e for e in session.query(AuditRow) if e.action == "allowance.exported"]
    assert [one.sha256 in e.details for e in events] == [True, True]


def test_a_later_correction_stands_in_the_next_statement_and_never_in_both(session, world, org, phone, tools):
    world.incident(phone, org.li, "2026-10-12 10:00")
    wrong = world.incident(phone, org.li, "2026-10-20 10:00")
    october = world.close()
    before = nets(session, october)
    world.refute(wrong)
    world.now += dt.timedelta(days=1)
    assert recheck(session, tools, world.now) == 1
    assert nets(session, october) == before == {org.zhang: 1613, org.li: 0}
    world.now += dt.timedelta(days=20)
    november = world.close("2026-11")
    found = {paid.employee_id: paid for paid in statement(session, november)}
    assert found[org.li].sums.corrections == 3387
    assert found[org.li].sums.grant == 5000
    assert found[org.li].sums.net == 8387
    assert org.zhang not in found
    world.now += dt.timedelta(days=31)
    assert nets(session, world.close("2026-12")) == {org.li: 5000}


def test_names_run_no_formula(session, world, org, phone, tools):
    session.get_one(Employee, org.zhang).name = '=HYPERLINK("http://evil","x")'
    row = world.close()
    made = export(session, SYSTEM, tools, row.id, world.now)
    data = file_of(session, SYSTEM, tools, made.id)[1]
    assert sheet_of(data)[1][1] == '=HYPERLINK("http://evil","x")'
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as book:
        inside = book.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in inside
    assert b"hyperlink" not in inside.lower().replace(b"=hyperlink", b"")


def test_only_for_those_who_pay(session, world, org, phone, tools):
    row = world.close()
    made = export(session, SYSTEM, tools, row.id, world.now)
    clerk = Principal("u", frozenset({"operations"}), frozenset({org.centre}))
    foreign = Principal("u", frozenset({"finance"}), frozenset({org.other_centre}))
    for who, error in ((clerk, Forbidden), (foreign, NotFound)):
        with pytest.raises(error):
            export(session, who, tools, row.id, world.now)
        with pytest.raises(error):
            file_of(session, who, tools, made.id)
    assert row.month == MONTH
