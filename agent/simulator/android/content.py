"""`content`: AOSP's front to content providers, over the phone's own tables.

Its words are those of AOSP's Content.java. Whatever a provider throws is printed on standard error, and the
program ends well: exit code 0 says nothing.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.simulator.android import provider_tables
from agent.simulator.android.provider_tables import ProviderError, Rows
from agent.simulator.output import Output, said
from agent.simulator.state import PhoneState

_USAGE = "usage: adb shell content [subcommand] [options]\n"
_WRITE_SINCE = 28
_READ_SINCE = 24
_LISTS = {"--bind": "binds"}
_VALUES = {
    "--uri": "uri",
    "--projection": "projection",
    "--where": "where",
    "--sort": "sort",
    "--method": "method",
    "--arg": "arg",
    "--user": "user",
}
_TYPES: dict[str, Callable[[str], object]] = {
    "s": str,
    "b": lambda text: int(text.lower() == "true"),
    "i": int,
    "l": int,
    "f": float,
    "d": float,
    "n": lambda _: None,
}


class _Usage(Exception):
    """The command line is not understood; the text is AOSP's."""


@dataclass
class _Asked:
    uri: str = ""
    projection: str = ""
    where: str = ""
    sort: str = ""
    method: str = ""
    arg: str = ""
    user: str = "0"
    binds: list[str] = field(default_factory=list)

    def values(self) -> dict[str, object]:
        """The bound columns; the first two colons part name, type and value."""
        found: dict[str, object] = {}
        for bind in self.binds:
            column, first, rest = bind.partition(":")
            kind, second, text = rest.partition(":")
            if not first or not second:
                raise _Usage("Invalid bind value: " + bind)
            if kind not in _TYPES:
                raise _Usage("Unsupported type: " + kind)
            try:
                found[column] = _TYPES[kind](text)
            except ValueError:
                raise _Usage(f'For input string: "{text}"') from None
        return found


def content(args: list[str], phone: PhoneState, stdin: bytes = b"") -> Output:
    """`query`, `insert`, `update`, `delete`, `read`, `write`, `call` of the providers that are asked."""
    # Java has no lone surrogates: what is no UTF-8 becomes the replacement character.
    args = [word.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for word in args]
    try:
        verb = args[0] if args else ""
        if verb not in _VERBS or phone.identity.sdk < _SINCE.get(verb, 0) or _lacks(verb, phone):
            raise _Usage("Unsupported operation: " + verb if verb else "Operation not specified")
        asked = _parse(args[1:])
        if not asked.uri:
            raise _Usage("Content provider URI not specified. Did you specify --uri argument?")
        asked.values()
    except _Usage as error:
        return said(f"{_USAGE}[ERROR] {error}\n")
    try:
        return _VERBS[verb](asked, phone, stdin)
    except ProviderError as error:
        return _thrown(asked.uri, error.kind, str(error))
    except (sqlite3.Error, sqlite3.Warning) as error:
        return _thrown(asked.uri, "android.database.sqlite.SQLiteException", str(error))


def _lacks(verb: str, phone: PhoneState) -> bool:
    return verb == "write" and "no_write" in phone.provider_lies


def _thrown(uri: str, kind: str, words: str) -> Output:
    provider = uri.removeprefix("content://").partition("/")[0]
    return Output(
        b"",
        f"Error while accessing provider:{provider}\n{kind}: {words}\n"
        "\tat android.os.Parcel.createExceptionOrNull(Parcel.java:3011)\n".encode("utf-8", "surrogateescape"),
    )


def _parse(args: list[str]) -> _Asked:
    asked = _Asked()
    rest = iter(args)
    for word in rest:
        if word not in _VALUES and word not in _LISTS:
            raise _Usage("Unsupported argument: " + word)
        value = next(rest, "")
        if not value or value.startswith("--"):
            raise _Usage("No value for argument: " + word)
        if word in _LISTS:
            asked.binds.append(value)
        else:
            setattr(asked, _VALUES[word], value)
    return asked


def _query(asked: _Asked, phone: PhoneState, _stdin: bytes) -> Output:
    columns = re.split(r"\s*:\s*", asked.projection) if asked.projection else []
    found = provider_tables.query(phone, asked.uri, columns, asked.where, asked.sort)
    if not found.rows:
        return said("No result found.\n")
    return Output(_shown(found))


def _shown(found: Rows) -> bytes:
    lines = []
    for place, row in enumerate(found.rows):
        cells = (f"{name}={_cell(value)}" for name, value in zip(found.columns, row, strict=True))
        lines.append(f"Row: {place} {', '.join(cells)}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _cell(value: object) -> object:
    if value is None:
        return "NULL"
    return "BLOB" if isinstance(value, bytes) else value


def _insert(asked: _Asked, phone: PhoneState, _stdin: bytes) -> Output:
    provider_tables.insert(phone, asked.uri, asked.values())
    return Output()


def _update(asked: _Asked, phone: PhoneState, _stdin: bytes) -> Output:
    provider_tables.update(phone, asked.uri, asked.values(), asked.where)
    return Output()


def _delete(asked: _Asked, phone: PhoneState, _stdin: bytes) -> Output:
    provider_tables.delete(phone, asked.uri, asked.where)
    return Output()


def _read(asked: _Asked, phone: PhoneState, _stdin: bytes) -> Output:
    return Output(provider_tables.read(phone, asked.uri))


def _write(asked: _Asked, phone: PhoneState, stdin: bytes) -> Output:
    provider_tables.write(phone, asked.uri, stdin)
    return Output()


def _call(asked: _Asked, _phone: PhoneState, _stdin: bytes) -> Output:
    """Only the media provider's `scan_file` and `scan_volume`, which find files that lie there already."""
    if asked.uri.startswith("content://media") and asked.method in ("scan_file", "scan_volume"):
        return said(f"Result: Bundle[{{uri=content://media/external/file, {asked.arg}}}]\n")
    return said("Result: null\n")


_VERBS: dict[str, Callable[[_Asked, PhoneState, bytes], Output]] = {
    "query": _query,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "read": _read,
    "write": _write,
    "call": _call,
}
_SINCE = {"read": _READ_SINCE, "write": _WRITE_SINCE}
