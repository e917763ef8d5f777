"""What `content query` printed comes back exactly, or is asked for alone, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.transfer.people.rows import NotRows, ids, only_value, split_column

NASTY = [
    "\n",
    "Row: ",
    "0",
    "1",
    "2",
    "9",
    " data1=",
    ", data2=",
    "\r",
    "'",
    '"',
    "张",
    "🙂",
    " ",
    "NULL",
    "\x85",
    "\u2028",
]
VALUE = st.lists(st.sampled_from(NASTY), max_size=12).map("".join) | st.text(max_size=20)


def printed(values: list[str], column: str = "data1") -> str:
    return "".join(f"Row: {n} {column}={value}\n" for n, value in enumerate(values)) or "No result found.\n"


@given(st.lists(VALUE, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_value_comes_back_exactly_or_is_asked_for_alone(values: list[str]) -> None:
    found = split_column(printed(values), "data1", len(values))
    assert len(found) == len(values)
    for value, told in zip(values, found, strict=True):
        assert told is None or told == value
        assert only_value(printed([value]), "data1") == value


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n")), max_size=30))
@settings(max_examples=100, deadline=None)
def test_values_of_one_line_are_never_asked_for_twice(values: list[str]) -> None:
    assert split_column(printed(values), "data1", len(values)) == values


def test_only_rows_beside_a_false_head_are_asked_for_alone() -> None:
    values = ["a", "b", "c\nRow: 1 data1=x", "d", "e"]
    assert split_column(printed(values), "data1", 5) == [None, None, "c\nRow: 1 data1=x", "d", "e"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("No result found.\n", 1),
        ("Row: 0 data1=a\n", 0),
        ("Row: 0 data1=a\n", 2),
        ("Row: 1 data1=a\nRow: 0 data1=b\n", 2),
        ("Row: 0 data1=a", 1),
        ("x\nRow: 0 data1=a\n", 1),
        ("Row: 0 data2=a\n", 1),
        ("Row: 00000000000000 data1=a\n", 1),
    ],
)
def test_what_is_no_answer_to_the_question_is_refused(text: str, count: int) -> None:
    with pytest.raises(NotRows):
        split_column(text, "data1", count)


def test_ids_are_whole_or_nothing() -> None:
    assert ids("Row: 0 _id=7\nRow: 1 _id=9\n") == [7, 9]
    assert ids("No result found.\n") == []
    for text in (
        "",
        "Row: 1 _id=7\n",
        "Row: 0 _id=7\nRow: 2 _id=9\n",
        "Row: 0 _id=NULL\n",
        "Row: 0 _id=7\nx\n",
    ):
        with pytest.raises(NotRows):
            ids(text)


def test_one_row_that_is_none() -> None:
    for text in ("No result found.\n", "Row: 1 data1=a\n", "Row: 0 data1=a"):
        with pytest.raises(NotRows):
            only_value(text, "data1")
