"""Brings the contacts into the new phone: by its import screen where they are many, row by row what that left out.

A second run, after a cut at any place, finds what is there: contacts that were made row by row carry a mark of their
own, and those that were imported are known by what they hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.clock import Steady
from agent.errors import TransportError
from agent.transfer.parts import PartProgress, PartStore
from agent.transfer.people.batches import Writer
from agent.transfer.people.book import DATA, GROUPS, RAW, Book, label_of, read_book, read_groups, title_of
from agent.transfer.people.card import DEFAULT, GROUP, LABEL, Card, Row
from agent.transfer.people.gains import Gains
from agent.transfer.people.importing import Cards, Import, settled
from agent.transfer.people.keep import get, put
from agent.transfer.people.match import Fill, Matched, fill, match, source_of
from agent.transfer.people.photos import WRITE_SINCE, photo_name, write_photo
from agent.transfer.people.provider import Provider, insert, longest, update

INSERT_ROWS = 2000
IMPORT_FROM_ROWS = 400
"""With fewer rows than these to write, nobody is asked to tap: they take some minutes."""
TAP_WAIT_S = 600.0
_IMPORT, _CARDS = "contacts.import", "contacts.cards"
_LISTED = 200


@dataclass
class Delivery:
    """One run. `note` says afterwards why something was left undone, None where nothing was."""

    provider: Provider
    store: PartStore
    cards: Sequence[Card]
    token: str
    limits: Mapping[str, Any]
    progress: PartProgress
    gains: Gains
    clock: Steady
    sleep: Callable[[float], None]
    note: str | None = None
    sdk: int = 0
    writer: Writer = field(init=False)

    def run(self, before_name: str) -> int:
        """How many of the contacts are on the new phone now, whole or not. Raise `NotRead`, `TransportError`."""
        left = int(self.limits.get("insert_rows", INSERT_ROWS))
        self.sdk = self.provider.sdk()
        self.writer = Writer(self.provider.transport, longest(self.sdk), left, self.progress)
        screen = Import(self.provider, self.token, self._tap_wait_s(), self.gains, self.clock, self.sleep)
        screen.clean(self._unopened())
        try:
            return self._run(screen, before_name)
        except TransportError:
            raise
        except BaseException:
            # The file holds everybody's number.
            screen.clean()
            raise

    def _run(self, screen: Import, before_name: str) -> int:
        if self.store.has(before_name):
            settled(self.provider, self.clock, self.sleep)
        book = read_book(self.provider)
        if not self.store.has(before_name):
            put(self.store, before_name, sorted(book.cards))
        before = set(get(self.store, before_name))
        matched = self._matched(book, before)
        groups = self._groups(book, matched)
        if self._rows_of(matched.missing) > int(self.limits.get("import_from_rows", IMPORT_FROM_ROWS)):
            self._import(screen, matched, groups)
            book = read_book(self.provider)
            matched = self._matched(book, before)
        else:
            screen.clean()
        made = self._make(matched)
        self._fill(book, matched, made, groups)
        self.note = self.writer.refused or self.note or ("over_limit" if self.writer.over_limit else None)
        return len(matched.same) + len(matched.partly) + len(made)

    def _matched(self, book: Book, before: set[int]) -> Matched:
        matched = match(self.cards, book.cards, before, self.token)
        self.gains.same = len(matched.same)
        return matched

    def _tap_wait_s(self) -> float:
        return float(self.limits.get("tap_wait_s", TAP_WAIT_S))

    def _rows_of(self, numbers: Sequence[int]) -> int:
        return sum(1 + len(self.cards[number].rows) for number in numbers)

    def _groups(self, book: Book, matched: Matched) -> dict[str, int]:
        """The new phone's groups, those made that the contacts to come are in."""
        wanted = {
            row.values[LABEL]
            for number in (*matched.missing, *matched.partly)
            for row in self.cards[number].rows
            if row.mimetype == GROUP
        }
        # The second group of a title is the second only where there is a first.
        wanted |= {label_of(title_of(label), n) for label in wanted for n in range(_place(label))}
        missing = sorted(wanted - set(book.groups), key=_place)
        if missing:
            commands = [insert(GROUPS, {"title": title_of(label), "group_visible": 1}) for label in missing]
            self.writer.run(commands)
            return read_groups(self.provider)
        return book.groups

    def _import(self, screen: Import, matched: Matched, groups: Mapping[str, int]) -> None:
        cards = self._cards(matched, groups)
        self.note = screen.run(cards, self.progress, self._opening)

    def _cards(self, matched: Matched, groups: Mapping[str, int]) -> Cards:
        """The vCard file of what is missing: that of a former run goes on where it was cut, unless it was opened."""
        wanted = [list(matched.missing), sorted(map(list, groups.items()))]
        last = get(self.store, _IMPORT)
        if last is None or last["opened"] or last["wanted"] != wanted:
            number = 0 if last is None else last["number"] + 1
            self.store.write(_CARDS, (self._card(self.cards[place], groups) for place in matched.missing))
            size = sum(map(len, self.store.read(_CARDS)))
            last = {"number": number, "wanted": wanted, "size": size, "opened": False}
            put(self.store, _IMPORT, last)
        return Cards(last["number"], self._cards_from, last["size"], len(matched.missing))

    def _cards_from(self, start: int) -> Iterator[bytes]:
        for chunk in self.store.read(_CARDS):
            if start < len(chunk):
                yield chunk[start:]
            start = max(0, start - len(chunk))

    def _opening(self) -> None:
        """From now on somebody may tap: this file is never sent again."""
        put(self.store, _IMPORT, {**get(self.store, _IMPORT), "opened": True})

    def _unopened(self) -> int | None:
        last = get(self.store, _IMPORT)
        return None if last is None or last["opened"] else last["number"]

    def _card(self, card: Card, groups: Mapping[str, int]) -> bytes:
        # The library of vCards takes 10 MB: an agent that moves nobody's contacts does without.
        from agent.transfer.people.vcard import vcard

        return vcard(card, groups, self._photo(card.number))

    def _photo(self, number: int) -> bytes | None:
        name = photo_name(number)
        return b"".join(self.store.read(name)) if self.store.has(name) else None

    def _make(self, matched: Matched) -> dict[int, int]:
        """Empty contacts, as many as can be filled within the limit; by place, their numbers on the new phone."""
        chosen, left = [], self.writer.left
        for place in matched.missing:
            left -= self._rows_of([place])
            if left < 0:
                self.note = self.note or "over_limit"
                break
            chosen.append(place)
        if not chosen:
            return {}
        self.writer.run([insert(RAW, {"sourceid": source_of(self.token, place)}) for place in chosen])
        made = {source: number for number, source in self.provider.column(RAW, "sourceid").items()}
        sources = {place: source_of(self.token, place) for place in chosen}
        found = {place: made[source] for place, source in sources.items() if source in made}
        if len(found) < len(chosen) and self.writer.refused is None:
            self.note = self.note or "insert_ignored"
        return found

    def _fill(self, book: Book, matched: Matched, made: Mapping[int, int], groups: Mapping[str, int]) -> None:
        lacks = {n: (raw, fill(self.cards[n], book.cards[raw])) for n, raw in matched.partly.items()}
        lacks |= {n: (raw, fill(self.cards[n], Card(raw))) for n, raw in made.items()}
        commands = [command for raw, lack in lacks.values() for command in _inserts(raw, lack, groups)]
        commands += _updates([lack for _, lack in lacks.values()], groups)
        commands += _in_lists(RAW, [raw for raw, lack in lacks.values() if lack.star], {"starred": 1})
        self.writer.run(commands, self.writer.done + len(commands))
        self._photos({number: raw for number, (raw, lack) in lacks.items() if lack.photo})

    def _photos(self, lacking: Mapping[int, int]) -> None:
        """One command each: nothing else takes a picture."""
        for number, raw in lacking.items():
            photo = self._photo(number)
            if photo is None:
                continue
            refused = (
                write_photo(self.provider.transport, raw, photo) if self.sdk >= WRITE_SINCE else "too_old"
            )
            self.writer.left -= 1
            if refused is not None or self.writer.left < 0:
                self.note = self.note or ("photo_not_taken" if refused else "over_limit")
                return
            self.progress(self.writer.done, None)


def _inserts(raw: int, lack: Fill, groups: Mapping[str, int]) -> Iterator[str]:
    for row in lack.add:
        values = _values(row, groups)
        if values:
            yield insert(DATA, {"raw_contact_id": raw, "mimetype": row.mimetype, **values})


def _updates(lacks: Sequence[Fill], groups: Mapping[str, int]) -> Iterator[str]:
    """One command for all rows that want the same: an import loses the same mark of a thousand numbers."""
    alike: dict[tuple[tuple[str, str | int], ...], list[int]] = defaultdict(list)
    for lack in lacks:
        for there, wanted in lack.change:
            values = _changed(there, wanted, groups)
            if values:
                alike[tuple(sorted(values.items()))].append(there.id)
    for binds, numbers in alike.items():
        yield from _in_lists(DATA, numbers, dict(binds))


def _in_lists(uri: str, numbers: Sequence[int], values: Mapping[str, str | int]) -> Iterator[str]:
    for at in range(0, len(numbers), _LISTED):
        some = ",".join(map(str, numbers[at : at + _LISTED]))
        yield update(uri, f"_id IN ({some})", values)


def _changed(there: Row, wanted: Row, groups: Mapping[str, int]) -> dict[str, str | int]:
    """Only the columns that differ; those that shall hold nothing are emptied."""
    values = _values(wanted, groups)
    if not values:
        return {}
    cleared: dict[str, str | int] = {
        name: 0 if name == DEFAULT else "" for name in there.values if name != LABEL
    }
    return {
        name: value
        for name, value in (cleared | values).items()
        if there.values.get(name, "") != str(value) or name not in wanted.values
    }


def _values(row: Row, groups: Mapping[str, int]) -> dict[str, str | int]:
    """What is bound; nothing for a group that could not be made."""
    if row.mimetype == GROUP:
        label = row.values[LABEL]
        return {"data1": groups[label]} if label in groups else {}
    return {name: 1 if name == DEFAULT else value for name, value in row.values.items()}


def _place(label: str) -> int:
    return int(label.partition("\0")[2] or 0)
