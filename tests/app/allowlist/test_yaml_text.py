"""YAML from people: read strictly, with the line of what is wrong; in Chinese what the schema says."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.allowlist.faults import in_chinese
from app.allowlist.yaml_text import read_yaml, written
from app.kernel.errors import Invalid, TooLarge
from tests.app.allowlist.support import submit
from tests.app.conftest import Caller, Org

_LEAVES = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text("ab*&'\"#:-{ 是\n", max_size=8)
_TREES = st.dictionaries(
    st.text("ab*:0~ 是", min_size=1, max_size=4),
    st.recursive(
        _LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", min_size=1), inner)
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("allowed:\n  a.b: x\n  a.b: y\n", 3),
        ("a: &x [1]\nb: *x\n", 1),
        ("xiaomi:\n  *: {a: b}\n", 2),
        ("- a\n- b\n", 1),
        ("a: 1\nb: .inf\n", 2),
        ("a: 2026-11-22\n", 1),
        ("a: !!python/object:os.system x\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: [1, 2\n", 2),
        ("<<: {a: 1}\n", 1),
        ("? [a]\n: b\n", 1),
        ("a: 0x1F\n", 1),
        ("a:\n  b: 99999999999999999999\n", 2),
        ("[" * 400, 1),
        ("a: " + "{a: " * 30 + "1" + "}" * 30, 1),
        ("a: x\0y", 1),
        ('a: 1\n"b\\0c": 2\n', 2),
        ('"b\\nc": 2\n', 1),
    ],
)
def test_what_cannot_be_taken_names_its_line(text: str, line: int) -> None:
    with pytest.raises(Invalid) as refused:
        read_yaml(text)
    assert refused.value.fields[0].message.startswith(f"第 {line} 行：")


def test_names_are_texts_and_values_keep_their_kind() -> None:
    read = read_yaml("models:\n  23013: {a: on, b: true, c: ~, d: 12, e: 1.5}\n")
    assert read.body == {"models": {"23013": {"a": "on", "b": True, "c": None, "d": 12, "e": 1.5}}}
    assert read.lines["models", "23013"] == 2
    assert read_yaml("").body == read_yaml("# nothing\n").body == {}


def test_too_long_a_text_is_not_read() -> None:
    with pytest.raises((Invalid, TooLarge)):
        read_yaml("a: " + "x" * 300_000)


@settings(max_examples=40)
@given(_TREES)
def test_a_layer_is_read_back_as_it_was_written(body: dict[str, object]) -> None:
    assert read_yaml(written(body)).body == body


def test_faults_of_the_schema_are_told_in_chinese_with_their_lines(
    app: Flask, org: Org, client: Caller
) -> None:
    text = """\
allowed:
  不是包名: 某
apps:
  微信: {signer: zz, package: 坏}
settings:
  lock_screen: maybe
silent_hours: 0
unheard_of: 1
severity: {rooted: null}
"""
    answer = submit(client, "/allowlist/yaml", text=text, base="0")
    assert answer.status_code == 422
    for told in (
        "第 2 行：allowed：&#39;不是包名&#39; 不是包名", "第 4 行：apps.微信.signer", "第 6 行：settings.lock_screen",
        "第 7 行：silent_hours：0 太小，至少 1", "第 8 行：最外层：没有这样的项目", "第 9 行：severity：缺少项目",
    ):  # fmt: skip
        assert told in answer.text, told
    assert "第 4 行：apps.微信.package：&#39;坏&#39; 不是包名" in answer.text
    lines = [int(line) for line in re.findall(r"第 (\d+) 行：", answer.text)]
    assert lines == sorted(lines)
    # What was typed is there still.
    assert "unheard_of: 1" in answer.text


def test_an_unknown_complaint_is_told_as_it_is() -> None:
    assert in_chinese("a.b: something new") == "a.b: something new"
    assert in_chinese("models.x: settings.lock: 'a: b' is not one of ['c']") == (
        "models.x: settings.lock：'a: b' 不在可选的内容里：['c']"
    )
