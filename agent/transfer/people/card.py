"""A contact as its rows, and what of them is compared. Plain values only.

Compared are all columns that mean something to a person. Left out is what Android works out by itself: a number's
international form, how a name sorts, the address in one piece where its parts are there; separators inside a number,
which every import screen sets anew; of a photo that there is one, as Android encodes it anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ITEM = "vnd.android.cursor.item/"
NAME, PHONE, EMAIL = ITEM + "name", ITEM + "phone_v2", ITEM + "email_v2"
COMPANY, PLACE, NOTE = ITEM + "organization", ITEM + "postal-address_v2", ITEM + "note"
GROUP, PHOTO = ITEM + "group_membership", ITEM + "photo"
DEFAULT = "is_super_primary"
LABEL = "label"
_ALL = range(1, 15)
_COLUMNS: dict[str, tuple[int, ...]] = {
    NAME: tuple(range(1, 10)),
    PHONE: (1, 2, 3),
    EMAIL: (1, 2, 3, 4),
    COMPANY: tuple(range(1, 10)),
    PLACE: tuple(range(1, 11)),
    NOTE: (1,),
    ITEM + "nickname": (1, 2, 3),
    ITEM + "website": (1, 2, 3),
    ITEM + "contact_event": (1, 2, 3),
    ITEM + "relation": (1, 2, 3),
    ITEM + "im": (1, 2, 3, 5, 6),
    ITEM + "sip_address": (1, 2, 3),
}
_SEPARATORS = re.compile("[\\s\u00a0().-]")
_PARTS = tuple(f"data{number}" for number in range(4, 11))

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a contact: its kind and its columns that hold something. `id` is the phone's own number of it."""

    mimetype: str
    values: dict[str, str]
    id: int = 0

    @classmethod
    def read(cls, mimetype: str, columns: dict[str, str], number: int) -> Row:
        """Of everything that was read, what belongs to a row of this kind."""
        wanted = [f"data{place}" for place in _COLUMNS.get(mimetype, _ALL)]
        kept = {column: columns[column] for column in wanted if columns.get(column)}
        if columns.get(DEFAULT) == "1":
            kept[DEFAULT] = "1"
        return cls(mimetype, kept, number)

    def key(self) -> Key:
        """What is compared."""
        values = dict(self.values)
        if self.mimetype == PHONE and "data1" in values:
            values["data1"] = _SEPARATORS.sub("", values["data1"])
        if self.mimetype == PLACE and "data1" in values:
            whole = values.pop("data1")
            if not any(part in values for part in _PARTS):
                values["data4"] = whole
        return self.mimetype, tuple(sorted(values.items()))

    def kind(self) -> str:
        """The kind in one word, for a list of differences."""
        return re.sub(r"[^a-z0-9_]", "_", self.mimetype.removeprefix(ITEM).lower())[:30]


@dataclass
class Card:
    """One contact; `number` is its place in the old phone's list, or the new phone's own number of it."""

    number: int
    rows: list[Row] = field(default_factory=list)
    starred: bool = False
    photo: bool = False
    source: str = ""

    def keys(self) -> Counter[Key]:
        """The rows that are compared, each as often as it is there."""
        return Counter(row.key() for row in self.rows)

    def digest(self) -> str:
        """The same for two contacts that are equal in all that is compared."""
        text = json.dumps([sorted(self.keys().items()), self.starred, self.photo], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def first(self, mimetype: str) -> dict[str, str]:
        """The columns of its first row of a kind; empty without one."""
        return next((row.values for row in self.rows if row.mimetype == mimetype), {})

    def to_json(self) -> dict[str, Any]:
        """For the encrypted copy."""
        rows = [[row.mimetype, row.values] for row in self.rows]
        return {"number": self.number, "rows": rows, "starred": self.starred, "photo": self.photo}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Card:
        """What `to_json` gave."""
        rows = [Row(mimetype, values) for mimetype, values in body["rows"]]
        return cls(body["number"], rows, body["starred"], body["photo"])
