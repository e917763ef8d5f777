"""The list of cases in Excel: texts as texts, money as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

from app.hardware.answering import moment
from app.hardware.documents import PAYERS
from app.hardware.tools import CAUSES, KINDS
from app.hardware.views import Line
from app.hardware.words import STATE

_HEAD = (
    "服务中心", "资产编号", "品牌型号", "类别", "状态", "负责人", "工号", "发生或发现", "登记", "原因", "费用", "新机",
    "扣款总额（元）", "已扣（元）", "情况",
)  # fmt: skip
_WIDTHS = (16, 12, 20, 8, 12, 10, 10, 17, 17, 18, 10, 12, 14, 12, 50)
_MONEY = 12


def workbook(lines: Sequence[Line]) -> bytes:
    out = BytesIO()
    # Everything textual is written as a string: what somebody typed is not run as a formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    book = xlsxwriter.Workbook(out, cast(Any, options))
    sheet = book.add_worksheet("损坏遗失")
    head = book.add_format({"bold": True, "bg_color": "#e8eef4", "bottom": 1, "text_wrap": True})
    money = book.add_format({"num_format": "#,##0.00"})
    for column, (title, width) in enumerate(zip(_HEAD, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    for number, line in enumerate(lines, start=1):
        texts = _texts(line)
        for column, text in enumerate((*texts[:-1], None, None, texts[-1])):
            if text is not None:
                sheet.write_string(number, column, text)
        if line.order is not None:
            # Up to 90 trillion yuan a double holds every fen.
            sheet.write_number(number, _MONEY, line.order.amount_fen / 100, money)
            sheet.write_number(number, _MONEY + 1, line.order.taken_fen / 100, money)
    sheet.freeze_panes(1, 2)
    book.close()
    return out.getvalue()


def _texts(line: Line) -> tuple[str, ...]:
    case, person = line.case, line.person
    return (
        line.centre,
        line.phone.asset_tag,
        f"{line.phone.brand} {line.phone.model}",
        KINDS[case.kind],
        STATE[case.state][1],
        person.name if person else "",
        person.number if person else "",
        moment(case.happened_at),
        moment(case.created_at),
        CAUSES[case.cause] if case.cause else "",
        PAYERS[case.payer] if case.payer else "",
        line.new_phone.asset_tag if line.new_phone else "",
        case.words,
    )
