"""Lists and templates as files. Every cell is text, so no program runs it as a formula or rounds it."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.registry import listing, store
from app.registry.catalogue import RESOURCES
from app.registry.columns import RETIRED, VOIDED, sheet_fields
from app.registry.kinds import show, show_instant
from app.registry.listing import Query
from app.registry.neutral import neutral
from app.registry.resource import Field, Resource
from app.registry.sheet_guard import MAX_ROWS

_HINTS = {
    "date": "日期，如 2026-05-03",
    "instant": "北京时间，如 2026-05-03 09:30",
    "fen": "元，最多两位小数，如 1299.00",
    "map": "名称=内容，用分号隔开",
}


@dataclass
class Names:
    """The texts by which sheets name what references point to."""

    session: Session
    _known: dict[tuple[str, uuid.UUID], str] = field(default_factory=dict)

    def load(self, described: Field, ids: set[uuid.UUID]) -> None:
        target = RESOURCES[described.target]
        missing = [i for i in ids if (target.name, i) not in self._known]
        for row_id, values in store.load_values(self.session, target, missing).items():
            self._known[target.name, row_id] = str(values[target.key[-1]])

    def text(self, described: Field, row_id: uuid.UUID | None) -> str:
        return "" if row_id is None else self._known[described.target, row_id]


def export_rows(
    session: Session, principal: Principal, resource: Resource, query: Query
) -> Iterator[list[str]]:
    """The header, then each row of the list, as texts. What is retired or void is marked in a last column."""
    fields = sheet_fields(resource)
    mark = "voided_at" if resource.tie else "retired_at"
    yield [f.label for f in fields] + [VOIDED if resource.tie else RETIRED]
    names = Names(session)
    for ids in listing.every_id(session, principal, resource, query):
        values = store.load_values(session, resource, ids)
        for described in fields:
            if described.target:
                names.load(described, {v[described.name] for v in values.values() if v[described.name]})
        for row_id in ids:
            row = values.get(row_id)
            if row is not None:
                yield [_text(names, f, row.get(f.name)) for f in fields] + [_stamp(row[mark])]


def _text(names: Names, described: Field, value: Any) -> str:
    return names.text(described, value) if described.target else show(described.kind, value)


def _stamp(value: Any) -> str:
    return "" if value is None else show_instant(value)


def write_csv(rows: Iterator[list[str]], target: BinaryIO) -> None:
    """UTF-8 with BOM: without it Excel shows Chinese as rubbish. No cell is left to be run as a formula."""
    text = TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
    text.flush()
    text.detach()


class Titled(Protocol):
    @property
    def label(self) -> str:
        """What the sheet is called."""
        ...


def write_xlsx(rows: Iterator[list[str]], path: Path, resource: Titled) -> None:
    """A workbook of text cells; written row by row, so that a long list needs little memory."""
    book = _book(path)
    sheet = book.add_worksheet(resource.label)
    head, as_text = _head_format(book), book.add_format({"num_format": "@"})
    header = next(rows)
    sheet.set_column(0, len(header) - 1, 18, as_text)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, header, head)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if cell:
                sheet.write_string(number, column, cell, as_text)
    book.close()


def template_xlsx(resource: Resource) -> bytes:
    """An empty sheet with the right columns, all of them text, and a second sheet that explains each."""
    out = BytesIO()
    book = _book(out)
    sheet = book.add_worksheet(resource.label)
    head, needed, as_text = (
        _head_format(book),
        _head_format(book, "#fde8d7"),
        book.add_format({"num_format": "@"}),
    )
    fields = sheet_fields(resource)
    for column, described in enumerate(fields):
        sheet.set_column(column, column, max(12, len(described.label) * 2 + 4), as_text)
        sheet.write_string(
            0,
            column,
            described.label + ("*" if described.required else ""),
            needed if described.required else head,
        )
        if described.kind.choices:
            labels = list(described.kind.choices.values())
            sheet.data_validation(1, column, MAX_ROWS, column, {"validate": "list", "source": labels})
    sheet.freeze_panes(1, 0)
    _explain(book, resource, head)
    book.close()
    return out.getvalue()


def template_csv(resource: Resource) -> bytes:
    out = BytesIO()
    write_csv(iter([[f.label for f in sheet_fields(resource)]]), out)
    return out.getvalue()


def _explain(book: Any, resource: Resource, head: Any) -> None:
    sheet = book.add_worksheet("填写说明")
    sheet.set_column(0, 3, 26)
    sheet.write_row(0, 0, ["列", "必填", "填写内容", "示例"], head)
    for row, described in enumerate(sheet_fields(resource), start=1):
        texts = [described.label, "是" if described.required else "", hint(described), described.example]
        for column, text in enumerate(texts):
            sheet.write_string(row, column, text)
    note = "所有列请保持“文本”格式：Excel 会把长数字的末尾变成 0，且无法恢复。"
    sheet.write_string(len(resource.fields) + 3, 0, note)


def hint(described: Field) -> str:
    """What to write into a column, in Chinese."""
    if described.target:
        target = RESOURCES[described.target]
        return f"{target.label}的{target.by_name[target.key[-1]].label}（须已登记）"
    if described.kind.choices:
        return "、".join(described.kind.choices.values())
    limit = f"最多 {described.kind.limit} 个字符" if described.kind.limit else "文本"
    return _HINTS.get(described.kind.form, limit)


def _book(target: Any) -> Any:
    # Everything is written with write_string; the options hold even where somebody later forgets that.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # Loaded with the first book: 2 MB that a process which writes none does without.
    import xlsxwriter

    return xlsxwriter.Workbook(target if isinstance(target, BytesIO) else str(target), cast(Any, options))


def _head_format(book: Any, colour: str = "#e8eef4") -> Any:
    return book.add_format({"bold": True, "bg_color": colour, "bottom": 1, "num_format": "@"})


def file_name(resource: Resource, suffix: str, stamp: str, parts: Sequence[str] = ()) -> str:
    """`手机-20261122.xlsx`."""
    return "-".join([resource.label, *parts, stamp]) + "." + suffix
