"""From the script's sections to the parts of a snapshot;
each part that could not be read is noted with its reason.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import fields
from hashlib import blake2b
from typing import Any, TypeVar

from agent.parsers import Unreadable
from agent.parsers.common import TIMED_OUT, complaint, flag
from agent.parsers.device import (
    parse_lock,
    parse_settings,
    parse_sims,
    parse_storage,
    parse_unknown_sources,
)
from agent.parsers.frames import Frames
from agent.parsers.identity import imeis_from_props, parse_identity, parse_imei_parcel
from agent.parsers.power import (
    Battery,
    parse_battery,
    parse_boot_count,
    parse_boot_id,
    parse_screen_on,
    parse_uptime,
)
from agent.parsers.power_history import newest_first, parse_batterystats, parse_usagestats
from agent.parsers.props import parse_boot_reasons, parse_props, read_props
from agent.parsers.users import parse_accounts, parse_users

_T = TypeVar("_T")
Json = dict[str, Any]

_PER_APP_SOURCES_SDK = 26
EVERY_APP = "*"
"""In `unknown_sources`: before Android 8 one switch lets every app install apps."""


class SectionReader:
    """Sections of one reading, with the notes of what could not be read.

    `ended` says why the output is not whole.
    """

    def __init__(self, frames: Frames, ended: str | None = None) -> None:
        self._frames = frames
        self._ended = ended
        self.unread: list[dict[str, str]] = []

    def note(self, part: str, reason: str) -> None:
        self.unread.append({"section": part, "reason": reason})

    def text(self, name: str) -> str:
        """What a command printed. Raise `Unreadable` when it did not end, was too slow, or failed."""
        section = self._frames.sections.get(name)
        if section is None:
            missing = "the phone did not send it" if self._frames.done else "truncated"
            raise Unreadable(self._ended or missing)
        if section.exit_code in TIMED_OUT:
            raise Unreadable("timed out on the phone")
        if section.exit_code:
            raise Unreadable(complaint(section.text) or f"the command failed ({section.exit_code})")
        return section.text

    def fingerprint(self, names: Iterable[str]) -> bytes:
        """Of all that `text` may say of these sections; the same for no others."""
        told = blake2b(repr((self._frames.done, self._ended)).encode())
        for name in names:
            section = self._frames.sections.get(name)
            text = b"" if section is None else section.text.encode()
            told.update(repr((name, section and section.exit_code, len(text))).encode())
            told.update(text)
        return told.digest()

    def take(self, part: str, read: Callable[[], _T]) -> _T | None:
        """`read()`, or None and a note."""
        try:
            return read()
        except Unreadable as exc:
            self.note(part, str(exc))
            return None

    def props(self) -> dict[str, str]:
        """All properties; empty when they could not be read (noted by `identity_part`). Some that are not whole are
        left out, and noted as `identity.properties`.
        """
        try:
            props, lost = read_props(self.text("getprop"))
        except Unreadable:
            return {}
        if lost:
            self.note("identity.properties", f"{lost} of them were not whole")
        return props

    def settings(self, table: str, part: str) -> dict[str, str] | None:
        """The settings of one table; None and a note for `part`."""
        return self.take(part, lambda: parse_settings(self.text(table)))


def _as_json(record: Any) -> Json:
    """The fields of a flat dataclass. `asdict` would copy each value deeply, which for a sweep adds up."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def identity_part(reader: SectionReader, props: dict[str, str], secure: dict[str, str] | None) -> Json | None:
    """`identity`; None when the properties could not be read."""
    if not props:
        reader.take("identity", lambda: parse_props(reader.text("getprop")))
        return None
    identity = _as_json(parse_identity(props))
    if identity["serial"] is None:
        reader.note("identity.serial", "the phone tells none of its own")
    identity["android_id"] = _setting(secure, "android_id")
    identity["imei"] = _imeis(reader, props)
    return identity


def _setting(table: dict[str, str] | None, name: str) -> str | None:
    value = (table or {}).get(name, "")
    return value if value not in {"", "null"} else None


def _imeis(reader: SectionReader, props: dict[str, str]) -> list[str] | None:
    known = imeis_from_props(props)
    try:
        told = [parse_imei_parcel(reader.text("imei"))]
    except Unreadable as exc:
        if not known:
            reader.note("identity.imei", str(exc))
            return None
        told = []
    return list(dict.fromkeys(known + told))


def power_part(reader: SectionReader, props: dict[str, str], settings: dict[str, str] | None) -> Json | None:
    """`power`; None unless boot id and uptime were read, which prove the phone on."""
    boot_id = reader.take("power", lambda: parse_boot_id(reader.text("boot_id")))
    uptime = reader.take("power", lambda: parse_uptime(reader.text("uptime")))
    if boot_id is None or uptime is None:
        return None
    battery = reader.take("power.battery", lambda: parse_battery(reader.text("battery")))
    battery = battery or Battery(None, None)
    return {
        "boot_id": boot_id,
        "boot_count": _boot_count(reader, props, settings),
        "uptime_s": uptime,
        "boot_reasons": reader.take("power.boot_reasons", lambda: _boot_reasons(props)),
        "battery_percent": battery.percent,
        "charging": battery.charging,
        "airplane_mode": _switch(reader, settings, "power.airplane_mode", "airplane_mode_on"),
        "screen_on": reader.take("power.screen_on", lambda: parse_screen_on(reader.text("screen"))),
    }


def _boot_count(reader: SectionReader, props: dict[str, str], settings: dict[str, str] | None) -> int | None:
    if settings is None or not props:
        reader.note("power.boot_count", "settings or properties could not be read")
        return None
    return reader.take(
        "power.boot_count",
        lambda: parse_boot_count(settings.get("boot_count"), props.get("sys.boot_completed")),
    )


def _boot_reasons(props: dict[str, str]) -> list[Json]:
    history = props.get("persist.sys.boot.reason.history", "")
    if not history.strip():
        raise Unreadable("the phone keeps no history of boots")
    return [_as_json(entry) for entry in parse_boot_reasons(history)]


def _switch(
    reader: SectionReader, table: dict[str, str] | None, part: str, name: str, *, unset: bool | None = None
) -> bool | None:
    """A setting of 1 or 0; `unset` is what Android takes where it was never set."""
    value = flag((table or {}).get(name))
    if value is None and table is not None and table.get(name, "null") == "null":
        value = unset
    if value is None:
        reader.note(part, "not set" if table is not None else "the settings could not be read")
    return value


def setup_part(
    reader: SectionReader, settings: dict[str, str] | None, secure: dict[str, str] | None, sdk: int | None
) -> Json | None:
    """`setup`; None when neither settings nor lock could be read."""
    if settings is None and secure is None:
        reader.note("setup", "the settings could not be read")
        return None
    return {
        "device_provisioned": _switch(reader, settings, "setup.device_provisioned", "device_provisioned"),
        "user_setup_complete": _switch(reader, secure, "setup.user_setup_complete", "user_setup_complete"),
        "adb_wifi": _switch(reader, settings, "setup.adb_wifi", "adb_wifi_enabled", unset=False),
        "developer_options": _switch(
            reader, settings, "setup.developer_options", "development_settings_enabled", unset=False
        ),
        "unknown_sources": _unknown_sources(reader, secure, sdk),
        "lock_screen": _lock_screen(reader),
    }


def _unknown_sources(
    reader: SectionReader, secure: dict[str, str] | None, sdk: int | None
) -> list[str] | None:
    part = "setup.unknown_sources"
    if sdk is None:
        reader.note(part, "the Android version is not known")
        return None
    if sdk >= _PER_APP_SOURCES_SDK:
        return reader.take(part, lambda: parse_unknown_sources(reader.text("sources")))
    on = _switch(reader, secure, part, "install_non_market_apps")
    return None if on is None else [EVERY_APP] * on


def _lock_screen(reader: SectionReader) -> str:
    texts = {}
    for name in ("lock", "trust"):
        try:
            texts[name] = reader.text(name)
        except Unreadable:
            texts[name] = ""
    lock = parse_lock(texts["lock"], texts["trust"])
    if lock == "unknown":
        reader.note("setup.lock_screen", complaint(texts["lock"]) or "the phone does not say")
    return lock


def accounts_part(reader: SectionReader, hmac_key: bytes | None) -> list[Json] | None:
    """`accounts`: type and, with a key, the name's HMAC-SHA256 over type, NUL, name; never the name."""
    accounts = reader.take("accounts", lambda: parse_accounts(reader.text("accounts")))
    if accounts is None:
        return None
    rows: list[Json] = [{"user": a.user, "type": a.type} for a in accounts]
    if hmac_key is not None:
        for row, account in zip(rows, accounts, strict=True):
            secret = f"{account.type}\0{account.name}".encode("utf-8", "surrogatepass")
            row["name_hmac"] = hmac.new(hmac_key, secret, hashlib.sha256).hexdigest()
    return rows


def users_part(reader: SectionReader) -> list[Json] | None:
    """`users`."""
    users = reader.take("users", lambda: parse_users(reader.text("users")))
    return None if users is None else [_as_json(user) for user in users]


def sim_part(reader: SectionReader, props: dict[str, str]) -> list[Json] | None:
    """`sim`."""
    sims = reader.take("sim", lambda: parse_sims(props))
    return None if sims is None else [_as_json(sim) for sim in sims]


def storage_part(reader: SectionReader) -> Json | None:
    """`storage`."""
    storage = reader.take("storage", lambda: parse_storage(reader.text("storage")))
    return None if storage is None else _as_json(storage)


def power_history_part(reader: SectionReader) -> list[Json] | None:
    """`power_history`: what the phone noted of its power by its own clock, a hint and no proof, newest first."""
    usage = reader.take("power_history.usagestats", lambda: parse_usagestats(reader.text("usagestats")))
    battery = reader.take(
        "power_history.batterystats", lambda: parse_batterystats(reader.text("batterystats"))
    )
    if usage is None and battery is None:
        reader.note("power_history", "neither of its sources could be read")
        return None
    return [_as_json(event) for event in newest_first([*(usage or []), *(battery or [])])]
