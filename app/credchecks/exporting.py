"""A round's items in Excel: texts as texts, nothing is run as a formula."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

from sqlalchemy.orm import Session

from app.credchecks import kit_store, store
from app.credchecks.model import CheckItem
from app.credchecks.rules import SHANGHAI
from app.credchecks.words import SOURCE_WORDS, item_word
from app.kernel.tenancy import Principal
from app.people import names_of
from app.registry import ServiceCentre

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = (
    "岗位",
    "管家",
    "工号",
    "手机、号码、微信号",
    "事项",
    "规则",
    "结果",
    "核对时间",
    "核对人",
    "方式",
    "说明",
    "截图",
)
_WIDTHS = (22, 10, 10, 20, 24, 7, 14, 17, 12, 12, 50, 6)


def export(session: Session, principal: Principal, round_id: uuid.UUID) -> tuple[bytes, str, int]:
    """The file, its name and how many items it has. Raise `NotFound`."""
    row = store.find_round(session, principal, round_id)
    items = store.items(session, row.id)
    centre = session.get_one(ServiceCentre, row.centre_id)
    rows = _rows(session, items)
    return (
        _workbook(rows, f"{centre.name} {row.month}", row.opened_at),
        f"月度核对-{centre.code}-{row.month}.xlsx",
        len(rows),
    )


def _rows(session: Session, items: Sequence[CheckItem]) -> list[tuple[str, ...]]:
    posts = kit_store.posts(session, {item.post_id for item in items})
    people = kit_store.employees(session, {item.holder_id for item in items if item.holder_id})
    names = names_of(session, {item.by for item in items if item.by})
    rows: list[tuple[str, ...]] = []
    for item in items:
        holder = people.get(item.holder_id) if item.holder_id else None
        at = item.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if item.at else ""
        rows.append(
            (
                posts[item.post_id].name, holder.name if holder else "", holder.number if holder else "",
                item.subject_name, item.label, item.rule, item_word(item), at, names.get(item.by or "", ""),
                SOURCE_WORDS.get(item.source or "", ""), item.reason, str(len(item.photos)) if item.photos else "",
            )
        )  # fmt: skip
    return rows


def _workbook(rows: list[tuple[str, ...]], title: str, created: dt.datetime) -> bytes:
    out = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    book = xlsxwriter.Workbook(out, cast(Any, options))
    book.set_properties({"title": title, "created": created.replace(tzinfo=None)})
    sheet = book.add_worksheet("月度核对")
    head = book.add_format({"bold": True, "bg_color": "#e8eef4", "bottom": 1, "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    for column, (label, width) in enumerate(zip(HEAD, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, label, head)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, cell, text)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(rows)), len(HEAD) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    return out.getvalue()
