"""Asks a phone's content providers through `content`, a process on the phone for each question.

Such a process takes a phone 0.3 to 1 s, so a question covers many rows, and rows that hold nothing are not asked for.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent.errors import OutputTooLarge, Refused, TransportError, TransportFault
from agent.transfer.people.memory import Memo
from agent.transfer.people.rows import NotRows, first_ids, ids, only_value, split_column
from agent.transport import CommandResult, Transport

CONTACTS = "content://com.android.contacts"
QUERY_S = 180.0
_LOOKS = 4
_MOST_BYTES = 64 * 2**20
_MOST_ROWS = 1_000_000
_MOST_TEXT = 64 * 2**20
"""Characters in one reading: a phone that tells more with each cut would else fill the memory in the end."""
_KILLED = range(129, 193)
"""A shell's code for a process that a signal ended."""
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


class _Changing(Exception):
    """There are other rows now than a moment ago."""


@dataclass
class Provider:
    """One phone's providers, made anew each time that the phone is taken in hand. Every method may raise
    `TransportError`; `on_page` is called after each question.
    """

    transport: Transport
    on_page: Callable[[], None] = lambda: None
    memo: Memo = field(default_factory=Memo)

    def __post_init__(self) -> None:
        self.memo.taken_in_hand()

    def ids(self, uri: str, where: str = "") -> list[int]:
        """The `_id` of each row, in rising order. Raise `NotRead`."""
        result = self._ask(uri, "_id", where)
        try:
            return ids(_text(result))
        except NotRows:
            raise NotRead(_why(result)) from None

    def long_ids(self, uri: str, where: str = "") -> list[int]:
        """As `ids`, for a list of any length: one that is broken off goes on behind its last whole line when it is
        asked for again. Raise `NotRead`, also for one that does not end: each cut would make it longer for ever.
        """
        question = (uri, where)
        known = self.memo.broken.get(question, [])
        behind = _behind(where, known[-1]) if known else where
        told = bytearray()
        try:
            whole(self.transport.stream(_query(uri, "_id", behind), _bounded(told), QUERY_S, idle_s=QUERY_S))
        except Refused:
            # No raw output, no piecemeal list.
            told[:] = self._ask(uri, "_id", behind).stdout
        except OutputTooLarge:
            self.memo.broken.pop(question, None)
            raise NotRead("words") from None
        except TransportError:
            self.memo.broken[question] = _rising(known + first_ids(told.decode("utf-8", "replace")))
            raise
        self._answered()
        try:
            numbers = known + ids(told.decode("utf-8", "replace"))
        except NotRows:
            # Asked once more for its words: a phone's refusal is no part of the raw output.
            numbers = known + self.ids(uri, behind)
        self.memo.broken.pop(question, None)
        self.memo.seen(uri, _rising(numbers))
        return numbers

    def known_ids(self, uri: str, where: str = "") -> list[int]:
        """As `long_ids`, asked once in a reading."""
        return self.memo.once((uri, where), lambda: self.long_ids(uri, where))

    def grown(self, uri: str) -> bool:
        """Whether there are rows that came after all that were seen of this provider. Raise `NotRead`."""
        return bool(self.long_ids(uri, f"_id>{self.memo.greatest.get(uri, 0)}"))

    def column(self, uri: str, column: str, where: str = "") -> dict[int, str]:
        """The values of a column by `_id`, those that are NULL or empty left out. Raise `NotRead`.

        NULL is left out by the question: printed, it looks like the text "NULL".
        """
        there = f"{column} IS NOT NULL AND {column}<>''" + (f" AND ({where})" if where else "")
        found = self.memo.column((uri, column, where))
        for _ in range(_LOOKS):
            numbers = self.known_ids(uri, there)
            try:
                self._fill(found, uri, column, there, numbers)
            except _Changing:
                self.memo.lists.pop((uri, there), None)
                found.clear()
                continue
            return {number: found[number] for number in numbers}
        raise NotRead("changing")

    def _fill(self, found: dict[int, str], uri: str, column: str, there: str, numbers: Sequence[int]) -> None:
        """Ask for the values of the rows that are not in `found`. Raise `_Changing`, `NotRead`."""
        missing = [number for number in numbers if number not in found]
        while missing:
            page = missing[: self.memo.page_rows]
            try:
                told = self._page(uri, column, f"{there} AND _id>={page[0]} AND _id<={page[-1]}", page)
            except TransportError:
                self.memo.page_ended(whole=False)
                raise
            found |= told
            self.memo.text += sum(map(len, told.values()))
            if self.memo.text > _MOST_TEXT:
                raise NotRead("words")
            self.memo.page_ended(whole=True)
            missing = missing[len(page) :]

    def _page(self, uri: str, column: str, where: str, page: Sequence[int]) -> dict[int, str]:
        result = self._ask(uri, column, where)
        try:
            values = split_column(_text(result), column, len(page))
        except NotRows:
            if self.ids(uri, where) != list(page):
                raise _Changing from None
            raise NotRead(_why(result)) from None
        if self.ids(uri, where) != list(page):
            raise _Changing
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
        result = whole(self.transport.run(_query(uri, column, where), QUERY_S))
        self._answered()
        return result

    def _answered(self) -> None:
        self.memo.heard()
        self.on_page()

    def sdk(self) -> int:
        """The phone's API level; 0 where it does not tell."""
        told = self.transport.run("getprop ro.build.version.sdk", QUERY_S).stdout.strip()
        return int(told) if told.isdigit() else 0


def _query(uri: str, column: str, where: str) -> str:
    command = f"content query --uri {uri} --projection {column} --sort _id"
    return f"{command} --where {shlex.quote(where)}" if where else command


def _behind(where: str, number: int) -> str:
    return f"({where}) AND _id>{number}" if where else f"_id>{number}"


def whole(result: CommandResult) -> CommandResult:
    """An answer that was not broken off: of a process that the phone killed in the middle the rest of the rows is
    missing, and nothing in the text tells so. Raise `TransportFault`.
    """
    if result.exit_code in _KILLED:
        raise TransportFault("the phone killed the program in the middle of its answer", reason="dropped")
    return result


def _rising(numbers: list[int]) -> list[int]:
    """The same, where they are an answer to a question sorted by number. Raise `NotRead`."""
    if len(numbers) > _MOST_ROWS or any(now <= before for before, now in pairwise(numbers)):
        raise NotRead("words")
    return numbers


def _bounded(told: bytearray) -> Callable[[bytes], None]:
    """A sink that keeps what comes, within reason: a list may never end."""

    def take(piece: bytes) -> None:
        if len(told) + len(piece) > _MOST_BYTES:
            raise OutputTooLarge("more rows than can be moved")
        told.extend(piece)

    return take


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
