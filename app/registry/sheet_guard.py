"""What of an .xlsx is looked at before a reader may open it: a small file can unpack to more than the memory holds.

Declared sizes may lie, so every part is unpacked here in pieces, counted, scanned, and written to a clean copy; only
that copy is handed to the reader.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath

from app.kernel.errors import Invalid, TooLarge

MAX_ROWS = 50_000
MAX_COLUMNS = 60
_MAX_UNPACKED = 128 * 2**20
_MAX_PARTS = 500
_MAX_CELLS = 2_000_000
_PIECE = 1 << 20
_MAX_ROW_BYTES = 8 * 2**20
_SPARE_ROWS = 1000

_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_FORMULA = re.compile(rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f[\s>/]")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]*)(\d+)["']""", re.IGNORECASE)
_SHEET = re.compile(rb"""<(?:\w+:)?sheet\s[^>]*?\w+:id\s*=\s*["']([^"']+)["']""")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""\b(Id|Target)\s*=\s*["']([^"']*)["']""")


@dataclass
class Workbook:
    """`sheets`: the parts of the sheets in the workbook's order. `formulas`: per part, (row, column) from 1."""

    sheets: list[str] = field(default_factory=list)
    formulas: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def clean_copy(data: bytes, target: Path) -> Workbook:
    """Write a checked copy of an .xlsx to `target`. Raise `TooLarge`, or `Invalid` for a file that is damaged."""
    found = Workbook()
    small: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(target, "w") as copy:
            _check_directory(source)
            left = _MAX_UNPACKED
            for info in source.infolist():
                if not info.filename.lower().endswith((".xml", ".rels")):
                    continue
                with copy.open(zipfile.ZipInfo(info.filename), "w") as out:
                    # Whatever its name: the workbook's own relations say which part is a sheet.
                    scan = _Scan()
                    for piece in _pieces(source, info):
                        left -= len(piece)
                        if left < 0:
                            raise TooLarge("表格解压后过大，请拆分后再导入 / the sheet is too large unpacked")
                        out.write(piece)
                        scan.feed(piece)
                        if info.filename in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
                            small[info.filename] = small.get(info.filename, b"") + piece
                    scan.end()
                    found.formulas[info.filename] = scan.formulas
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as exc:
        raise damaged() from exc
    found.sheets = _sheet_parts(small)
    return found


def damaged() -> Invalid:
    return Invalid(
        "文件已损坏，或不是 Excel 工作簿（.xlsx） / damaged, or no .xlsx workbook", code="bad_file"
    )


def column_number(letters: str) -> int:
    """`A` → 1, `AA` → 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _check_directory(source: zipfile.ZipFile) -> None:
    parts = source.infolist()
    names = [p.filename for p in parts]
    if len(parts) > _MAX_PARTS or len(set(names)) != len(names):
        raise damaged()
    if any(p.flag_bits & 1 for p in parts):
        raise Invalid("文件有密码，请去除后再导入 / the file is encrypted", code="encrypted")
    if "xl/workbook.xml" not in names:
        raise damaged()
    if sum(p.file_size for p in parts) > _MAX_UNPACKED:
        raise TooLarge("表格解压后过大，请拆分后再导入 / the sheet is too large unpacked")


def _pieces(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part's bytes, never more than its declared size: the library stops there and checks the sum."""
    with source.open(info) as part:
        while piece := part.read(_PIECE):
            yield piece


class _Scan:
    """Counts rows and cells and finds formulas in a worksheet that passes by in pieces."""

    def __init__(self) -> None:
        self.formulas: list[tuple[int, int]] = []
        self._rows = 0
        self._cells = 0
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        text = self._rest + piece
        last = max((m.start() for m in _ROW.finditer(text)), default=max(text.rfind(b"<"), 0))
        self._look(text[:last])
        self._rest = text[last:]
        if len(self._rest) > _MAX_ROW_BYTES:
            raise damaged()

    def end(self) -> None:
        self._look(self._rest)

    def _look(self, text: bytes) -> None:
        self._rows += len(_ROW.findall(text))
        self._cells += len(_CELL.findall(text))
        if self._rows > MAX_ROWS + _SPARE_ROWS or self._cells > _MAX_CELLS:
            raise _too_wide()
        for letters, digits in _PLACE.findall(text):
            # The reader makes a full rectangle up to the last cell: one cell in the far corner is a thousand gigabytes.
            if len(letters) > 2 or column_number(letters.decode()) > MAX_COLUMNS or len(digits) > 5:
                raise _too_wide()
            if len(digits) == 5 and int(digits) > MAX_ROWS + _SPARE_ROWS:
                raise _too_wide()
        for attributes in _FORMULA.findall(text):
            place = _PLACE.search(attributes)
            row, column = (int(place[2]), column_number(place[1].decode())) if place else (0, 0)
            self.formulas.append((row, column))


def _too_wide() -> TooLarge:
    return TooLarge(
        f"工作表过大：最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列；请删除多余的空行空列 /"
        f" at most {MAX_ROWS} rows and {MAX_COLUMNS} columns"
    )


def _sheet_parts(small: dict[str, bytes]) -> list[str]:
    targets: dict[bytes, str] = {}
    for relation in _RELATION.findall(small.get("xl/_rels/workbook.xml.rels", b"")):
        found = dict(_ATTRIBUTE.findall(relation))
        path = found.get(b"Target", b"").decode("utf-8", "replace")
        full = path.lstrip("/") if path.startswith("/") else str(PurePosixPath("xl") / path)
        targets[found.get(b"Id", b"")] = full
    return [targets.get(name, "") for name in _SHEET.findall(small.get("xl/workbook.xml", b""))]
