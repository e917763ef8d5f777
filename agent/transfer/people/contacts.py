"""The part `contacts`: the whole address book, with groups, stars, default numbers and photos."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.clock import Steady
from agent.transfer.parts import PartCount, PartProgress, PartReport, PartStore
from agent.transfer.people.book import read_book
from agent.transfer.people.card import Card
from agent.transfer.people.delivery import Delivery
from agent.transfer.people.differences import contacts_report
from agent.transfer.people.gains import Gains
from agent.transfer.people.keep import get, get_lines, put, put_lines
from agent.transfer.people.match import match
from agent.transfer.people.memory import Memo
from agent.transfer.people.photos import read_photos
from agent.transfer.people.provider import NotRead, Provider
from agent.transport import Transport

ROWS, COLLECTED, BEFORE, TOKEN, NOTE = (
    f"contacts.{name}" for name in ("rows", "collected", "before", "token", "note")
)


@dataclass
class Contacts:
    """`limits`: `insert_rows` (how many rows may be written one by one), `tap_wait_s`."""

    limits: Mapping[str, Any]
    clock: Steady
    sleep: Callable[[float], None]
    name: str = "contacts"
    _old: Memo = field(init=False)
    _new: Memo = field(init=False)
    _gains: Gains = field(default_factory=Gains)

    def __post_init__(self) -> None:
        self._old, self._new = Memo(self.clock), Memo(self.clock)

    @property
    def held(self) -> tuple[int, ...]:
        """See `Part`."""
        gains = self._gains
        return self._old.held, self._new.held, gains.photos, gains.sent, gains.same

    def collect(self, old: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """See `Part`. What was read once whole is not read again."""
        told = get(store, COLLECTED)
        if told is not None and told["reason"] is None:
            return PartCount(told["found"], None)
        try:
            if not store.has(ROWS):
                book = read_book(Provider(old, lambda: progress(0, None), self._old))
                put_lines(store, ROWS, _lines(book.cards, book.linked))
            found = read_photos(old, store, list(get_lines(store, ROWS)), self._gains, progress)
        except NotRead as exc:
            put(store, COLLECTED, {"found": None, "reason": exc.reason})
            return PartCount(None, None, exc.reason)
        put(store, COLLECTED, {"found": found, "reason": None})
        return PartCount(found, None)

    def deliver(self, new: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """See `Part`. What is there already, by us or by anybody, is not brought a second time."""
        told = get(store, COLLECTED)
        if told is None or told["reason"] is not None:
            return PartCount(None, None, "not_collected" if told is None else told["reason"])
        if not store.has(TOKEN):
            put(store, TOKEN, secrets.token_hex(4))
        provider = Provider(new, lambda: progress(0, told["found"]), self._new)
        cards, token = _cards(store), get(store, TOKEN)
        delivery = Delivery(
            provider, store, cards, token, self.limits, progress, self._gains, self.clock, self.sleep
        )
        try:
            moved = delivery.run(BEFORE)
        except NotRead as exc:
            put(store, NOTE, f"new_{exc.reason}")
            return PartCount(told["found"], None, f"new_{exc.reason}")
        put(store, NOTE, delivery.note)
        return PartCount(told["found"], moved, delivery.note)

    def verify(self, new: Transport, store: PartStore, progress: PartProgress) -> PartReport:
        """See `Part`. Equal is what is equal in all columns that are compared (`agent.transfer.people.card`)."""
        told = get(store, COLLECTED)
        if told is None or told["reason"] is not None:
            reason = "not_collected" if told is None else told["reason"]
            return PartReport(self.name, "not_offered", None, None, None, None, reason)
        try:
            book = read_book(Provider(new, lambda: progress(0, told["found"]), self._new))
        except NotRead as exc:
            return PartReport(self.name, "failed", told["found"], None, None, None, f"new_{exc.reason}")
        cards = _cards(store)
        before = set(get(store, BEFORE, list(book.cards)))
        matched = match(cards, book.cards, before, get(store, TOKEN, ""))
        return contacts_report(cards, book.cards, matched, get(store, NOTE))


def _lines(cards: Mapping[int, Card], linked: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    """Each contact by its place; its numbers on the old phone are kept to ask for its photo."""
    for place, (raw, card) in enumerate(sorted(cards.items())):
        yield {**card.to_json(), "number": place, "raw": raw, "contact": linked.get(raw, raw)}


def _cards(store: PartStore) -> list[Card]:
    return [Card.from_json(line) for line in get_lines(store, ROWS)]
