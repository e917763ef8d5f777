"""A paper as a PDF: the same bytes for the same paper, whoever makes it and whenever."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from app.kernel.clock import from_rfc3339
from app.papers.document import (
    Document,
    Fields,
    Part,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
    blobs_of,
    to_plain,
)
from app.papers.glyphs import FONTS, Run, runs_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
_TEMPLATE = Path(__file__).resolve().parent / "paper.typ"
_LINE_CHARS, _TALL_LINES = 56, 20
_WIDE_CHARS = 22
"""A value longer than this takes a line of its own instead of half of one."""


@dataclass(frozen=True)
class Print:
    """Everything that a printed form tells. `pictures`: sha256 → bytes, all of the document's.

    `proof`: labels and values of its last box; `notes`: lines under the number, in bold; `link` stands in the QR, None
    for an installation that has no address of its own.
    """

    document: Document
    company: str
    number: str
    sha256: str
    issued_at: dt.datetime
    pictures: Mapping[str, bytes]
    proof: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    link: str | None = None


def render(what: Print) -> bytes:
    """The PDF. The printer is loaded with the first one: a process that never prints does without it."""
    import typst

    with TemporaryDirectory(prefix="butler-paper-") as folder:
        place = Path(folder)
        (place / "main.typ").write_bytes(_TEMPLATE.read_bytes())
        (place / "paper.json").write_bytes(orjson.dumps(_plain(what)))
        for name in blobs_of(what.document):
            data = what.pictures[name]
            (place / _file(name, data)).write_bytes(data)
        if what.link:
            (place / "qr.svg").write_bytes(_qr(what.link))
        compiler = typst.Compiler(
            input=str(place / "main.typ"), root=folder, font_paths=_fonts(), ignore_system_fonts=True
        )
        made = compiler.compile(format="pdf", timestamp=int(what.issued_at.timestamp()))
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> Any:
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


def _qr(link: str) -> bytes:
    import segno

    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", border=1, scale=4)
    return out.getvalue()


def _file(name: str, data: bytes) -> str:
    return name + (".png" if data.startswith(b"\x89PNG") else ".jpg")


def shanghai(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _plain(what: Print) -> dict[str, Any]:
    document = what.document
    notes = list(what.notes)
    if _has_strange(document):
        notes.append("本单含有字库以外的字符，以方框内的 Unicode 编码代替，原文以系统中的记录为准。")
    return {
        "title": runs_of(document.title),
        "plain_title": f"{document.title} {what.number}",
        "subtitle": runs_of(document.subtitle),
        "company": runs_of(what.company),
        "company_plain": what.company,
        "number": runs_of(what.number),
        "sha256": what.sha256,
        "issued": f"{shanghai(what.issued_at)}（北京时间）",
        "notes": [runs_of(note) for note in notes],
        "proof": [{"label": runs_of(label), "value": runs_of(value)} for label, value in what.proof],
        "qr": what.link is not None,
        "parts": [_part(part, what.pictures) for part in document.parts],
    }


def _part(part: Part, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    heading = {"heading": runs_of(part.heading)}
    match part:
        case Fields():
            return {"type": "fields", **heading, "rows": _field_rows(part)}
        case Table():
            labels = [runs_of(column.label) for column in part.columns]
            widths = [column.width for column in part.columns]
            rows = [
                {"cells": [runs_of(cell) for cell in row], "split": _is_tall(row, widths)}
                for row in part.rows
            ]
            return {"type": "table", **heading, "labels": labels, "widths": widths, "rows": rows}
        case Text():
            lines = [runs_of(line) for line in part.text.splitlines()]
            return {"type": "text", **heading, "paragraphs": lines}
        case Photos():
            photos = [
                {
                    "file": _file(p.sha256, pictures[p.sha256]),
                    "caption": runs_of(p.caption),
                    "sha256": p.sha256,
                }
                for p in part.photos
            ]
            return {"type": "photos", **heading, "photos": photos}
        case Signatures():
            return {
                "type": "signatures",
                **heading,
                "signed": [_signed(one, pictures) for one in part.signed],
            }


def _field_rows(part: Fields) -> list[dict[str, Any]]:
    """Two short ones share a line; one that is left alone on its line takes the whole of it."""
    rows: list[dict[str, Any]] = []
    alone: dict[str, Any] | None = None
    for label, value in part.rows:
        row = {"label": runs_of(label), "value": runs_of(value), "wide": _width(value) > _WIDE_CHARS}
        rows.append(row)
        if row["wide"]:
            if alone is not None:
                alone["wide"] = True
            alone = None
        else:
            alone = row if alone is None else None
    if alone is not None:
        alone["wide"] = True
    return rows


def _is_tall(row: Sequence[str], widths: Sequence[int]) -> bool:
    """Whether a row may need more lines than a page should keep together, estimated generously."""
    chars = [_LINE_CHARS * width / sum(widths) for width in widths]
    return any(_width(cell) / max(fit - 2, 1) > _TALL_LINES for cell, fit in zip(row, chars, strict=True))


def _width(text: str) -> float:
    return sum(1 if ord(c) > 0x2E7F else 0.55 for c in text)


def _signed(one: Signed, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "role": runs_of(one.role),
        "name": runs_of(one.name),
        "how": runs_of(one.how),
        "at": shanghai(from_rfc3339(one.at)),
        "over": one.over,
        "note": runs_of(one.note),
        "ink": _file(one.ink, pictures[one.ink]) if one.ink else None,
    }


def _has_strange(document: Document) -> bool:
    def strange(runs: Sequence[Run]) -> bool:
        return any(not isinstance(run, str) for run in runs)

    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        inner = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
        return [text for item in inner for text in texts(item)]

    return any(strange(runs_of(line)) for text in texts(to_plain(document)) for line in text.splitlines())
