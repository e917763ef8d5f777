"""What a dump says that matters, by the very parsers that a snapshot is made with: each a value, or why there is none.

Nothing personal: of accounts their types, of adb keys their number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from agent.parsers.common import Unreadable
from agent.parsers.components import component
from agent.parsers.device_policy import parse_admins, parse_device_owner, parse_profile_owners
from agent.parsers.identity import parse_identity
from agent.parsers.packages import parse_details, parse_listing
from agent.parsers.power import parse_battery
from agent.parsers.power_history import parse_batterystats, parse_usagestats
from agent.parsers.props import parse_props
from agent.parsers.roles import parse_roles
from agent.parsers.security import (
    parse_build_tags,
    parse_debuggable,
    parse_loader_locked,
    parse_verified_boot,
)
from agent.parsers.users import parse_accounts, parse_users

Value = str | int | bool | list[str] | dict[str, int] | dict[str, list[str]] | None
_Parser = Callable[[str], Value]

_DETAILS = re.compile(
    r"^ *Package \[.*|^ *version(?:Code|Name)=.*|^ *signatures=.*|^ *User [0-9]+:.*|^Hidden.*", re.MULTILINE
)
_ACCOUNTS = re.compile(r"^User UserInfo.*|^ *Accounts: [0-9].*|^ *Account \{.*", re.MULTILINE)
_ENABLED = re.compile(r"^ *[Ee]nabled services: ?\{(.*)", re.MULTILINE)
_SERVICE = re.compile(r"^ +\d+ : (\S+)", re.MULTILINE)
_INSTALLS = re.compile(
    r"^ {4}Package ([\w.\-]+):|^ {6}REQUEST_INSTALL_PACKAGES \((\w+)", re.MULTILINE | re.ASCII
)
_KEYS = re.compile(r"^ {4}user_keys=(?P<first>\S+)|^(?P<more>[A-Za-z0-9+/=]{100,})", re.MULTILINE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Fact:
    """`name` is stable. `value` is None where nothing is told or set; `unread` says why it could not be read."""

    name: str
    value: Value
    unread: str | None = None


def facts(kind: str, text: str) -> list[Fact]:
    """What a dump of that kind says; nothing for kinds that matter to no rule."""
    found = []
    for name, parse in _PARSERS.get(kind, {}).items():
        try:
            found.append(Fact(name, parse(text)))
        except Unreadable as exc:
            found.append(Fact(name, None, str(exc)))
    return found


def _identity(name: str, text: str) -> Value:
    value: Value = getattr(parse_identity(parse_props(text)), name)
    if value is None:
        raise Unreadable("the phone does not say")
    return value


def _of_props(parse: Callable[[Mapping[str, str]], Value], text: str) -> Value:
    return parse(parse_props(text))


def _packages(text: str) -> Value:
    return len(parse_details("\n".join(_DETAILS.findall(text))))


def _signed(text: str) -> Value:
    return sum(bool(block[3]) for block in parse_details("\n".join(_DETAILS.findall(text))).values())


def _profile_owners(text: str) -> Value:
    return [f"{owner.package}@{owner.user}" for owner in parse_profile_owners(text)]


def _accounts(text: str) -> Value:
    rows = parse_accounts("\n".join(_ACCOUNTS.findall(text)))
    return dict(Counter(f"{row.type}@{row.user}" for row in rows))


def _accessibility(text: str) -> Value:
    """Of the user that the dump tells first: newer releases name them in one line, older ones in lines below."""
    head = _ENABLED.search(text)
    if head is None:
        raise Unreadable("not understood")
    if head[1].strip():
        return [name for part in re.findall(r"[^{},\s]+", head[1]) if (name := component(part))]
    block = text[head.end() :].lstrip("\r\n").partition("}")[0]
    return [name for part in _SERVICE.findall(block) if (name := component(part))]


def _installers(text: str) -> Value:
    package, found = "", []
    for name, mode in _INSTALLS.findall(text):
        package = name or package
        found += [package] if mode == "allow" else []
    return found


def _keys(text: str) -> Value:
    return len(_KEYS.findall(text))


_PARSERS: dict[str, dict[str, _Parser]] = {
    "getprop": {
        **{
            name: partial(_identity, name)
            for name in ("brand", "model", "android_release", "sdk", "security_patch", "build_type")
        },
        "verified_boot": partial(_of_props, parse_verified_boot),
        "bootloader_locked": partial(_of_props, parse_loader_locked),
        "debuggable": partial(_of_props, parse_debuggable),
        "build_tags": partial(_of_props, parse_build_tags),
    },
    "pm_packages": {"packages": lambda text: len(parse_listing(text).packages)},
    "pm_users": {"users": lambda text: [str(user.id) for user in parse_users(text)]},
    "package": {"packages": _packages, "signed": _signed},
    "device_policy": {
        "device_owner": parse_device_owner,
        "profile_owners": _profile_owners,
        "device_admins": parse_admins,
    },
    "role": {"roles": parse_roles},
    "account": {"accounts": _accounts},
    "accessibility": {"accessibility": _accessibility},
    "appops": {"unknown_sources": _installers},
    "adb": {"keys": _keys},
    "battery": {"battery_percent": lambda text: parse_battery(text).percent},
    "usagestats": {"power_events": lambda text: len(parse_usagestats(text))},
    "batterystats": {"power_events": lambda text: len(parse_batterystats(text))},
}
