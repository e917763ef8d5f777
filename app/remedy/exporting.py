"""The list of cases in Excel: everything as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.remedy.states import STATE_WORDS
from app.remedy.views import Line
from app.remedy.words import OUTCOMES, WHY, code_words, severity_words

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_HEAD = (
    "服务中心", "资产编号", "品牌型号", "现在保管", "问题", "对象", "应用", "严重程度", "状态", "转人工的原因", "发现",
    "不合规起", "再次出现", "下令", "网关回报", "结束", "说明",
)  # fmt: skip
_WIDTHS = (16, 12, 20, 10, 18, 34, 34, 10, 14, 30, 17, 17, 10, 17, 14, 17, 60)


def workbook(lines: Sequence[Line]) -> bytes:
    out = BytesIO()
    # What an app is called, or somebody typed, is not run as a formula.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    book = xlsxwriter.Workbook(out, cast(Any, options))
    sheet = book.add_worksheet("整改")
    head = book.add_format({"bold": True, "bg_color": "#e8eef4", "bottom": 1, "text_wrap": True})
    for column, (title, width) in enumerate(zip(_HEAD, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    for number, line in enumerate(lines, start=1):
        for column, text in enumerate(_texts(line)):
            sheet.write_string(number, column, text)
    sheet.freeze_panes(1, 2)
    book.close()
    return out.getvalue()


def _texts(line: Line) -> tuple[str, ...]:
    case = line.case
    return (
        line.centre,
        line.phone.asset_tag,
        f"{line.phone.brand} {line.phone.model}",
        line.holder,
        code_words(case.code),
        case.subject,
        line.app,
        severity_words(case.severity),
        STATE_WORDS[case.state][1],
        WHY.get(case.why or "", case.why or ""),
        _moment(case.opened_at),
        _moment(case.failing_since),
        f"{case.returns} 次" if case.returns else "",
        _moment(case.ordered_at),
        OUTCOMES.get(case.outcome or "", case.outcome or ""),
        _moment(case.ended_at),
        case.words,
    )


def _moment(instant: dt.datetime | None) -> str:
    return "" if instant is None else instant.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M")
