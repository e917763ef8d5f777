"""Questions to a provider that are answered wholly, or not taken for an answer."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from agent.errors import TransportError, TransportFault
from agent.transfer.people import provider as module
from agent.transfer.people.batches import BATCH, Writer
from agent.transfer.people.importing import settled
from agent.transfer.people.memory import Memo
from agent.transfer.people.provider import NotRead, Provider, insert, longest, refusal, update
from agent.transfer.people.rows import first_ids
from agent.transport import CommandResult, Transport

URI = "content://x/y"
DENIED = "Error while accessing provider:x\njava.lang.SecurityException: Permission Denial: no\n"


class Answers:
    """A phone that gives the next text at each question, the last one for ever."""

    def __init__(self, *texts: str, error: str = "", code: int = 0) -> None:
        self.texts = list(texts)
        self.error = error
        self.code = code
        self.asked: list[str] = []
        self.cut_at = 999

    def run(self, command: str, deadline_s: float) -> CommandResult:
        self.asked.append(command)
        if len(self.asked) > self.cut_at:
            raise TransportFault("cut", reason="dropped")
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        return CommandResult(text.encode(), self.error.encode(), self.code, 0.0, 0.0)

    def stream(
        self, command: str, sink: Callable[[bytes], None], deadline_s: float, *, idle_s: float
    ) -> CommandResult:
        result = self.run(command, deadline_s)
        sink(result.stdout)
        return result


def provider(*texts: str, **more: Any) -> tuple[Provider, Answers]:
    phone = Answers(*texts, **more)
    return Provider(cast(Transport, phone)), phone


@pytest.mark.parametrize(
    ("texts", "more", "reason"),
    [
        (["", ""], {"error": DENIED}, "denied"),
        ([DENIED], {}, "denied"),
        (["", ""], {"error": "java.lang.IllegalStateException: Could not find provider: x"}, "no_provider"),
        (["usage: adb shell content\n[ERROR] Unsupported operation: query\n"], {}, "too_old"),
        (["sh: content: not found\n"], {"code": 127}, "too_old"),
        ([""], {}, "words"),
        (["Row: 0 _id=1\nRow: 2 _id=3\n"], {}, "words"),
        (["没有结果\n"], {}, "words"),
    ],
)
def test_what_is_no_answer_has_a_reason(texts: list[str], more: dict[str, Any], reason: str) -> None:
    asked, _ = provider(*texts, **more)
    with pytest.raises(NotRead) as caught:
        asked.ids(URI)
    assert caught.value.reason == reason


def test_a_note_that_speaks_of_denial_denies_nothing() -> None:
    ids = "Row: 0 _id=4\n"
    asked, _ = provider(ids, f"Row: 0 data1={DENIED}\n", ids)
    assert asked.column(URI, "data1") == {4: DENIED}


def test_rows_that_are_others_a_moment_later_are_read_anew() -> None:
    asked, _ = provider(
        "Row: 0 _id=4\n",
        "Row: 0 d=a\n",
        "No result found.\n",
        "Row: 0 _id=5\n",
        "Row: 0 d=b\n",
        "Row: 0 _id=5\n",
    )
    assert asked.column(URI, "d") == {5: "b"}


def test_rows_that_never_rest_are_not_read() -> None:
    texts = [
        text for n in range(9) for text in (f"Row: 0 _id={n}\n", "Row: 0 d=a\n", f"Row: 0 _id={n + 100}\n")
    ]
    asked, _ = provider(*texts)
    with pytest.raises(NotRead, match="changing"):
        asked.column(URI, "d")


def test_doubtful_rows_are_asked_for_alone() -> None:
    ids = "Row: 0 _id=4\nRow: 1 _id=8\n"
    both = "Row: 0 d=a\nRow: 1 d=x\nRow: 1 d=b\n"
    asked, phone = provider(ids, both, ids, "Row: 0 d=a\nRow: 1 d=x\n", "Row: 0 d=b\n")
    assert asked.column(URI, "d") == {4: "a\nRow: 1 d=x", 8: "b"}
    assert [command.rpartition("--where ")[2] for command in phone.asked[-2:]] == ["_id=4", "_id=8"]


def test_values_are_bound_as_one_word_of_the_shell() -> None:
    assert insert(URI, {"a": "it's; $x\n", "b": 3}) == (
        "content insert --uri content://x/y --bind 'a:s:it'\"'\"'s; $x\n' --bind b:l:3"
    )
    assert (
        update(URI, "_id IN (1)", {"a": ""})
        == "content update --uri content://x/y --bind a:s: --where '_id IN (1)'"
    )


def test_a_writer_keeps_to_its_limits_and_stops_at_a_refusal() -> None:
    phone = Answers("")
    told: list[int] = []
    writer = Writer(cast(Transport, phone), 3500, 2 * BATCH, lambda done, total, note=None: told.append(done))
    writer.run(["x" * 20] * (3 * BATCH) + ["y" * 4000])
    assert (writer.done, writer.left, writer.over_limit, writer.too_long) == (2 * BATCH, 0, BATCH, 1)
    assert [len(command.splitlines()) for command in phone.asked] == [BATCH, BATCH]
    assert told == [BATCH, 2 * BATCH]
    refused = Writer(cast(Transport, Answers(DENIED)), 3500, 999, lambda done, total, note=None: None)
    refused.run(["a"] * (3 * BATCH))
    assert (refused.refused, refused.done) == ("denied", BATCH)


def test_one_row_that_is_refused_does_not_stop_the_others() -> None:
    odd = "Error while accessing provider:x\njava.lang.IllegalArgumentException: no\n"
    writer = Writer(cast(Transport, Answers(odd, "")), 3500, 999, lambda done, total, note=None: None)
    writer.run(["a"] * (3 * BATCH))
    assert (writer.refused, writer.done) == (None, 3 * BATCH)


def test_no_command_is_longer_than_the_phone_takes() -> None:
    phone = Answers("")
    Writer(cast(Transport, phone), longest(23), 999, lambda *_: None).run(["字" * 400] * 9)
    assert all(len(command.encode()) <= 3500 for command in phone.asked)
    assert longest(24) > longest(0)


def test_silence_is_no_refusal() -> None:
    assert refusal(CommandResult(b"", b"", 0, 0.0, None)) is None


def test_contacts_that_go_on_to_grow_are_waited_for_but_not_for_ever() -> None:
    now = [0.0]
    grown = [f"Row: 0 _id={n}\n" for n in range(1, 401)]
    asked, _ = provider(*grown)

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(NotRead, match="changing"):
        settled(asked, lambda: now[0], sleep, limit_s=60)
    asked, _ = provider(*grown[:9], "No result found.\n")
    settled(asked, lambda: now[0], sleep)


def rows(first: int, last: int) -> str:
    return "".join(f"Row: {place} _id={number}\n" for place, number in enumerate(range(first, last + 1)))


class Broken(Answers):
    """Its line breaks in the middle of every list of more than `most` bytes."""

    def __init__(self, *texts: str, most: int) -> None:
        super().__init__(*texts)
        self.most = most

    def stream(
        self, command: str, sink: Callable[[bytes], None], deadline_s: float, *, idle_s: float
    ) -> CommandResult:
        result = self.run(command, deadline_s)
        sink(result.stdout[: self.most])
        if len(result.stdout) > self.most:
            raise TransportFault("cut", reason="dropped")
        return result


@pytest.mark.parametrize("most", [1, 13, 14, 15, 28, 29])
def test_a_list_that_is_broken_off_goes_on_behind_its_last_whole_line(most: int) -> None:
    told = [number for number in range(11, 16) if 14 * (number - 10) <= most]
    phone = Broken(rows(11, 15), most=most)
    asked = Provider(cast(Transport, phone))
    with pytest.raises(TransportError):
        asked.long_ids(URI, "deleted=0")
    phone.texts, phone.most = [rows(told[-1] + 1 if told else 11, 15)], 10**6
    assert asked.long_ids(URI, "deleted=0") == [11, 12, 13, 14, 15]
    behind = f"'(deleted=0) AND _id>{told[-1]}'" if told else "deleted=0"
    assert phone.asked[-1].rpartition("--where ")[2] == behind
    # What was kept of it is gone: the next list is asked for wholly.
    phone.texts = ["No result found.\n"]
    assert asked.long_ids(URI, "deleted=0") == []


def test_a_broken_list_whose_rest_is_gone_meanwhile_ends_there() -> None:
    phone = Broken(rows(1, 3), most=30)
    asked = Provider(cast(Transport, phone))
    with pytest.raises(TransportError):
        asked.long_ids(URI)
    phone.texts, phone.most = ["No result found.\n"], 10**6
    assert asked.long_ids(URI) == [1, 2]


@pytest.mark.parametrize("text", ["Row: 1 _id=4\n", "Row: 0 _id=x\n", "", "Row: 0 _id=1", "Row: 0 _id=1 \n"])
def test_of_a_broken_answer_only_what_is_a_row_is_kept(text: str) -> None:
    assert first_ids(text) == []
    assert first_ids("Row: 0 _id=7\r\n" + re.sub(r"Row: .", "Row: 5", text)) == [7]


class Endless(Answers):
    """Prints rows for as long as anybody listens; its line breaks after so many bytes."""

    def __init__(self, most: int) -> None:
        super().__init__("")
        self.most = most
        self.last = 0

    def stream(
        self, command: str, sink: Callable[[bytes], None], deadline_s: float, *, idle_s: float
    ) -> CommandResult:
        sent = 0
        while sent < self.most:
            text = "".join(f"Row: {n} _id={self.last + n + 1}\n" for n in range(20_000)).encode()
            self.last += 20_000
            sent += len(text)
            sink(text)
        raise TransportFault("cut", reason="dropped")


@pytest.mark.parametrize("most", [10**6, 10**9])
def test_a_list_without_an_end_is_no_list_however_often_its_line_breaks(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cut would count as progress, and keep more of it in the gateway's memory."""
    monkeypatch.setattr(module, "_MOST_ROWS", 100_000)
    monkeypatch.setattr(module, "_MOST_BYTES", 2 * 10**6)
    asked = Provider(cast(Transport, Endless(most)))
    asked.memo.begin()
    with pytest.raises(NotRead, match="words"):  # noqa: PT012 - at which of the cuts is all the same
        for _ in range(9):
            with contextlib.suppress(TransportError):
                asked.known_ids(URI)
    assert asked.memo.held <= 100_000


def test_values_without_an_end_are_no_address_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the line breaks, what was told before is remembered, and counts."""
    monkeypatch.setattr(module, "_MOST_TEXT", 1000)
    page = "".join(f"Row: {n} d={'x' * 300}\n" for n in range(2))
    asked, phone = provider(rows(1, 4), page, rows(1, 2), page)
    asked.memo.begin()
    asked.memo.page_rows = 2
    phone.cut_at = 3
    with pytest.raises(TransportError):
        asked.column(URI, "d")
    phone.cut_at, phone.texts = 99, [page, rows(3, 4)]
    asked.memo.begin()
    with pytest.raises(NotRead, match="words"):
        asked.column(URI, "d")
    asked.memo.forget()
    phone.texts = [rows(1, 2), page, rows(1, 2)]
    asked.memo.begin()
    assert [len(value) for value in asked.column(URI, "d").values()] == [300, 300]


@pytest.mark.parametrize("text", ["Row: 0 _id=9\nRow: 1 _id=4\n", "Row: 0 _id=4\nRow: 1 _id=4\n"])
def test_numbers_that_do_not_rise_are_no_list(text: str) -> None:
    asked, _ = provider(text)
    with pytest.raises(NotRead, match="words"):
        asked.long_ids(URI)


@pytest.mark.parametrize("code", [134, 137, 139, 141, 143])
def test_of_a_program_that_the_phone_killed_nothing_is_taken_for_the_whole(code: int) -> None:
    """Short of memory, a phone ends it behind a whole line: the contacts behind it would be lost, and found equal."""
    asked, phone = provider(rows(1, 3), code=code)
    asked.memo.begin()
    for question in (asked.ids, asked.known_ids):
        with pytest.raises(TransportError) as caught:
            question(URI)
        assert caught.value.reason == "dropped"
    phone.texts, phone.code = ["Row: 0 _id=4\n"], 0
    assert asked.known_ids(URI) == [1, 2, 3, 4]


def test_a_page_for_which_the_line_does_not_last_is_asked_for_in_smaller_ones() -> None:
    memo = Memo()
    for _ in range(20):
        memo.page_ended(whole=False)
    assert 0 < memo.page_rows < 100
    for _ in range(20):
        memo.page_ended(whole=True)
    assert memo.page_rows == Memo().page_rows


def test_of_a_phone_that_was_away_for_long_nothing_is_remembered() -> None:
    """Somebody may have written a row anew, which its number does not tell."""
    now = [1000.0]
    memo = Memo(lambda: now[0])
    phone = cast(Transport, Answers(rows(1, 3)))
    asked = Provider(phone, memo=memo)
    memo.begin()
    assert asked.known_ids(URI) == [1, 2, 3]
    now[0] += 100
    again = Provider(phone, memo=memo)
    memo.begin()
    assert memo.held == 3
    now[0] += 1000
    # A long silence in the middle of an answer is none: nobody had the phone meanwhile.
    again.ids(URI)
    assert memo.held == 3
    now[0] += 1000
    later = Provider(phone, memo=memo)
    # What is asked before the reading goes on does not make it young again.
    later.ids(URI)
    memo.begin()
    assert memo.held == 0
