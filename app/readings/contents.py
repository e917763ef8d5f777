"""The shape of each section's content, so that nothing behind the door meets a list where it expects an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NONE = type(None)
_TEXT: tuple[type, ...] = (str,)
_INT: tuple[type, ...] = (int,)
_MAYBE_TEXT: tuple[type, ...] = (str, _NONE)
_MAYBE_INT: tuple[type, ...] = (int, _NONE)
_MAYBE_BOOL: tuple[type, ...] = (bool, _NONE)
_MAYBE_LIST: tuple[type, ...] = (list, _NONE)

MAX_ROWS = 20_000
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


class BadContent(ValueError):
    """`path` begins with a dot, or is empty for the section as a whole."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def check_section(name: str, data: Any) -> None:
    """Raise `BadContent` unless `data` is what section `name` may hold (DESIGN's Snapshot)."""
    if name in _RECORDS:
        _record(data, _RECORDS[name], "")
        for field in ("imei", "unknown_sources"):
            _texts(data.get(field), f".{field}")
        return
    if type(data) is not list or len(data) > MAX_ROWS:
        raise BadContent("", f"must be a list of at most {MAX_ROWS}")
    spec = _LISTS[name]
    fields = spec.keys()
    for i, row in enumerate(data):
        # The quick look passes nearly every row; the slow one finds the words for the rest.
        if type(row) is not dict or row.keys() != fields:
            _record(row, spec, f".{i}")
            continue
        for field, kinds in spec.items():
            if type(row[field]) not in kinds:
                _record(row, spec, f".{i}")


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
