"""Which contact of the new phone is which of the old one. Plain values only.

Contacts that were on the new phone before are its own: they count where they are wholly equal, and are never changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from agent.transfer.people.card import COMPANY, EMAIL, NAME, PHONE, Card, Row

Words = tuple[str, ...]
Alike = Callable[[Card], object]


@dataclass
class Matched:
    """By the old contact's place: `same` is wholly equal, `partly` came by us and lacks something.

    `extra`: how many came since we began and are nobody of the old phone's.
    """

    same: dict[int, int] = field(default_factory=dict)
    partly: dict[int, int] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    extra: int = 0


def match(old: Iterable[Card], new: Mapping[int, Card], before: set[int], token: str) -> Matched:
    """Each contact of the new phone is used once. `before`: the numbers that were there before anything was done."""
    matched = Matched()
    by_source = {card.source: number for number, card in new.items() if card.source}
    free = dict(new)
    waiting: list[Card] = []
    for card in old:
        number = by_source.get(source_of(token, card.number))
        if number is None or number not in free:
            waiting.append(card)
            continue
        found = free.pop(number)
        (matched.same if found.digest() == card.digest() else matched.partly)[card.number] = number
    # Those that we brought first: an equal one of the phone's own then stays what it was, an extra one.
    waiting = _pair(waiting, {n: c for n, c in free.items() if n not in before}, free, _EQUAL, matched.same)
    waiting = _pair(waiting, {n: c for n, c in free.items() if n in before}, free, _EQUAL, matched.same)
    ours = {number: card for number, card in free.items() if number not in before}
    for alike in _ALIKE:
        waiting = _pair(waiting, ours, free, alike, matched.partly)
        ours = {number: card for number, card in ours.items() if number in free}
    matched.missing = [card.number for card in waiting]
    matched.extra = len(ours)
    return matched


def _pair(
    waiting: list[Card],
    candidates: Mapping[int, Card],
    free: dict[int, Card],
    alike: tuple[Alike, Alike],
    into: dict[int, int],
) -> list[Card]:
    """Pair those that are alike, in their order; the rest comes back. None is like nothing."""
    places: dict[object, list[int]] = defaultdict(list)
    for number in sorted(candidates, reverse=True):
        places[alike[1](candidates[number])].append(number)
    left = []
    for card in waiting:
        key = alike[0](card)
        if key is None or not places.get(key):
            left.append(card)
            continue
        number = places[key].pop()
        del free[number]
        into[card.number] = number
    return left


def source_of(token: str, number: int) -> str:
    """The mark that a contact of ours carries on the new phone, so that a second run finds it again."""
    return f"butler-{token}-{number}"


def _words(card: Card, mimetype: str) -> Words:
    return tuple(sorted(dict(row.key()[1]).get("data1", "") for row in card.rows if row.mimetype == mimetype))


def _name_and_all(card: Card) -> object:
    return _name(card), _words(card, PHONE), _words(card, EMAIL), _words(card, COMPANY)


def _name_and_phones(card: Card) -> object:
    phones = _words(card, PHONE)
    return (_name(card), phones) if phones else None


def _name(card: Card) -> object:
    return card.first(NAME).get("data1") or None


def _name_without_phone(card: Card) -> object:
    """Of the new phone's: an import that lost the numbers. Whoever has other numbers is somebody else."""
    return None if _words(card, PHONE) else _name(card)


_EQUAL: tuple[Alike, Alike] = (Card.digest, Card.digest)
# Of the old contact, of the new one; from what says most to what says least.
_ALIKE: tuple[tuple[Alike, Alike], ...] = (
    (_name_and_all, _name_and_all),
    (_name_and_phones, _name_and_phones),
    (_name, _name_without_phone),
)


@dataclass
class Fill:
    """What makes a contact of ours equal to the old one: rows to add, and to change (what is there, what shall be)."""

    add: list[Row] = field(default_factory=list)
    change: list[tuple[Row, Row]] = field(default_factory=list)
    star: bool = False
    photo: bool = False
    extra: list[Row] = field(default_factory=list)


def fill(old: Card, new: Card) -> Fill:
    """`extra` are rows that the new one has on top; nothing is taken away from anybody."""
    spare = list(new.rows)
    missing: list[Row] = []
    for row in old.rows:
        equal = next((other for other in spare if other.key() == row.key()), None)
        if equal is None:
            missing.append(row)
        else:
            spare.remove(equal)
    found = Fill(star=old.starred and not new.starred, photo=old.photo and not new.photo)
    for row in missing:
        near = [other for other in spare if other.mimetype == row.mimetype]
        if near:
            closest = max(near, key=lambda other: _shared(row, other))
            spare.remove(closest)
            found.change.append((closest, row))
        else:
            found.add.append(row)
    found.extra = spare
    return found


def _shared(one: Row, other: Row) -> int:
    return len(set(one.key()[1]) & set(other.key()[1]))
