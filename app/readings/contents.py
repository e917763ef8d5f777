"""The shape of each section's content, so that nothing behind the door meets a list where it expects an object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

_NONE = type(None)
_TEXT: tuple[type, ...] = (str,)
_INT: tuple[type, ...] = (int,)
_BOOL: tuple[type, ...] = (bool,)
_MAYBE_TEXT: tuple[type, ...] = (str, _NONE)
_MAYBE_INT: tuple[type, ...] = (int, _NONE)
_MAYBE_BOOL: tuple[type, ...] = (bool, _NONE)
_MAYBE_LIST: tuple[type, ...] = (list, _NONE)
_MAYBE_OBJECT: tuple[type, ...] = (dict, _NONE)

MAX_ROWS = 20_000
MAX_NAMES = 1_000
MAX_NAME = 500
"""Of the security section's lists, and of one name there: Android takes no package or class name beyond 255."""
MAX_PACKAGE = 255
MAX_USER = 2**31 - 1
_LONG = 2**63
# Field → types of its value. A field may be left out only where null is one of them: both say "not known".
_RECORDS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "identity": {
        "serial": _MAYBE_TEXT, "model": _MAYBE_TEXT, "brand": _MAYBE_TEXT, "manufacturer": _MAYBE_TEXT,
        "android_release": _MAYBE_TEXT, "sdk": _MAYBE_INT, "fingerprint": _MAYBE_TEXT, "security_patch": _MAYBE_TEXT,
        "android_id": _MAYBE_TEXT, "imei": _MAYBE_LIST, "build_type": _MAYBE_TEXT,
    },
    "setup": {
        "device_provisioned": _MAYBE_BOOL, "user_setup_complete": _MAYBE_BOOL, "adb_wifi": _MAYBE_BOOL,
        "developer_options": _MAYBE_BOOL, "unknown_sources": _MAYBE_LIST, "lock_screen": _TEXT,
    },
    "storage": {"data_total_bytes": _MAYBE_INT, "data_free_bytes": _MAYBE_INT},
    "security": {
        "device_owner": _MAYBE_OBJECT, "profile_owners": _MAYBE_LIST, "verified_boot": _MAYBE_TEXT,
        "bootloader_locked": _MAYBE_BOOL, "debuggable": _MAYBE_BOOL, "build_tags": _MAYBE_TEXT, "su": _MAYBE_BOOL,
        "selinux": _MAYBE_TEXT, "accessibility": _MAYBE_LIST, "notification_listeners": _MAYBE_LIST,
        "device_admins": _MAYBE_LIST, "input_method": _MAYBE_TEXT, "roles": _MAYBE_OBJECT,
    },
}  # fmt: skip
_LISTS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "boot_reasons": {"reason": _TEXT, "at": _MAYBE_INT},
    "power_history": {"source": _TEXT, "event": _TEXT, "phone_clock": _TEXT},
    "packages": {
        "name": _TEXT, "user": _INT, "version_code": _MAYBE_INT, "version_name": _MAYBE_TEXT, "system": _MAYBE_BOOL,
        "enabled": _MAYBE_BOOL, "suspended": _MAYBE_BOOL, "installer": _MAYBE_TEXT,
    },
    "accounts": {"user": _INT, "type": _TEXT, "name_hmac": _MAYBE_TEXT},
    "users": {"id": _INT, "name": _TEXT, "running": _MAYBE_BOOL},
    "sim": {
        "slot": _INT, "state": _TEXT, "operator": _MAYBE_TEXT, "iccid": _MAYBE_TEXT, "number": _MAYBE_TEXT,
    },
}  # fmt: skip
# The same list as a newer agent sends it: each field is there, or the row is an older one's.
_SIGNED = {**_LISTS["packages"], "signer": _MAYBE_TEXT}
_KINDS = {field: frozenset(kinds) for field, kinds in _LISTS["packages"].items()}
_SIGNER = re.compile(r"[0-9a-f]{1,8}")
_OWNER = {"set": _BOOL, "package": _MAYBE_TEXT}
_PROFILE_OWNER = {"user": _INT, "package": _TEXT}
_ROLES = ("sms", "dialer", "home", "browser", "assistant")
_OF_USERS = {"accounts": "user", "users": "id"}
_WORDS = {
    "verified_boot": (None, "green", "yellow", "orange", "red"),
    "selinux": (None, "enforcing", "permissive"),
}


class BadContent(ValueError):
    """`path` begins with a dot, or is empty for the section as a whole."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def check_section(name: str, data: Any) -> None:
    """Raise `BadContent` unless `data` is what section `name` may hold (DESIGN's Snapshot, `docs/wire.md`)."""
    if name in _RECORDS:
        _record(data, _RECORDS[name], "")
        for field in ("imei", "unknown_sources"):
            _texts(data.get(field), f".{field}")
        if name == "security":
            _security(data)
        return
    if type(data) is not list or len(data) > MAX_ROWS:
        raise BadContent("", f"must be a list of at most {MAX_ROWS}")
    if name == "packages":
        _packages(data)
        return
    for i, row in enumerate(data):
        _row(row, _LISTS[name], i)
        if name in _OF_USERS:
            _user(row[_OF_USERS[name]], f".{i}.{_OF_USERS[name]}")


def _packages(rows: list[Any]) -> None:
    """A phone has hundreds: a quick look by columns passes nearly every list, the slow one finds the words."""
    if rows and not _quickly(rows):
        for i, row in enumerate(rows):
            signed = type(row) is dict and "signer" in row
            _row(row, _SIGNED if signed else _LISTS["packages"], i)
            _possible(row, i)


def _quickly(rows: list[Any]) -> bool:
    """Whether these are packages beyond doubt: each row whole, and all of them as `_possible` wants them."""
    if set(map(type, rows)) != {dict}:
        return False
    plain, signed = _LISTS["packages"], [row for row in rows if "signer" in row]
    try:
        columns = dict(zip(plain, zip(*map(itemgetter(*plain), rows), strict=True), strict=True))
        signers = {row["signer"] for row in signed} - {None}
    except (KeyError, TypeError):
        return False
    if sum(map(len, rows)) != len(rows) * len(plain) + len(signed):
        return False
    if any(not set(map(type, columns[field])) <= kinds for field, kinds in _KINDS.items()):
        return False
    names, users = columns["name"], set(columns["user"])
    codes = set(columns["version_code"]) - {None}
    return (
        "".join(names).isprintable()
        and min(map(len, names)) > 0
        and max(map(len, names)) <= MAX_PACKAGE
        and min(users) >= 0
        and max(users) <= MAX_USER
        and (not codes or (min(codes) >= -_LONG and max(codes) < _LONG))
        and all(type(signer) is str and _SIGNER.fullmatch(signer) for signer in signers)
    )


def _possible(row: Mapping[str, Any], i: int) -> None:
    """No phone has such a package, and no column could hold it: one of these would stop the work on all phones."""
    name, code, signer = row["name"], row.get("version_code"), row.get("signer")
    if not 0 < len(name) <= MAX_PACKAGE or not name.isprintable():
        raise BadContent(f".{i}.name", f"must be text of 1 to {MAX_PACKAGE} printable characters")
    if code is not None and not -_LONG <= code < _LONG:
        raise BadContent(f".{i}.version_code", "must be a number of 64 bits")
    if signer is not None and not _SIGNER.fullmatch(signer):
        raise BadContent(f".{i}.signer", "must be 1 to 8 hexadecimal digits or null")
    _user(row["user"], f".{i}.user")


def _user(number: int, path: str) -> None:
    if not 0 <= number <= MAX_USER:
        raise BadContent(path, f"must be from 0 to {MAX_USER}")


def _row(row: Any, spec: Mapping[str, tuple[type, ...]], i: int) -> None:
    """The quick look passes nearly every row; the slow one finds the words for the rest."""
    if type(row) is not dict or row.keys() != spec.keys():
        _record(row, spec, f".{i}")
        return
    for field, kinds in spec.items():
        if type(row[field]) not in kinds:
            _record(row, spec, f".{i}")


def _security(data: Mapping[str, Any]) -> None:
    """What `_record` left open of it: lists, words and the objects inside."""
    for field in ("accessibility", "notification_listeners", "device_admins"):
        _names(data.get(field), f".{field}")
    for field in ("build_tags", "input_method"):
        _name(data.get(field), f".{field}")
    for field, words in _WORDS.items():
        if data.get(field) not in words:
            raise BadContent(f".{field}", "must be one of " + " ".join(str(word) for word in words[1:]))
    _owners(data)
    roles = data.get("roles") or {}
    if unknown := roles.keys() - set(_ROLES):
        raise BadContent(f".roles.{ascii(min(unknown))[1:-1][:40]}", "unknown role")
    for role, holders in roles.items():
        if holders is None:
            raise BadContent(f".roles.{role}", "must be a list of texts")
        _names(holders, f".roles.{role}")


def _owners(data: Mapping[str, Any]) -> None:
    owner = data.get("device_owner")
    if owner is not None:
        _record(owner, _OWNER, ".device_owner")
        _name(owner.get("package"), ".device_owner.package")
        if owner["set"] is (owner.get("package") is None):
            raise BadContent(".device_owner.package", "must be named if, and only if, there is an owner")
    rows = data.get("profile_owners") or []
    if len(rows) > MAX_NAMES:
        raise BadContent(".profile_owners", f"must be a list of at most {MAX_NAMES}")
    for i, row in enumerate(rows):
        _record(row, _PROFILE_OWNER, f".profile_owners.{i}")
        _name(row["package"], f".profile_owners.{i}.package")
        _user(row["user"], f".profile_owners.{i}.user")


def _name(value: str | None, path: str) -> None:
    if value is not None and not 0 < len(value) <= MAX_NAME:
        raise BadContent(path, f"must be text of 1 to {MAX_NAME} characters")


def _names(value: Any, path: str) -> None:
    if value is None:
        return
    if type(value) is not list or len(value) > MAX_NAMES or not all(type(item) is str for item in value):
        raise BadContent(path, f"must be a list of at most {MAX_NAMES} texts")
    for i, item in enumerate(value):
        _name(item, f"{path}.{i}")


def _record(data: Any, spec: Mapping[str, tuple[type, ...]], path: str) -> None:
    if type(data) is not dict:
        raise BadContent(path, "must be an object")
    if unknown := data.keys() - spec.keys():
        raise BadContent(f"{path}.{ascii(min(unknown))[1:-1][:40]}", "unknown field")
    for field, kinds in spec.items():
        if field not in data:
            if _NONE not in kinds:
                raise BadContent(f"{path}.{field}", "is missing")
        elif type(data[field]) not in kinds:
            names = " or ".join("null" if kind is _NONE else kind.__name__ for kind in kinds)
            raise BadContent(f"{path}.{field}", f"must be {names}")


def _texts(value: Any, path: str) -> None:
    if value is not None and not (len(value) <= MAX_ROWS and all(type(item) is str for item in value)):
        raise BadContent(path, "must be a list of texts")
