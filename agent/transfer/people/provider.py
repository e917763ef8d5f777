"""Asks a phone's content providers through `content`, a process on the phone for each question.

Such a process takes a phone 0.3 to 1 s, so a question covers many rows, and rows that hold nothing are not asked for.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.transfer.people.rows import NotRows, ids, only_value, split_column
from agent.transport import CommandResult, Transport

CONTACTS = "content://com.android.contacts"
PAGE_ROWS = 2000
QUERY_S = 180.0
_LOOKS = 4
# A phone before Android 7 takes a command of one small packet, and no shell takes one of more than 128 KiB.
_LONGEST_OLD, _LONGEST = 3500, 32_000
_NEW_SHELL_SINCE = 24


class NotRead(Exception):
    """The phone answered, and did not tell. `reason`: `denied`, `no_provider`, `too_old`, `words` (an answer that is
    not wholly understood), `changing` (the rows change while they are read).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Memo:
    """What a phone told of rows that are the same still: a line that breaks every few megabytes would never bring a
    large address book otherwise. `rows` are those of which it was told; forgotten as soon as there are others, and when
    the reading is whole: what is written afterwards is to be seen.
    """

    rows: object = None
    columns: dict[tuple[str, str, str], dict[int, str]] = field(default_factory=dict)
    pages: dict[tuple[str, str, tuple[int, ...]], dict[int, str]] = field(default_factory=dict)

    def begin(self, rows: object) -> None:
        """A reading of these rows begins, or goes on where it was broken off."""
        if rows != self.rows:
            self.forget()
            self.rows = rows

    def forget(self) -> None:
        self.rows = None
        self.columns.clear()
        self.pages.clear()


@dataclass
class Provider:
    """One phone's providers. Every method may raise `TransportError`; `on_page` is called after each question."""

    transport: Transport
    on_page: Callable[[], None] = lambda: None
    memo: Memo = field(default_factory=Memo)

    def ids(self, uri: str, where: str = "") -> list[int]:
        """The `_id` of each row, in rising order. Raise `NotRead`."""
        result = self._ask(uri, "_id", where)
        try:
            return ids(_text(result))
        except NotRows:
            raise NotRead(_why(result)) from None

    def column(self, uri: str, column: str, where: str = "") -> dict[int, str]:
        """The values of a column by `_id`, those that are NULL or empty left out. Raise `NotRead`.

        NULL is left out by the question: printed, it looks like the text "NULL".
        """
        there = f"{column} IS NOT NULL AND {column}<>''" + (f" AND ({where})" if where else "")
        found = self.memo.columns.get((uri, column, where))
        if found is None:
            found = self.memo.columns[uri, column, where] = self._column(uri, column, there)
        return found

    def _column(self, uri: str, column: str, there: str) -> dict[int, str]:
        for _ in range(_LOOKS):
            numbers = self.ids(uri, there)
            pages = [tuple(numbers[at : at + PAGE_ROWS]) for at in range(0, len(numbers), PAGE_ROWS)]
            found: dict[int, str] = {}
            for page in pages:
                whole = self.memo.pages.get((uri, column, page))
                if whole is None:
                    whole = self._page(uri, column, there, page)
                if whole is None:
                    break
                self.memo.pages[uri, column, page] = whole
                found |= whole
            if len(found) == len(numbers):
                return found
        raise NotRead("changing")

    def _page(self, uri: str, column: str, there: str, page: Sequence[int]) -> dict[int, str] | None:
        """None when there are other rows now than a moment ago."""
        where = f"{there} AND _id>={page[0]} AND _id<={page[-1]}"
        result = self._ask(uri, column, where)
        try:
            values = split_column(_text(result), column, len(page))
        except NotRows:
            if self.ids(uri, where) != list(page):
                return None
            raise NotRead(_why(result)) from None
        if self.ids(uri, where) != list(page):
            return None
        return {
            number: value if value is not None else self._alone(uri, column, number)
            for number, value in zip(page, values, strict=True)
        }

    def _alone(self, uri: str, column: str, number: int) -> str:
        result = self._ask(uri, column, f"_id={number}")
        try:
            return only_value(_text(result), column)
        except NotRows:
            raise NotRead(_why(result)) from None

    def _ask(self, uri: str, column: str, where: str) -> CommandResult:
        command = f"content query --uri {uri} --projection {column} --sort _id"
        if where:
            command += f" --where {shlex.quote(where)}"
        result = self.transport.run(command, QUERY_S)
        self.on_page()
        return result

    def sdk(self) -> int:
        """The phone's API level; 0 where it does not tell."""
        told = self.transport.run("getprop ro.build.version.sdk", QUERY_S).stdout.strip()
        return int(told) if told.isdigit() else 0


def longest(sdk: int) -> int:
    """How many bytes one command of a shell of this API level may have."""
    return _LONGEST if sdk >= _NEW_SHELL_SINCE else _LONGEST_OLD


def insert(uri: str, values: Mapping[str, str | int]) -> str:
    """The command that inserts one row; text and whole numbers are bound as such."""
    return f"content insert --uri {uri} {_binds(values)}"


def update(uri: str, where: str, values: Mapping[str, str | int]) -> str:
    """The command that changes the rows of a condition."""
    return f"content update --uri {uri} {_binds(values)} --where {shlex.quote(where)}"


def _binds(values: Mapping[str, str | int]) -> str:
    return " ".join(
        "--bind " + shlex.quote(f"{column}:{'l' if isinstance(value, int) else 's'}:{value}")
        for column, value in values.items()
    )


def _text(result: CommandResult) -> str:
    return result.stdout.decode("utf-8", "replace")


def _why(result: CommandResult) -> str:
    return refusal(result) or "words"


def refusal(result: CommandResult) -> str | None:
    """Why a command was not done, by its words alone; None where it says nothing of the kind.

    Only for what is no list of rows: somebody's note may hold these words, too.
    """
    text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
    if "SecurityException" in text or "Permission Denial" in text:
        return "denied"
    if "Could not find provider" in text:
        return "no_provider"
    if "[ERROR] Unsupported operation" in text or result.exit_code == 127:
        return "too_old"
    return "words" if "Error while accessing provider" in text else None
