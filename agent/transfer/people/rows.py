"""What `content query` prints, read back exactly, whatever the values hold. Text in, values out.

One column is asked for at a time. A row is `Row: N column=value`, and a value may hold line ends and such words
itself. The numbers of the rows settle it: they run from nought to a count that is known from elsewhere, so a number
that stands at the head of one line only is a row's own.
"""

from __future__ import annotations

import re

NOTHING = "No result found."
_ID = re.compile(r"Row: ([0-9]{1,9}) _id=([0-9]{1,18})\r?\n")


class NotRows(Exception):
    """The text is not the answer to that question."""


def split_column(text: str, column: str, count: int) -> list[str | None]:
    """The values of `count` rows in their order; None where the text alone does not tell: ask for that row alone.

    Raise `NotRows` for rows that are too few, too many or in no order.
    """
    if count == 0:
        if text.strip() == NOTHING:
            return []
        raise NotRows("rows where there should be none")
    heads: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for found in re.finditer(rf"^Row: ([0-9]+) {re.escape(column)}=", text, re.MULTILINE):
        # A number is cut where it is longer than any row's: int() of a value's thousand digits would be slow.
        number = int(found[1]) if len(found[1]) < 12 else count
        if number < count:
            heads[number].append(found.span())
    if not all(heads) or heads[0][0][0] != 0 or not text.endswith("\n"):
        raise NotRows("a row is missing")
    return [_value(text, heads, number) for number in range(count)]


def _value(text: str, heads: list[list[tuple[int, int]]], number: int) -> str | None:
    last = number == len(heads) - 1
    if len(heads[number]) > 1 or (not last and len(heads[number + 1]) > 1):
        return None
    begin = heads[number][0][1]
    # Each row ends with one line end of its own.
    end = (len(text) if last else heads[number + 1][0][0]) - 1
    if end < begin:
        raise NotRows("rows in no order")
    return text[begin:end]


def only_value(text: str, column: str) -> str:
    """The value of the one row that was asked for alone. Raise `NotRows`."""
    head = f"Row: 0 {column}="
    if not text.startswith(head) or not text.endswith("\n"):
        raise NotRows("not one row")
    return text[len(head) : -1]


def ids(text: str) -> list[int]:
    """The numbers of a query for `_id`. Raise `NotRows`, also where the rows' own numbers do not run on."""
    lines = text.splitlines()
    if lines == [NOTHING]:
        return []
    found = [re.fullmatch(r"Row: ([0-9]{1,9}) _id=([0-9]{1,18})", line) for line in lines]
    numbers = [int(row[2]) for place, row in enumerate(found) if row is not None and int(row[1]) == place]
    if not lines or len(numbers) != len(lines):
        raise NotRows("not a list of ids")
    return numbers


def first_ids(text: str) -> list[int]:
    """The numbers of such an answer that was broken off anywhere: those of its whole lines, as far as they run on."""
    numbers: list[int] = []
    for line in text.splitlines(keepends=True):
        row = _ID.fullmatch(line)
        if row is None or int(row[1]) != len(numbers):
            break
        numbers.append(int(row[2]))
    return numbers
