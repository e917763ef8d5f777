"""Puts a scenario's checked fields onto a phone's state."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.simulator.scenario import IDENTITY_FIELDS, PLAIN_FIELDS
from agent.simulator.state import (
    Account,
    AuthMode,
    Enabled,
    Package,
    PhoneState,
    SimSlot,
    User,
    UserState,
    Volume,
)


def apply(phone: PhoneState, fields: dict[str, Any]) -> None:
    """Set every field but `fault`, which is the device's. A new release or build mends the fingerprint with
    it.
    """
    identity = {name: value for name, value in fields.items() if name in IDENTITY_FIELDS}
    for name, value in identity.items():
        setattr(phone.identity, name, value)
    if identity and "fingerprint" not in identity:
        phone.identity.fingerprint = phone.identity.usual_fingerprint()
    for name, value in fields.items():
        if name in PLAIN_FIELDS:
            setattr(phone, name, value)
        elif name in _SETTERS:
            _SETTERS[name](phone, value)


def _auth(phone: PhoneState, value: str) -> None:
    phone.auth = AuthMode(value)


def _battery(phone: PhoneState, value: int) -> None:
    phone.battery.percent = value


def _charging(phone: PhoneState, value: bool) -> None:
    phone.battery.charging = value


def _uptime(phone: PhoneState, value: float) -> None:
    """Another uptime moves the boot history with it: its newest entry is the present boot's."""
    phone.booted_at = phone.clock() - value
    if phone.boot_reasons:
        moved = int(phone.wall() - value) - phone.boot_reasons[0][1]
        phone.boot_reasons = [(reason, at + moved) for reason, at in phone.boot_reasons]


def _users(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    phone.users = [User(**item) for item in value]


def _unreadable(phone: PhoneState, value: list[int]) -> None:
    phone.unreadable_users = set(value)


def _accounts(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    phone.accounts = [Account(**item) for item in value]


def _sims(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    phone.sims = [SimSlot(**item) for item in value]


def _settings(phone: PhoneState, value: dict[str, dict[str, str | None]]) -> None:
    """null deletes a setting."""
    for namespace, names in value.items():
        for name, setting in names.items():
            if setting is None:
                phone.settings[namespace].pop(name, None)
            else:
                phone.settings[namespace][name] = setting


def _properties(phone: PhoneState, value: dict[str, str]) -> None:
    phone.properties |= value


def _volumes(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    phone.volumes = [Volume(**item) for item in value]


def _profile_owners(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    phone.profile_owners = {item["user"]: item["package"] for item in value}


def _roles(phone: PhoneState, value: dict[str, list[str]]) -> None:
    phone.roles |= value


def _install_sources(phone: PhoneState, value: dict[str, bool]) -> None:
    phone.install_sources |= value


def _install(phone: PhoneState, value: list[dict[str, Any]]) -> None:
    for item in value:
        _install_one(phone, dict(item))


def _install_one(phone: PhoneState, item: dict[str, Any]) -> None:
    """Install, or change what is installed: fields that are not given stay as they are."""
    name = item.pop("name")
    user = item.pop("user", 0)
    known = next((package for package in phone.packages if package.name == name), None)
    package = known or Package(name, 1, "1.0", path=f"/data/app/{name}-1/base.apk", users={})
    state = package.users.get(user, UserState())
    if "enabled" in item:
        state = replace(state, enabled=Enabled(item.pop("enabled")))
    if "suspended" in item:
        state = replace(state, suspended=item.pop("suspended"))
    new = replace(package, users=package.users | {user: state}, **item)
    if known is None:
        phone.packages.append(new)
    else:
        phone.replace_package(new)


def _uninstall(phone: PhoneState, value: list[str]) -> None:
    phone.packages = [package for package in phone.packages if package.name not in value]


_SETTERS: dict[str, Callable[[PhoneState, Any], None]] = {
    "auth": _auth,
    "battery_percent": _battery,
    "charging": _charging,
    "uptime_s": _uptime,
    "users": _users,
    "volumes": _volumes,
    "profile_owners": _profile_owners,
    "roles": _roles,
    "unreadable_users": _unreadable,
    "accounts": _accounts,
    "sims": _sims,
    "settings": _settings,
    "properties": _properties,
    "install": _install,
    "install_sources": _install_sources,
    "uninstall": _uninstall,
}
