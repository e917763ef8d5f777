"""Lists in Excel: transfers, and what of a manifest is not proved. Texts as texts, never as formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.transfer.model import ManifestEntry
from app.transfer.states import WORDS
from app.transfer.tools import PART_WORDS
from app.transfer.views import Line
from app.transfer.words import COPY, ENTRY, entry_words

MAX_ROWS = 50_000
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_LINES = (
    ("服务中心", 16),
    ("旧手机", 12),
    ("新手机", 12),
    ("状态", 18),
    ("建立", 17),
    ("结束", 17),
    ("加密副本", 18),
)
_ENTRIES = (("内容", 14), ("名称", 80), ("情况", 10), ("原因", 30), ("字节", 14), ("SHA-256", 66))


def transfers_book(lines: Sequence[Line]) -> bytes:
    return _book("数据迁移", _LINES, ((text, None) for text in map(_line, lines)))


def entries_book(entries: Iterable[ManifestEntry]) -> bytes:
    rows = (
        ((PART_WORDS[e.part], e.path, ENTRY[e.state][1], entry_words(e.reason), None, e.sha256 or ""), e.size)
        for e in entries
    )
    return _book("清单", _ENTRIES, rows)


def _line(line: Line) -> tuple[str | None, ...]:
    row = line.row
    moments = (row.opened_at, row.ended_at)
    opened, ended = (m.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M") if m else "" for m in moments)
    new = line.new.asset_tag if line.new else ""
    return (line.centre, line.old.asset_tag, new, WORDS[row.state], opened, ended, COPY[row.copy][1])


def _book(
    name: str, head: Sequence[tuple[str, int]], rows: Iterable[tuple[tuple[str | None, ...], int | None]]
) -> bytes:
    """A number stands where a row has None."""
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, cast(Any, options))
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "bg_color": "#e8eef4", "bottom": 1})
    for column, (title, width) in enumerate(head):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    for number, (texts, value) in enumerate(rows, start=1):
        for column, text in enumerate(texts):
            if text is not None:
                sheet.write_string(number, column, text)
            elif value is not None:
                sheet.write_number(number, column, value)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()
