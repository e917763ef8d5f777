"""Reads an uploaded table, Excel or CSV, as rows of cells, numbered as a person sees them in the margin."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from app.kernel.errors import Invalid, TooLarge
from app.registry.neutral import plain
from app.registry.sheet_guard import MAX_COLUMNS, MAX_ROWS, clean_copy, damaged

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = str | int | float | bool | dt.time | dt.date | dt.datetime | dt.timedelta | None
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAX_FIELD = 40_000


@dataclass
class Sheet:
    """`rows` yields (row number from 1, cells), empty rows too. `formulas` and `merged` are places (row, column)."""

    name: str
    rows: Iterator[tuple[int, list[Cell]]]
    formulas: list[tuple[int, int]] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)


def read_sheet(file_name: str, data: bytes) -> Sheet:
    """The first visible sheet of an .xlsx, or a CSV file in UTF-8, UTF-16 or GB 18030.

    Raise `Invalid` (codes `bad_file`, `encrypted`, `old_excel`, `empty`) or `TooLarge`.
    """
    if not data.strip(b"\0 \r\n\t"):
        raise Invalid("文件是空的 / the file is empty", code="empty")
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise Invalid("文件有密码，请去除后再导入 / the file is encrypted", code="encrypted")
        raise Invalid("这是旧版 Excel（.xls），请另存为 .xlsx / save as .xlsx first", code="old_excel")
    if data.startswith(b"PK"):
        return _read_excel(data)
    if Path(file_name).suffix.lower() not in (".csv", ".txt", ".tsv"):
        raise damaged()
    return Sheet("CSV", _read_csv(_decode(data)))


def _read_excel(data: bytes) -> Sheet:
    # Loaded with the first file: a process that reads none does without it.
    import python_calamine as calamine

    with tempfile.TemporaryDirectory(prefix="butler-import-") as folder:
        path = Path(folder) / "checked.xlsx"
        facts = clean_copy(data, path)
        try:
            book = calamine.CalamineWorkbook.from_path(path)
            index = next(
                i
                for i, meta in enumerate(book.sheets_metadata)
                if meta.visible == calamine.SheetVisibleEnum.Visible
                and meta.typ == calamine.SheetTypeEnum.WorkSheet
            )
            sheet = book.get_sheet_by_index(index)
            merged = sheet.merged_cell_ranges or []
        except StopIteration:
            raise Invalid("工作簿里没有可见的工作表 / no visible sheet", code="empty") from None
        except (calamine.CalamineError, OSError, ValueError) as exc:
            raise damaged() from exc
    part = facts.sheets[index] if index < len(facts.sheets) else ""
    return Sheet(
        name=sheet.name,
        rows=_excel_rows(sheet),
        formulas=facts.formulas.get(part, []),
        merged=[(first[0] + 1, first[1] + 1) for first, _last in merged],
    )


def _excel_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Cell]]]:
    # The reader begins with row 1, but with the first column that is not empty.
    indent: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        yield number, [*indent, *row]


def _decode(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if wide else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Invalid("无法识别文件编码，请另存为 UTF-8 的 CSV / unknown encoding", code="bad_file")


def _read_csv(text: str) -> Iterator[tuple[int, list[Cell]]]:
    """Rows are numbered as a spreadsheet shows them, which is not the line where a cell holds line breaks."""
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    number = 0
    try:
        for number, row in enumerate(
            csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
        ):
            if number > MAX_ROWS + 1000 or len(row) > MAX_COLUMNS:
                raise TooLarge(f"最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列 / at most {MAX_ROWS} rows")
            if any(len(cell) > _MAX_FIELD for cell in row):
                raise TooLarge(f"第 {number} 行有过长的单元格 / row {number} has a cell that is too long")
            yield number, [plain(cell) for cell in row]
    except csv.Error as exc:
        raise Invalid(
            f"第 {number + 1} 行的 CSV 格式不对（引号？）/ row {number + 1} is no proper CSV", code="bad_file"
        ) from exc
