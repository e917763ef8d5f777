"""Payroll's sheet in Excel: texts as texts, money as numbers with two decimals, the total in fen kept beside."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from sqlalchemy.orm import Session

from app.allowance import store
from app.allowance.model import AllowanceLine, AllowanceMonth, PayrollExport
from app.allowance.rules import SHANGHAI
from app.allowance.statement import Paid, statement
from app.allowance.tools import Tools
from app.allowance.words import LINE, reasons
from app.audit import AuditEvent, record
from app.kernel.errors import NotFound
from app.kernel.ids import new_id
from app.kernel.money import format_yuan
from app.kernel.tenancy import Principal
from app.registry import Employee, ServiceCentre

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORTERS = ("finance", "lead")
HEAD = (
    "工号", "姓名", "服务中心", "岗位", "保管天数", "补贴（元）", "取消（元）", "充值报销（元）", "赔付扣款（元）",
    "以前月份更正（元）",
    "应发合计（元）", "结论", "依据", "说明",
)  # fmt: skip
_WIDTHS = (12, 12, 18, 24, 9, 11, 11, 14, 14, 17, 15, 8, 8, 60)
_MONEY = range(5, 11)


@dataclass(frozen=True)
class Row:
    """One line of the sheet; money in fen."""

    texts: tuple[str, str, str, str]
    days: int
    money: tuple[int, int, int, int, int, int]
    word: str
    rule: str
    why: str


def export(
    session: Session, principal: Principal, tools: Tools, month_id: uuid.UUID, now: dt.datetime
) -> PayrollExport:
    """Make the sheet of a closed month, keep it as it leaves, and say so in the audit trail with its sha256."""
    row = store.find_month(session, principal, month_id)
    if row is None:
        raise NotFound("没有这个月 / no such month")
    principal.require_role(row.centre_id, *EXPORTERS)
    centre = session.get_one(ServiceCentre, row.centre_id)
    rows = sheet_rows(session, row, centre)
    data = workbook(rows, centre.name, row)
    name = tools.blobs.put(session, data, XLSX, now)
    made = PayrollExport(
        id=new_id(), centre_id=row.centre_id, month_id=row.id, sha256=name, people=len(rows),
        file_name=f"话费补贴-{centre.code}-{row.month}.xlsx", net_fen=sum(r.money[-1] for r in rows),
        created_by=principal.user, created_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    details = {"month": row.month, "sha256": name, "people": len(rows), "net": format_yuan(made.net_fen)}
    event = AuditEvent(
        at=now, actor=principal.user, action="allowance.exported", object=f"payroll_export:{made.id}",
        centre_id=row.centre_id, details=details,
    )  # fmt: skip
    record(session, event)
    return made


def file_of(
    session: Session, principal: Principal, tools: Tools, export_id: uuid.UUID
) -> tuple[PayrollExport, bytes]:
    """A file that was exported, as it was. Raise `NotFound` for a foreign centre's."""
    made = store.find_export(session, principal, export_id)
    if made is None:
        raise NotFound("没有这个文件 / no such file")
    principal.require_role(made.centre_id, *EXPORTERS)
    return made, tools.blobs.get(session, made.sha256)[0]


def sheet_rows(session: Session, row: AllowanceMonth, centre: ServiceCentre) -> list[Row]:
    """By employee number."""
    paid = statement(session, row)
    people = store.employees(session, [p.employee_id for p in paid])
    posts = store.posts(session, {uuid.UUID(s["post"]) for p in paid if p.line for s in p.line.shares})
    names = {str(post): name for post, name in posts.items()}
    rows = [_row(p, people[p.employee_id], centre, names) for p in paid]
    return sorted(rows, key=lambda r: r.texts[0])


def _row(paid: Paid, person: Employee, centre: ServiceCentre, posts: Mapping[str, str]) -> Row:
    line, sums = paid.line, paid.sums
    held = "、".join(dict.fromkeys(posts.get(s["post"], "") for s in line.shares)) if line else ""
    told = [_why(line)] if line else []
    return Row(
        (person.number, person.name, centre.name, held),
        line.days if line else 0,
        (sums.grant, sums.cancellation, sums.topup, sums.deduction, sums.corrections, sums.net),
        LINE[line.state][1] if line else "",
        _rule(paid),
        "；".join([*told, *sums.notes]),
    )


def _rule(paid: Paid) -> str:
    if paid.line is None and paid.sums.deduction:
        return "R05"
    return "R02" if paid.line and paid.line.state != "payable" else "U05"


def _why(line: AllowanceLine) -> str:
    return reasons(line.state, line.strikes, line.suspected, line.undecided)


def workbook(rows: Sequence[Row], centre: str, row: AllowanceMonth) -> bytes:
    """The same bytes for the same rows, so that its sha256 tells whether two exports differ."""
    out = BytesIO()
    # Everything textual is written as a string: no name is run as a formula or opened as a link.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    book = xlsxwriter.Workbook(out, cast(Any, options))
    book.set_properties({"title": f"{centre} {row.month}", "created": row.closed_at.replace(tzinfo=None)})
    sheet = book.add_worksheet(row.month)
    head = book.add_format({"bold": True, "bg_color": "#e8eef4", "bottom": 1, "text_wrap": True})
    text, money = book.add_format({"num_format": "@"}), book.add_format({"num_format": "#,##0.00"})
    total = book.add_format({"bold": True, "top": 1, "num_format": "#,##0.00"})
    for column, (title, width) in enumerate(zip(HEAD, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    for number, one in enumerate(rows, start=1):
        _write(sheet, number, one, text, money)
    last = len(rows) + 1
    sheet.write_string(last, 0, f"合计 {len(rows)} 人", total)
    for index, column in enumerate(_MONEY):
        sheet.write_number(last, column, sum(r.money[index] for r in rows) / 100, total)
    closed = row.closed_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    sheet.write_string(
        last + 1, 0, f"关账 {closed}（北京时间），制度 v{row.policy_version} {row.policy_sha256[:12]}"
    )
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue()


def _write(sheet: Any, number: int, one: Row, text: Any, money: Any) -> None:
    for column, cell in enumerate(one.texts):
        sheet.write_string(number, column, cell, text)
    sheet.write_number(number, 4, one.days)
    for column, fen in zip(_MONEY, one.money, strict=True):
        # Up to 90 trillion yuan a double holds every fen: shown with two decimals it is exact.
        sheet.write_number(number, column, fen / 100, money)
    for column, cell in enumerate((one.word, one.rule, one.why), start=11):
        sheet.write_string(number, column, cell, text)
