"""What is signed: every text of a document counts, and the same document always gives the same digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.papers import (
    Column,
    Document,
    Fields,
    Photo,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
    digest,
    from_plain,
    to_plain,
)
from app.papers.document import blobs_of, canonical

SIGNED = Signed("移交人", "张䶮", "2026-11-22T02:30:00.000000Z", "本人登录", "a" * 64, "b" * 64, "无异议")
DOCUMENT = Document(
    "移交物品单",
    "一号片区管家",
    (
        Fields("基本情况", (("岗位", "一号片区管家"), ("原因", "离职"))),
        Table("物品", (Column("物品", 3), Column("状况", 2)), (("手机", "完好"), ("充电器", "缺少"))),
        Text("异议", "无\n另：𬭚"),
        Photos("照片", (Photo("c" * 64, "正面"), Photo("d" * 64, "背面"), Photo("c" * 64, "又一次"))),
        Signatures("签字", (SIGNED,)),
    ),
)


def test_it_survives_the_way_through_json() -> None:
    again = from_plain(json.loads(orjson.dumps(to_plain(DOCUMENT))))
    assert again == DOCUMENT
    assert digest(again) == digest(DOCUMENT)


def test_the_digest_is_over_canonical_json() -> None:
    raw = canonical(DOCUMENT)
    assert json.loads(raw) == json.loads(orjson.dumps(to_plain(DOCUMENT)))
    assert (
        raw == json.dumps(json.loads(raw), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    )


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield from ([path] if isinstance(value, str | int) else [])
    for key, inner in items:
        yield from _leaves(inner, (*path, key))


@pytest.mark.parametrize("path", list(_leaves(json.loads(canonical(DOCUMENT)))), ids=str)
def test_every_single_text_changes_the_digest_or_is_no_document(path: tuple[Any, ...]) -> None:
    values = json.loads(canonical(DOCUMENT))
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = place[path[-1]] + (1 if isinstance(place[path[-1]], int) else "x")
    try:
        changed = from_plain(values)
    except ValueError:
        return
    assert digest(changed) != digest(DOCUMENT)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"schema": 2, "title": "", "subtitle": "", "parts": []},
        {"schema": 1, "title": "", "subtitle": "", "parts": [{"type": "html", "heading": ""}]},
        {"schema": 1, "title": "", "subtitle": "", "parts": [{"type": "text", "heading": ""}]},
        {"schema": 1, "title": "", "subtitle": "", "parts": [], "more": 1},
        {
            "schema": 1,
            "title": "",
            "subtitle": "",
            "parts": [{"type": "text", "heading": "", "text": "", "x": ""}],
        },
        {"schema": 1, "title": "", "subtitle": "", "parts": ["text"]},
        {"schema": 1, "title": "", "subtitle": "", "parts": None},
    ],
)
def test_anything_else_is_no_document(values: Any) -> None:
    with pytest.raises(ValueError, match="document"):
        from_plain(values)


def test_a_row_has_one_text_for_each_column() -> None:
    with pytest.raises(ValueError, match="one text for each column"):
        Table("", (Column("a", 1), Column("b", 1)), (("only one",),))
    with pytest.raises(ValueError, match="at least 1 wide"):
        Table("", (Column("a", 0),), ())


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="Unicode"):
        canonical(replace(DOCUMENT, title="\ud800"))


def test_blobs_are_named_once() -> None:
    assert blobs_of(DOCUMENT) == ["c" * 64, "d" * 64, "b" * 64]
