"""The columns that a resource has in sheets, and the reading of a header row."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.kernel.errors import FieldError, Invalid
from app.registry.resource import Field, Resource
from app.registry.sheet_read import Cell

RETIRED = "停用时间"
VOIDED = "作废时间"
_FIRST_ROWS = 10


def sheet_fields(resource: Resource) -> list[Field]:
    """All fields but what the server derives; ties keep the centre, for a post's code is unique only within it."""
    return [f for f in resource.fields if not f.derived or (resource.tie and f.name == "centre_id")]


@dataclass(frozen=True)
class Header:
    """`row` is the header's row number; `fields` the field of each column, None where a column is to be ignored."""

    row: int
    fields: tuple[Field | None, ...]

    def label(self, column: int) -> str:
        """How a problem names a column (from 0): the letter and the heading."""
        described = self.fields[column] if column < len(self.fields) else None
        return f"{letters(column)} {described.label}" if described else letters(column)

    def column_of(self, name: str) -> str:
        """As `label`, by the field's name; the bare name where the sheet has no such column."""
        for column, described in enumerate(self.fields):
            if described is not None and described.name == name:
                return self.label(column)
        return name


def letters(column: int) -> str:
    """0 → `A`, 26 → `AA`."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def find_header(resource: Resource, rows: Iterator[tuple[int, list[Cell]]], sheet: str) -> Header:
    """Consume rows up to the header: the first of the first ten that names the key columns, or else most columns.

    Titles and hints above it are passed over. Raise `Invalid` naming unknown, missing and repeated columns.
    """
    known = {_fold(name): f for f in sheet_fields(resource) for name in (f.label, f.name)}
    best: tuple[int, int, Sequence[Cell]] | None = None
    for number, cells in rows:
        hits = sum(_fold(c) in known for c in cells if isinstance(c, str))
        if hits and hits * 2 >= sum(c not in (None, "") for c in cells):
            return _header(resource, number, cells, known)
        if hits and (best is None or hits > best[0]):
            best = (hits, number, cells)
        if number >= _FIRST_ROWS:
            break
    if best is not None:
        return _header(resource, best[1], best[2], known)
    labels = "、".join(f.label for f in sheet_fields(resource))
    raise Invalid(
        f"工作表“{sheet}”的前 {_FIRST_ROWS} 行里没有表头，应有：{labels}。只读第一张看得见的工作表，请把名单放到它里面"
        " / no header row found in the first visible sheet",
        code="no_header",
    )


def _header(resource: Resource, row: int, cells: Sequence[Cell], known: dict[str, Field]) -> Header:
    texts = ["" if c is None else str(c).strip() for c in cells]
    while texts and not texts[-1]:
        texts.pop()
    fields = tuple(known.get(_fold(text)) for text in texts)
    problems = []
    for column, (text, described) in enumerate(zip(texts, fields, strict=True)):
        place = f"{letters(column)} {text}".strip()
        if described is None and text and _fold(text) not in (RETIRED, VOIDED):
            problems.append(FieldError(place, "unknown_column", f"未知的列“{place}” / unknown column"))
    repeated = [f for f, n in Counter(f.label for f in fields if f is not None).items() if n > 1]
    problems += [
        FieldError(label, "duplicate_column", f"列“{label}”重复 / the column stands twice")
        for label in repeated
    ]
    present = {f.name for f in fields if f is not None}
    for needed in _needed(resource):
        if needed.name not in present:
            message = f"缺少“{needed.label}”列 / the column is missing"
            problems.append(FieldError(needed.label, "missing_column", message))
    if problems:
        # Its Chinese only: whoever shows the Chinese half of the whole would else show the first problem alone.
        told = "；".join(p.message.split(" / ")[0] for p in problems)
        raise Invalid(
            f"第 {row} 行表头有误：{told} / the header is wrong", code="bad_header", fields=problems
        )
    return Header(row, fields)


def _needed(resource: Resource) -> list[Field]:
    """Columns without which a row cannot even be told from others: the key, and the centre that its parts lie in."""
    names = {*resource.key, "centre_id"} - set(resource.subjects if resource.subjects != ("post_id",) else ())
    return [f for f in sheet_fields(resource) if f.name in names]


def _fold(text: object) -> str:
    """Headings are compared without blanks, stars (required marks), case and width of letters."""
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return "".join(c for c in plain if not c.isspace() and c not in "*＊'")
