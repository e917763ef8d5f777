"""The import screen of a simulated phone: a vCard file becomes contacts once somebody has tapped.

It takes what AOSP's importer takes (also any kind of row as `X-ANDROID-CUSTOM`), and drops what that drops: stars,
default numbers, kinds of numbers that have no vCard word, separators in numbers.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from typing import TYPE_CHECKING, Any

from agent.simulator.files import FileError
from agent.simulator.people import PHOTO, CardImport, People, ProviderLie

if TYPE_CHECKING:
    from agent.simulator.state import PhoneState

_ITEM = "vnd.android.cursor.item/"
_PHONES = {"HOME": 1, "CELL": 2, "WORK": 3, "PAGER": 6, "OTHER": 7, "VOICE": 7, "CAR": 9, "ISDN": 11}
_PLACES = {"HOME": 1, "WORK": 2}
_SEPARATORS = re.compile(r"[^0-9+*#,;A-Za-z]")
_SHORT = 100
_CARDS = re.compile(r"BEGIN:VCARD\r?\n(.*?)END:VCARD", re.DOTALL)


def tap(phone: PhoneState) -> int:
    """Somebody taps "import" for every file that waits; how many there were."""
    people = phone.people
    waiting = [item for item in people.imports if item.cards is None] if people is not None else []
    for item in waiting:
        item.cards = _cards_of(phone, item)
        item.begun_at = phone.clock()
    go_on(phone)
    return len(waiting)


def go_on(phone: PhoneState) -> None:
    """Import as many cards as the time since the tap allows; all at once without a rate."""
    people = phone.people
    for item in people.imports if people is not None else ():
        if people is not None and item.cards is not None:
            spent = (phone.clock() - item.begun_at) * phone.import_per_s
            due = len(item.cards) if phone.import_per_s <= 0 else min(len(item.cards), int(spent))
            _take(people, item.cards[item.done : due], set(phone.provider_lies))
            item.done = max(item.done, due)


def _cards_of(phone: PhoneState, item: CardImport) -> list[str]:
    """The file's cards, read when it is tapped: one that was deleted by then imports nothing."""
    try:
        text = phone.tree.real(item.path).read_text("utf-8") if phone.tree is not None else ""
    except (OSError, FileError):
        return []
    cards = _CARDS.findall(text)
    if ProviderLie.IMPORT_NEVER in phone.provider_lies:
        return []
    return cards[: len(cards) // 2] if ProviderLie.IMPORT_HALF in phone.provider_lies else cards


def cards_rows(text: str) -> list[list[tuple[str, dict[int, Any]]]]:
    """(mimetype, data columns) of each card of a file."""
    return [_rows(card, set()) for card in _CARDS.findall(text)]


def _take(people: People, cards: list[str], lies: set[str]) -> None:
    for card in cards:
        people.db.execute("begin")
        raw = people.db.execute("insert into raw_contacts (version) values (1)").lastrowid
        people.db.execute("update raw_contacts set contact_id = ? where _id = ?", (raw, raw))
        for mimetype, values in _rows(card, lies):
            _insert(people.db, raw, mimetype, values)
        people.db.execute("commit")


def _insert(db: sqlite3.Connection, raw: int | None, mimetype: str, values: dict[int, Any]) -> None:
    kept = {number: value for number, value in values.items() if value not in ("", None)}
    if not kept:
        return
    columns = ["raw_contact_id", "contact_id", "mimetype", *(f"data{number}" for number in kept)]
    marks = ", ".join("?" * len(columns))
    db.execute(
        f"insert into data ({', '.join(columns)}) values ({marks})",  # noqa: S608 - columns are data1 to data15
        (raw, raw, mimetype, *kept.values()),
    )


def _rows(card: str, lies: set[str]) -> list[tuple[str, dict[int, Any]]]:
    """(mimetype, data columns) of one card."""
    rows: list[tuple[str, dict[int, Any]]] = []
    name: dict[int, Any] = {}
    company: dict[int, Any] = {}
    for prop, kinds, value in _properties(card):
        parts = [_plain(part) for part in _split(value)]
        if prop == "N":
            name |= dict(zip((3, 2, 5, 4, 6), parts, strict=False))
        elif prop == "FN":
            name[1] = _plain(value)
        elif prop in _PHONETIC:
            name[_PHONETIC[prop]] = _plain(value)
        elif prop == "ORG":
            company |= {1: parts[0], 2: 1, 5: " ".join(parts[1:])}
        elif prop == "TITLE":
            company |= {4: _plain(value), 2: 1}
        else:
            rows += _row(prop, kinds, value, parts, lies)
    if name:
        rows.insert(0, (_ITEM + "name", name))
    return [*rows, (_ITEM + "organization", company)] if company else rows


_PHONETIC = {"X-PHONETIC-FIRST-NAME": 7, "X-PHONETIC-MIDDLE-NAME": 8, "X-PHONETIC-LAST-NAME": 9}


def _row(
    prop: str, kinds: list[str], value: str, parts: list[str], lies: set[str]
) -> list[tuple[str, dict[int, Any]]]:
    if prop == "TEL":
        return [(_ITEM + "phone_v2", {1: _SEPARATORS.sub("", _plain(value)), **_kind(kinds, _PHONES, 7)})]
    if prop == "EMAIL":
        return [(_ITEM + "email_v2", {1: _plain(value), **_kind(kinds, _PLACES, 3)})]
    if prop == "ADR":
        keep = dict(zip((5, 6, 4, 7, 8, 9, 10), parts, strict=False))
        whole = " ".join(part for part in (keep.get(n) for n in (5, 6, 4, 7, 8, 9, 10)) if part)
        return [(_ITEM + "postal-address_v2", {1: whole, **_kind(kinds, _PLACES, 3), **keep})]
    if prop == "PHOTO" and ProviderLie.IMPORT_NO_PHOTOS not in lies:
        return [(PHOTO, {15: base64.b64decode(value), 14: 1})]
    if prop == "X-ANDROID-CUSTOM" and ProviderLie.IMPORT_NO_CUSTOM not in lies:
        return [(parts[0], {number: part for number, part in enumerate(parts[1:], 1) if part})]
    if prop == "NOTE":
        text = _plain(value)
        return [(_ITEM + "note", {1: text[:_SHORT] if ProviderLie.IMPORT_SHORT_NOTES in lies else text})]
    return []


def _kind(kinds: list[str], known: dict[str, int], other: int) -> dict[int, Any]:
    custom = next((kind[2:] for kind in kinds if kind.upper().startswith("X-")), None)
    if custom is not None:
        return {2: 0, 3: custom}
    if "FAX" in kinds:
        return {2: 4 if "WORK" in kinds else 5 if "HOME" in kinds else 13}
    return {2: next((known[kind] for kind in kinds if kind in known), other)}


def _properties(card: str) -> list[tuple[str, list[str], str]]:
    """(name, values of TYPE, raw value) of each line, folded lines joined."""
    found = []
    for line in re.sub(r"\r?\n[ \t]", "", card).split("\n"):
        head, colon, value = line.removesuffix("\r").partition(":")
        if colon:
            name, *rest = head.split(";")
            kinds = [kind for item in rest for kind in item.rpartition("=")[2].split(",")]
            found.append((name.upper(), [k if k.startswith("X-") else k.upper() for k in kinds], value))
    return found


def _split(value: str) -> list[str]:
    """At each semicolon that no backslash hides."""
    return [part.replace("\0", "\\\\") for part in re.split(r"(?<!\\);", value.replace("\\\\", "\0"))]


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value)
