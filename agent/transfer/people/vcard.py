"""A contact as a vCard 3.0, for the new phone's own import screen.

What vCard has no word for travels as `X-ANDROID-CUSTOM`, which AOSP's importer takes for any kind of row: nicknames,
days, kinship, and which groups one is in. An importer that knows none of it drops it; that shows when the new phone is
read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import vobject
from vobject.vcard import Address, Name, OrgBehavior

from agent.transfer.people.card import COMPANY, EMAIL, GROUP, ITEM, LABEL, NAME, NOTE, PHONE, PLACE, Card, Row

_PHONES = {
    "1": ["HOME"],
    "2": ["CELL"],
    "3": ["WORK"],
    "4": ["FAX", "WORK"],
    "5": ["FAX", "HOME"],
    "6": ["PAGER"],
}
_PLACES = {"1": ["HOME"], "2": ["WORK"]}
_PHONETIC = {
    "data7": "x-phonetic-first-name",
    "data8": "x-phonetic-middle-name",
    "data9": "x-phonetic-last-name",
}
_MARK = re.compile(r"[\w-]{1,40}")
_COLUMNS = [f"data{number}" for number in range(1, 15)]


def vcard(card: Card, groups: Mapping[str, int], photo: bytes | None) -> bytes:
    """One card, UTF-8 with CRLF. `groups` are the new phone's, by label; `photo` a JPEG or PNG."""
    body = vobject.vCard()
    _name(body, card)
    for row in card.rows:
        _add(body, row, groups)
    if photo is not None:
        line = body.add("photo")
        line.value = photo
        line.encoding_param = "b"
        line.type_param = "PNG" if photo.startswith(b"\x89PNG") else "JPEG"
    text: str = body.serialize(validate=False)
    return text.encode("utf-8", "replace")


def _name(body: vobject.base.Component, card: Card) -> None:
    name = card.first(NAME)
    keys = (
        ("family", "data3"),
        ("given", "data2"),
        ("additional", "data5"),
        ("prefix", "data4"),
        ("suffix", "data6"),
    )
    body.add("n").value = Name(**{key: name.get(column, "") for key, column in keys})
    body.add("fn").value = name.get("data1", "")
    for column, prop in _PHONETIC.items():
        if column in name:
            body.add(prop).value = name[column]


def _add(body: vobject.base.Component, row: Row, groups: Mapping[str, int]) -> None:
    values = row.values
    if row.mimetype == PHONE:
        _typed(body.add("tel"), values, _PHONES, ["VOICE"]).value = values.get("data1", "")
    elif row.mimetype == EMAIL:
        _typed(body.add("email"), values, _PLACES, ["INTERNET"]).value = values.get("data1", "")
    elif row.mimetype == PLACE:
        _typed(body.add("adr"), values, _PLACES, []).value = _address(values)
    elif row.mimetype == COMPANY:
        body.add("org").value = [values.get("data1", ""), *([values["data5"]] if "data5" in values else [])]
        if "data4" in values:
            body.add("title").value = values["data4"]
    elif row.mimetype == NOTE:
        body.add("note").value = values.get("data1", "")
    elif row.mimetype == GROUP:
        if values[LABEL] in groups:
            _custom(body, GROUP, [str(groups[values[LABEL]])])
    elif row.mimetype != NAME and row.mimetype.startswith(ITEM):
        _custom(body, row.mimetype, [values.get(column, "") for column in _COLUMNS])


def _typed(
    line: vobject.base.ContentLine,
    values: Mapping[str, str],
    known: Mapping[str, list[str]],
    other: list[str],
) -> vobject.base.ContentLine:
    kind, label = values.get("data2", ""), values.get("data3", "")
    types = known.get(kind, other)
    if kind == "0" and _MARK.fullmatch(label):
        types = [f"X-{label}"]
    if types:
        line.type_paramlist = types
    return line


def _address(values: Mapping[str, str]) -> Address:
    parts = any(f"data{number}" in values for number in range(4, 11))
    return Address(
        street=values.get("data4", "" if parts else values.get("data1", "")),
        box=values.get("data5", ""),
        extended=values.get("data6", ""),
        city=values.get("data7", ""),
        region=values.get("data8", ""),
        code=values.get("data9", ""),
        country=values.get("data10", ""),
    )


def _custom(body: vobject.base.Component, mimetype: str, values: list[str]) -> None:
    line = body.add("x-android-custom")
    # A list of values: the semicolons between them stay, those in them are hidden.
    line.behavior = OrgBehavior
    line.isNative = True
    line.value = [mimetype, *values]
