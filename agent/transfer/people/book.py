"""Reads a phone's whole address book."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from agent.transfer.people.card import DEFAULT, GROUP, LABEL, PHOTO, Card, Row
from agent.transfer.people.provider import CONTACTS, NotRead, Provider

RAW, DATA, GROUPS = f"{CONTACTS}/raw_contacts", f"{CONTACTS}/data", f"{CONTACTS}/groups"
_LIVE = "deleted=0"
_LOOKS = 3
_COLUMNS = [f"data{number}" for number in range(1, 15)]


@dataclass
class Book:
    """`cards` by the phone's own numbers; `groups` maps a group's label to its number.

    A label is the title, and for the second and further groups of one title its place among them behind a mark that no
    title holds.
    """

    cards: dict[int, Card] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    linked: dict[int, int] = field(default_factory=dict)
    """The number of the contact that shows a card, by the card's."""


def read_book(provider: Provider) -> Book:
    """All contacts that are not deleted; one that was broken off goes on by the provider's memo.

    Raise `NotRead`, `TransportError`.
    """
    try:
        for _ in range(_LOOKS):
            provider.memo.begin()
            raws, rows = provider.known_ids(RAW, _LIVE), provider.known_ids(DATA)
            book = _read(provider, raws)
            unchanged = provider.long_ids(RAW, _LIVE) == raws and provider.long_ids(DATA) == rows
            provider.memo.forget()
            if unchanged:
                return book
    except NotRead:
        provider.memo.forget()
        raise
    raise NotRead("changing")


def _read(provider: Provider, raws: list[int]) -> Book:
    book = Book(groups=read_groups(provider))
    starred = set(provider.known_ids(RAW, f"{_LIVE} AND starred=1"))
    sources = provider.column(RAW, "sourceid", _LIVE)
    linked = provider.column(RAW, "contact_id", _LIVE)
    for raw in raws:
        book.cards[raw] = Card(raw, starred=raw in starred, source=sources.get(raw, ""))
        book.linked[raw] = int(linked[raw]) if linked.get(raw, "").isdigit() else raw
    labels = {number: label for label, number in book.groups.items()}
    kinds = provider.column(DATA, "mimetype")
    owners = provider.column(DATA, "raw_contact_id")
    columns = {column: provider.column(DATA, column) for column in _COLUMNS}
    columns[DEFAULT] = dict.fromkeys(provider.known_ids(DATA, f"{DEFAULT}=1"), "1")
    for number, mimetype in kinds.items():
        card = book.cards.get(int(owners[number])) if number in owners else None
        values = {column: found[number] for column, found in columns.items() if number in found}
        if card is not None:
            _add(card, mimetype, values, number, labels)
    return book


def _add(card: Card, mimetype: str, values: dict[str, str], number: int, labels: dict[int, str]) -> None:
    if mimetype == PHOTO:
        card.photo = True
    elif mimetype == GROUP:
        # A group that was deleted holds nobody.
        group = values.get("data1", "")
        if group.isdigit() and int(group) in labels:
            card.rows.append(Row(GROUP, {LABEL: labels[int(group)]}, number))
    else:
        row = Row.read(mimetype, values, number)
        if row.values:
            card.rows.append(row)


def read_groups(provider: Provider) -> dict[str, int]:
    """The groups' numbers by label. Raise `NotRead`, `TransportError`."""
    titles = provider.column(GROUPS, "title", _LIVE)
    seen: Counter[str] = Counter()
    found: dict[str, int] = {}
    for number, title in sorted(titles.items()):
        found[label_of(title, seen[title])] = number
        seen[title] += 1
    return found


def label_of(title: str, place: int) -> str:
    """A group's label; `place` counts the groups of this title before it."""
    return f"{title}\0{place}" if place else title


def title_of(label: str) -> str:
    """The title in a label."""
    return label.partition("\0")[0]
