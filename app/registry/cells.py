"""From a cell to a field's value: what spreadsheets do to long numbers and dates is refused, not guessed at."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from app.registry.kinds import SHANGHAI, Kind
from app.registry.rules import AS_TEXT
from app.registry.sheet_read import Cell

_AS_DATE = "请将单元格设为日期格式，或写成文本 2026-05-03 / a date cell, or the text 2026-05-03"
_WAS_DATE = "Excel 把它变成了日期，请设为文本格式后重填 / it became a date: format the column as text"


def value_of(kind: Kind, cell: Cell) -> Any:
    """The field's value; None for an empty cell. Raise `ValueError` with a message for people."""
    if cell is None:
        return None
    if isinstance(cell, str):
        text = cell.strip()
        return kind.parse(text) if text else None
    if isinstance(cell, bool | dt.time | dt.timedelta):
        raise ValueError("这种单元格（TRUE/FALSE、时间）不能用在这里 / not a text, number or date")  # noqa: TRY004
    if isinstance(cell, dt.date):
        return _dated(kind, cell)
    return _number(kind, cell)


def _dated(kind: Kind, cell: dt.date) -> Any:
    moment = cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())
    if kind.form == "date":
        if moment.time() != dt.time():
            raise ValueError("只要日期，不要时间 / a date without time")
        return kind.parse(moment.date().isoformat())
    if kind.form == "instant":
        return kind.parse(moment.replace(tzinfo=SHANGHAI).isoformat())
    raise ValueError(_WAS_DATE)


def _number(kind: Kind, cell: float) -> Any:
    if kind.exact:
        raise ValueError(AS_TEXT)
    if kind.form in ("date", "instant"):
        raise ValueError(_AS_DATE)
    number = Decimal(repr(cell))
    if not number.is_finite():
        raise ValueError("不是有效的数 / no number")
    return kind.parse(format(number.normalize(), "f"))
