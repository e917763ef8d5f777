"""What an agent read on a phone after (or before) a wipe, as plain values. What is not understood is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
MAX_TEXT, MAX_NAME = 200, 300
MAX_PACKAGES, MAX_ROWS = 300, 50
_ENCRYPTION = frozenset({"file", "full", "none"})
_LOCKS = frozenset({"set", "none"})


@dataclass(frozen=True)
class BootReason:
    """`at`: epoch seconds of the phone's own clock, None where it told none."""

    reason: str
    at: float | None


@dataclass(frozen=True)
class Volume:
    """`kind`: sd, usb or internal."""

    kind: str
    state: str


@dataclass(frozen=True)
class Evidence:
    """One reading by `inspect_phone`. None: not read, never empty and never good. Times are the phone's own, in epoch
    seconds: nothing here is dated by the server yet.
    """

    serial: str | None
    imei: tuple[str, ...]
    android_id: str | None
    boot_id: str | None
    boot_count: int | None
    uptime_s: float | None
    phone_now_s: float | None
    boot_reasons: tuple[BootReason, ...] | None
    users: tuple[int, ...] | None
    accounts: int | None
    third_party: frozenset[str] | None
    packages: int | None
    first_install_oldest_s: float | None
    data_total_bytes: int | None
    data_free_bytes: int | None
    media_files: int | None
    test_harness: bool | None
    lock_screen: str | None
    sims: tuple[str, ...] | None
    volumes: tuple[Volume, ...] | None
    encryption: str | None
    device_owner: str | None
    brand: str | None
    model: str | None
    android_release: str | None
    security_patch: str | None
    link: str | None
    unread: tuple[str, ...]


class _Odd(Exception):
    """A value that has not the agreed shape."""


def read_evidence(raw: object) -> Evidence | None:
    """The reading that an agent told; None for what is none at all. A part of another shape is unknown and named in
    `unread`: an agent that was tampered with gains nothing by an odd answer.
    """
    if not isinstance(raw, Mapping):
        return None
    unread = _names(raw.get("unread"))

    cut = "packages.third_party" in unread

    def take(name: str, of: Callable[[Any], T]) -> T | None:
        value = raw.get(name)
        if value is None:
            return None
        try:
            return of(value)
        except (_Odd, KeyError, TypeError, ValueError, OverflowError):
            unread.append(name)
            return None

    def part(name: str, key: str, of: Callable[[Any], T]) -> T | None:
        return take(name, lambda section: None if section[key] is None else of(section[key]))

    return Evidence(
        serial=take("serial", _text), imei=take("imei", _imeis) or (), android_id=take("android_id", _text),
        boot_id=take("boot_id", _text), boot_count=take("boot_count", _count), uptime_s=take("uptime_s", _seconds),
        phone_now_s=take("phone_now_s", _seconds), boot_reasons=take("boot_reasons", _reasons),
        users=take("users", lambda v: tuple(_count(row["id"]) for row in _rows(v))),
        accounts=part("accounts", "count", _count), packages=part("packages", "count", _count),
        third_party=None if cut else part("packages", "third_party", _package_names),
        first_install_oldest_s=part("first_install_s", "oldest", _seconds),
        data_total_bytes=part("storage", "data_total_bytes", _count),
        data_free_bytes=part("storage", "data_free_bytes", _count), media_files=take("media_files", _count),
        test_harness=take("test_harness", _flag), lock_screen=_one_of(raw.get("lock_screen"), _LOCKS),
        sims=take("sims", lambda v: tuple(_text(row["state"]) for row in _rows(v))),
        volumes=take("volumes", lambda v: tuple(Volume(_text(r["kind"]), _text(r["state"])) for r in _rows(v))),
        encryption=_one_of(raw.get("encryption"), _ENCRYPTION), device_owner=take("device_owner", _text),
        brand=take("brand", _text), model=take("model", _text), android_release=take("android_release", _text),
        security_patch=take("security_patch", _text), link=take("link", _text), unread=tuple(dict.fromkeys(unread)),
    )  # fmt: skip


def _names(value: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    names = (row.get("section") for row in value[:MAX_ROWS] if isinstance(row, Mapping))
    return [name[:MAX_TEXT] for name in names if isinstance(name, str)]


def _rows(value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > MAX_ROWS:
        raise _Odd
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
        raise _Odd
    return value.strip()


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**60:
        raise _Odd
    return value


def _seconds(value: Any) -> float:
    # A phone's clock may stand at 1970, and never after 2242: differences stay within what dates can hold.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**33:
        raise _Odd
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Odd
    return value


def _imeis(value: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in _rows(value))


def _package_names(value: Any) -> frozenset[str]:
    # A list that was cut would hide what stands behind the cut.
    if not isinstance(value, list) or len(value) >= MAX_PACKAGES:
        raise _Odd
    return frozenset(_text(one) for one in value)


def _reasons(value: Any) -> tuple[BootReason, ...]:
    return tuple(
        BootReason(_text(row["reason"]), None if row["at"] is None else _seconds(row["at"]))
        for row in _rows(value)
    )


def _one_of(value: Any, known: frozenset[str]) -> str | None:
    return value if isinstance(value, str) and value in known else None
