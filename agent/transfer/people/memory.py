"""What a phone told before its line broke, so that it is not asked for it again.

A reading of a large address book is several megabytes; a cable with a loose contact hardly brings two at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.clock import Steady, steady

PAGE_ROWS = 2000
_LEAST_ROWS = 50
_AWAY_S = 120.0
Question = tuple[str, ...]


@dataclass
class Memo:
    """Of one phone. It remembers from `begin` on, over any number of cuts, until `forget`: what is written to the phone
    afterwards is to be seen.

    What is remembered may be out of date when the reading ends. Rows that came or went the reading finds out: it asks
    for their numbers at its end once more, and a number of a contact's or a call's is never given twice. A row that
    somebody wrote anew it does not, so that nothing is remembered of a phone that was away for long.
    """

    clock: Steady = steady
    lists: dict[Question, list[int]] = field(default_factory=dict)
    """Row numbers, each list whole."""
    broken: dict[Question, list[int]] = field(default_factory=dict)
    """The beginnings of lists that were broken off."""
    values: dict[Question, dict[int, str]] = field(default_factory=dict)
    """A column's values by row, those that were told so far."""
    text: int = 0
    """How many characters were told as values."""
    greatest: dict[str, int] = field(default_factory=dict)
    """The greatest row number that was ever seen of a provider. Never forgotten."""
    page_rows: int = PAGE_ROWS
    reading: bool = False
    _told_at: float = 0.0

    def taken_in_hand(self) -> None:
        """Before the phone is asked anything: one that was away for long is asked for all."""
        if self.clock() - self._told_at > _AWAY_S:
            self.forget()
        self.heard()

    def begin(self) -> None:
        """A reading begins, or goes on where it was broken off."""
        if not self.reading:
            self.forget()
        self.reading = True

    def forget(self) -> None:
        self.reading, self.text = False, 0
        for told in (self.lists, self.broken, self.values):
            told.clear()

    @property
    def held(self) -> int:
        """How many numbers and values it holds of a reading that is not over: more than before a cut is progress."""
        told: list[dict[Question, Any]] = [self.lists, self.broken, self.values]
        return sum(len(found) for kind in told for found in kind.values())

    def heard(self) -> None:
        """The phone answers: it is at hand."""
        self._told_at = self.clock()

    def once(self, question: Question, ask: Callable[[], list[int]]) -> list[int]:
        """A list that is asked for once in a reading."""
        if not self.reading:
            return ask()
        if question not in self.lists:
            self.lists[question] = ask()
        return self.lists[question]

    def column(self, question: Question) -> dict[int, str]:
        """Where the values of a column are gathered."""
        return self.values.setdefault(question, {}) if self.reading else {}

    def seen(self, uri: str, numbers: list[int]) -> None:
        """Rows of a provider, in rising order."""
        if numbers:
            self.greatest[uri] = max(numbers[-1], self.greatest.get(uri, 0))

    def page_ended(self, *, whole: bool) -> None:
        """Where the line did not last for a page of rows the next page is smaller; each question takes a phone long."""
        wanted = self.page_rows * 2 if whole else self.page_rows // 2
        self.page_rows = min(PAGE_ROWS, max(_LEAST_ROWS, wanted))
