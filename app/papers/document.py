"""A document as plain values: what a room builds, what is signed, shown, printed and kept.

What is signed is the sha256 of the canonical JSON: keys sorted, no blanks, UTF-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import orjson

SCHEMA = 1


@dataclass(frozen=True)
class Fields:
    """Labels and their values."""

    type: ClassVar = "fields"
    heading: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """`width` is its share of the table's width."""

    label: str
    width: int


@dataclass(frozen=True)
class Table:
    """Each row has one text for each column. Raise `ValueError` for another number, and for a width below 1."""

    type: ClassVar = "table"
    heading: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if not self.columns or any(column.width < 1 for column in self.columns):
            raise ValueError("a table has columns, each at least 1 wide")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("each row of a table has one text for each column")


@dataclass(frozen=True)
class Text:
    """Paragraphs, one a line."""

    type: ClassVar = "text"
    heading: str
    text: str


@dataclass(frozen=True)
class Photo:
    """`sha256` names a stored JPEG or PNG."""

    sha256: str
    caption: str


@dataclass(frozen=True)
class Photos:
    type: ClassVar = "photos"
    heading: str
    photos: tuple[Photo, ...]


@dataclass(frozen=True)
class Signed:
    """Somebody's signature. `at` is RFC 3339 in UTC; `how` he proved who he is, in words; `over` is the sha256 of the
    text that he signed; `ink` names the picture of the drawn signature, None where he drew none.
    """

    role: str
    name: str
    at: str
    how: str
    over: str
    ink: str | None
    note: str


@dataclass(frozen=True)
class Signatures:
    type: ClassVar = "signatures"
    heading: str
    signed: tuple[Signed, ...]


Part = Fields | Table | Text | Photos | Signatures


@dataclass(frozen=True)
class Document:
    title: str
    subtitle: str
    parts: tuple[Part, ...]


def to_plain(document: Document) -> dict[str, Any]:
    """As JSON values; each part names its `type`."""
    parts = [{"type": part.type, **asdict(part)} for part in document.parts]
    return {"schema": SCHEMA, "title": document.title, "subtitle": document.subtitle, "parts": parts}


def canonical(document: Document) -> bytes:
    """The bytes whose sha256 is signed. Raise `ValueError` for half a character, which no database holds."""
    try:
        return orjson.dumps(to_plain(document), option=orjson.OPT_SORT_KEYS)
    except TypeError as exc:
        raise ValueError("a document holds whole Unicode texts only") from exc


def digest(document: Document) -> str:
    """The sha256 of the canonical JSON, in hexadecimal: what people sign."""
    return hashlib.sha256(canonical(document)).hexdigest()


def from_plain(values: Mapping[str, Any]) -> Document:
    """The document of `to_plain`. Raise `ValueError` for anything else: nothing but what was signed is printed."""
    try:
        if values["schema"] != SCHEMA:
            raise ValueError("a document of another schema")
        parts = tuple(_BUILDERS[part["type"]](part) for part in values["parts"])
        document = Document(values["title"], values["subtitle"], parts)
        if canonical(document) != orjson.dumps(values, option=orjson.OPT_SORT_KEYS):
            raise ValueError("members that no document has")
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("not a document") from exc
    return document


def blobs_of(document: Document) -> list[str]:
    """The sha256 of every photo and drawn signature in it, in order, each once."""
    names: list[str] = []
    for part in document.parts:
        if isinstance(part, Photos):
            names += [photo.sha256 for photo in part.photos]
        elif isinstance(part, Signatures):
            names += [signed.ink for signed in part.signed if signed.ink]
    return list(dict.fromkeys(names))


def _pairs(part: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((label, value) for label, value in part["rows"])


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], Part]] = {
    "fields": lambda part: Fields(part["heading"], _pairs(part)),
    "table": lambda part: Table(
        part["heading"],
        tuple(Column(**column) for column in part["columns"]),
        tuple(tuple(row) for row in part["rows"]),
    ),
    "text": lambda part: Text(part["heading"], part["text"]),
    "photos": lambda part: Photos(part["heading"], tuple(Photo(**photo) for photo in part["photos"])),
    "signatures": lambda part: Signatures(
        part["heading"], tuple(Signed(**signed) for signed in part["signed"])
    ),
}
