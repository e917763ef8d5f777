"""The content providers behind `content`: contacts, calls, messages, and the media provider over the phone's files."""

from __future__ import annotations

import mimetypes
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.simulator.people import PHOTO, ProviderLie, people_of
from agent.simulator.state import PhoneState

_URI = re.compile(r"content://([\w.]+)(?:/(.*))?")
_STORAGE = "/storage/emulated/0"
_SECURITY = "java.lang.SecurityException"
_ARGUMENT = "java.lang.IllegalArgumentException"
_FILE = "java.io.FileNotFoundException"
# Path below the authority -> table, and which row or rows of it.
_TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "com.android.contacts": {
        "raw_contacts": ("raw_contacts", ""),
        "data": ("data", ""),
        "groups": ("groups", ""),
    },
    "call_log": {"calls": ("calls", "")},
    "sms": {"": ("sms", ""), "inbox": ("sms", "type = 1"), "sent": ("sms", "type = 2")},
    "mms": {"": ("mms", "")},
}
_NEEDS = {
    "com.android.contacts": ("contacts", "android.permission.READ_CONTACTS"),
    "call_log": ("calls", "android.permission.READ_CALL_LOG"),
    "sms": ("messages", "android.permission.READ_SMS"),
    "mms": ("messages", "android.permission.READ_SMS"),
}
_MEDIA_COLUMNS = ("_id", "_data", "_display_name", "_size", "date_modified", "mime_type")


class ProviderError(Exception):
    """What a provider throws; `kind` is the Java class."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True)
class Rows:
    columns: list[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class _Place:
    authority: str
    table: str
    where: str


def query(phone: PhoneState, uri: str, columns: list[str], where: str, sort: str) -> Rows:
    """Raise `ProviderError`, sqlite3.Error."""
    if uri.startswith("content://media/"):
        return _select(_media(phone), _Place("media", "files", ""), columns, where, sort)
    place = _place(phone, uri)
    return _select(people_of(phone).db, place, columns, where, sort)


def _select(db: sqlite3.Connection, place: _Place, columns: list[str], where: str, sort: str) -> Rows:
    known = _columns(db, place.table)
    for column in columns:
        if column not in known:
            raise ProviderError(_ARGUMENT, f"Invalid column {column}")
    condition = " and ".join(f"({part})" for part in (place.where, where) if part) or "1"
    order = f" order by {sort}" if sort else ""
    shown = columns or known
    rows = db.execute(f"select {', '.join(shown)} from {place.table} where {condition}{order}").fetchall()  # noqa: S608
    return Rows(shown, rows)


def insert(phone: PhoneState, uri: str, values: Mapping[str, object]) -> None:
    """Raise `ProviderError`, sqlite3.Error."""
    place = _place(phone, uri, writing=True)
    if _ignores(phone, place):
        return
    db = people_of(phone).db
    raw = values.get("raw_contact_id")
    if place.table == "data":
        if not db.execute("select 1 from raw_contacts where _id = ?", (raw,)).fetchone():
            raise ProviderError(_ARGUMENT, "raw_contact_id is required")
        if "mimetype" not in values:
            raise ProviderError(_ARGUMENT, "mimetype is required")
        values = {**values, "contact_id": raw}
    row = _put(db, place.table, values)
    if place.table == "raw_contacts":
        db.execute("update raw_contacts set contact_id = _id where _id = ?", (row,))


def _put(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> int | None:
    _check(db, table, values)
    marks = ", ".join("?" * len(values))
    sql = f"insert into {table} ({', '.join(values)}) values ({marks})"  # noqa: S608 - columns are checked
    return db.execute(sql, tuple(values.values())).lastrowid


def update(phone: PhoneState, uri: str, values: Mapping[str, object], where: str) -> None:
    """Raise `ProviderError`, sqlite3.Error."""
    place = _place(phone, uri, writing=True)
    if _ignores(phone, place):
        return
    db = people_of(phone).db
    _check(db, place.table, values)
    condition = " and ".join(f"({part})" for part in (place.where, where) if part) or "1"
    pairs = ", ".join(f"{column} = ?" for column in values)
    sql = f"update {place.table} set {pairs} where {condition}"  # noqa: S608 - columns are checked
    db.execute(sql, tuple(values.values()))


def delete(phone: PhoneState, uri: str, where: str) -> None:
    """Raise `ProviderError`, sqlite3.Error."""
    place = _place(phone, uri, writing=True)
    if _ignores(phone, place):
        return
    db = people_of(phone).db
    condition = " and ".join(f"({part})" for part in (place.where, where) if part) or "1"
    db.execute(f"delete from {place.table} where {condition}")  # noqa: S608 - shell's own where, as on Android
    db.execute("delete from data where raw_contact_id not in (select _id from raw_contacts)")


def read(phone: PhoneState, uri: str) -> bytes:
    """A contact's photo. Raise `ProviderError`."""
    _place(phone, "content://com.android.contacts/data")
    row = people_of(phone).db.execute(_PHOTO, (_photo_of(uri),)).fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise ProviderError(_FILE, f"No photo file found for URI: {uri}")
    return row[0]


def write(phone: PhoneState, uri: str, data: bytes) -> None:
    """Put a photo in place of a contact's. Raise `ProviderError`."""
    raw = _photo_of(uri)
    place = _place(phone, "content://com.android.contacts/data", writing=True)
    if _ignores(phone, place):
        return
    db = people_of(phone).db
    if (
        not data.startswith(b"\xff\xd8")
        or not db.execute("select 1 from raw_contacts where _id = ?", (raw,)).fetchone()
    ):
        raise ProviderError(_FILE, uri)
    db.execute("delete from data where raw_contact_id = ? and mimetype = ?", (raw, PHOTO))
    values = {"raw_contact_id": raw, "contact_id": raw, "mimetype": PHOTO, "data14": raw, "data15": data}
    _put(db, "data", values)


_PHOTO = f"select data15 from data where raw_contact_id = ? and mimetype = '{PHOTO}'"  # noqa: S608


def _photo_of(uri: str) -> int:
    found = re.fullmatch(
        r"content://com\.android\.contacts/(?:raw_contacts/(\d+)/display_photo|contacts/(\d+)/photo)", uri
    )
    if found is None:
        raise ProviderError(_FILE, f"No files supported by provider at {uri}")
    return int(found[1] or found[2])


def _place(phone: PhoneState, uri: str, *, writing: bool = False) -> _Place:
    found = _URI.fullmatch(uri)
    authority, path = (found[1], (found[2] or "").rstrip("/")) if found else ("", "")
    if authority not in _TABLES:
        raise ProviderError("java.lang.IllegalStateException", f"Could not find provider: {authority}")
    owner, permission = _NEEDS[authority]
    if getattr(phone, owner) is None or (writing and ProviderLie.WRITE_DENIED in phone.provider_lies):
        raise ProviderError(
            _SECURITY,
            f"Permission Denial: opening provider {authority} from (null) (pid=4711, uid=2000) requires "
            + (permission.replace("READ_", "WRITE_") if writing else permission),
        )
    head, _, tail = path.rpartition("/")
    known = _TABLES[authority]
    if path in known:
        return _Place(authority, *known[path])
    if tail.isdigit() and head in known:
        return _Place(authority, known[head][0], f"_id = {tail}")
    raise ProviderError(_ARGUMENT, f"Unknown URI {uri}")


def _ignores(phone: PhoneState, place: _Place) -> bool:
    """Android takes messages of the default SMS app only, and tells nobody else; other providers lie by fault."""
    lies = phone.provider_lies
    if place.authority in ("sms", "mms"):
        return ProviderLie.SMS_TAKEN not in lies
    lie = ProviderLie.CALLS_IGNORED if place.authority == "call_log" else ProviderLie.CONTACTS_IGNORED
    return lie in lies


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"pragma table_info({table})")]


def _check(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    for column in values:
        if column not in _columns(db, table):
            raise ProviderError("android.database.sqlite.SQLiteException", f"no such column: {column}")


def _media(phone: PhoneState) -> sqlite3.Connection:
    """The media provider's table, made anew from the files that lie there."""
    db = sqlite3.connect(":memory:")
    db.execute(f"create table files ({', '.join(_MEDIA_COLUMNS)})")
    marks = ", ".join("?" * len(_MEDIA_COLUMNS))
    db.executemany(f"insert into files values ({marks})", _files(phone))  # noqa: S608 - marks only
    return db


def _files(phone: PhoneState) -> Iterator[tuple[object, ...]]:
    if phone.tree is None:
        return
    top = phone.tree.real(_STORAGE)
    for folder, _, names in os.walk(top):
        for name in sorted(names):
            path = os.path.join(folder, name)  # noqa: PTH118 - names may be no UTF-8
            found = os.lstat(path)
            shown = _STORAGE + path[len(str(top)) :]
            kind = mimetypes.guess_type(name)[0]
            yield found.st_ino, shown, name, found.st_size, int(found.st_mtime), kind
