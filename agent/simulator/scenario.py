"""Scenario files: how single phones differ, and what happens to them when. Described in
`docs/simulator.md`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.simulator import checks
from agent.simulator.android.locksettings import LockLie
from agent.simulator.android.removal import RemovalLie
from agent.simulator.android.testharness import HarnessLie
from agent.simulator.checks import Check, ScenarioError
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.people import ProviderLie
from agent.simulator.profiles import PROFILES
from agent.simulator.state import AuthMode, Enabled, Way


def _fault(value: Any, path: str) -> Fault | None:
    if value is None:
        return None
    fields = checks.record(
        {
            "kind": checks.choice(*FaultKind),
            "at": checks.choice(*FaultPoint),
            "after_bytes": checks.whole(0),
            "size": checks.whole(0, 1 << 30),
        },
        required=("kind",),
    )(value, path)
    try:
        point = FaultPoint(fields.pop("at")) if "at" in fields else None
        return Fault(FaultKind(fields.pop("kind")), point, **fields)
    except ValueError as error:
        raise ScenarioError([f"{path}: {error}"]) from None


def _digits(value: Any, path: str) -> str:
    found = checks.text(value, path)
    if not (found.isascii() and found.isdigit()):
        raise ScenarioError([f"{path}: digits are wanted, not {found!r}"])
    return found


_PACKAGE = checks.record(
    {
        "name": checks.text,
        "version_code": checks.whole(0),
        "version_name": checks.text,
        "system": checks.flag,
        "installer": checks.optional(checks.text),
        "user": checks.whole(0),
        "enabled": checks.choice(*Enabled),
        "suspended": checks.flag,
        "signer": checks.text,
        "preloaded": checks.flag,
    },
    required=("name",),
)
_USER = checks.record(
    {"id": checks.whole(0), "name": checks.text, "running": checks.flag, "flags": checks.whole(0)},
    required=("id", "name"),
)
_ACCOUNT = checks.record(
    {"user": checks.whole(0), "type": checks.text, "name": checks.text}, required=("user", "type", "name")
)
_SIM = checks.record(
    {
        "state": checks.text,
        "operator": checks.text,
        "carrier": checks.text,
        "iccid": checks.optional(_digits),
        "number": checks.optional(checks.text),
    }
)
_VOLUME = checks.record({"id": checks.text, "state": checks.text, "uuid": checks.text}, required=("id",))
_PROFILE_OWNER = checks.record(
    {"user": checks.whole(0), "package": checks.text}, required=("user", "package")
)
_ROLES = checks.record(
    dict.fromkeys(("sms", "dialer", "home", "browser", "assistant"), checks.many(checks.text))
)
_SETTINGS = checks.record(
    dict.fromkeys(("global", "secure", "system"), checks.table(checks.optional(checks.text)))
)

IDENTITY_FIELDS: dict[str, Check] = {
    **dict.fromkeys(
        (
            "serial",
            "brand",
            "model",
            "manufacturer",
            "device",
            "android_release",
            "build_id",
            "incremental",
            "fingerprint",
            "security_patch",
            "android_id",
            "build_type",
        ),
        checks.text,
    ),
    "sdk": checks.whole(21, 99),
    "imeis": checks.many(checks.text),
}
PLAIN_FIELDS: dict[str, Check] = {
    "screen_on": checks.flag,
    "airplane_mode": checks.flag,
    "lock_pin": checks.optional(checks.text),
    "lock_least": checks.whole(0, 100),
    "unified_challenge": checks.flag,
    "lock_lie": checks.optional(checks.choice(*LockLie)),
    "contacts": checks.optional(checks.whole(0, 100_000)),
    "calls": checks.optional(checks.whole(0, 100_000)),
    "messages": checks.optional(checks.whole(0, 100_000)),
    "media": checks.whole(0, 10_000),
    "mms": checks.whole(0, 100_000),
    "provider_lies": checks.many(checks.choice(*ProviderLie)),
    "import_tap": checks.choice("ask", "auto"),
    "import_per_s": checks.seconds,
    "device_owner": checks.optional(checks.text),
    "device_admins": checks.many(checks.text),
    "ways": checks.many(checks.choice(*Way)),
    "refused": checks.many(checks.text),
    "su": checks.flag,
    "loader_unlocked": checks.flag,
    "selinux_enforcing": checks.flag,
    "storage_total": checks.whole(0),
    "storage_free": checks.whole(0),
    "boot_id": checks.text,
    "boot_count": checks.whole(0),
    "boot_completed_after_s": checks.seconds,
    "boot_duration_s": checks.seconds,
    "shell_v2": checks.flag,
    "delay_s": checks.seconds,
    "persistent_block": checks.flag,
    "test_harness_service": checks.flag,
    "harness_lie": checks.optional(checks.choice(*HarnessLie)),
    "test_harness": checks.flag,
    "frp_account": checks.optional(checks.text),
    "esim_profiles": checks.whole(0, 20),
    "reset_after_s": checks.seconds,
    "removal_lies": checks.table(checks.many(checks.choice(*RemovalLie))),
    "reinstall_after_s": checks.seconds,
}
_OTHER_FIELDS: dict[str, Check] = {
    "auth": checks.choice(*AuthMode),
    "battery_percent": checks.whole(0, 100),
    "charging": checks.flag,
    "uptime_s": checks.seconds,
    "users": checks.many(_USER),
    "unreadable_users": checks.many(checks.whole(0)),
    "accounts": checks.many(_ACCOUNT),
    "sims": checks.many(_SIM),
    "settings": _SETTINGS,
    "properties": checks.table(checks.text),
    "install": checks.many(_PACKAGE),
    "uninstall": checks.many(checks.text),
    "install_sources": checks.table(checks.flag),
    "volumes": checks.many(_VOLUME),
    "profile_owners": checks.many(_PROFILE_OWNER),
    "roles": _ROLES,
    "fault": _fault,
}
START: dict[str, Check] = {"profile": checks.choice(*PROFILES), "fresh": checks.flag}
"""What a phone is made from; it cannot become another while it runs."""
CHANGES = IDENTITY_FIELDS | PLAIN_FIELDS | _OTHER_FIELDS

_REASON: dict[str, Check] = {"reason": checks.text}
_FOR: dict[str, Check] = {"for_s": checks.seconds}
VERBS: dict[str, tuple[dict[str, Check], tuple[str, ...]]] = {
    "reboot": (_REASON, ()),
    "power_off": (_REASON | _FOR, ()),
    "battery_dies": (_FOR, ()),
    "power_on": ({}, ()),
    "kill_journal": ({}, ()),
    "lose_journal": ({}, ()),
    "authorise": ({}, ()),
    "factory_reset": ({}, ()),
    "enable_debugging": ({}, ()),
    "tap": ({}, ()),
    "drop": ({}, ()),
    "fault": ({"fault": _fault}, ("fault",)),
    "set": ({"values": checks.record(CHANGES)}, ("values",)),
}
_WHEN: dict[str, Check] = {"at_s": checks.seconds, "every_s": checks.seconds, "phone": checks.whole(0)}


@dataclass(frozen=True, slots=True)
class Event:
    """At `at_s` seconds after the start (and then each `every_s`, unless 0) do `verb` to a phone."""

    at_s: float
    every_s: float
    phone: int
    verb: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario: `phones` maps a phone's index to the fields that differ."""

    phones: dict[int, dict[str, Any]]
    events: list[Event]
    seed: int = 1
    packages: int = 60


def _event(value: Any, path: str) -> Event:
    if not isinstance(value, dict):
        raise ScenarioError([f"{path}: an object is wanted"])
    verb = checks.choice(*VERBS)(value.get("do"), f"{path}.do")
    fields, required = VERBS[verb]
    found = checks.record({"do": checks.text} | _WHEN | fields, ("at_s", "phone", *required))(value, path)
    rest = {name: item for name, item in found.items() if name in fields}
    return Event(found["at_s"], found.get("every_s", 0.0), found["phone"], verb, rest)


_SCENARIO = checks.record(
    {
        "seed": checks.whole(0),
        "packages": checks.whole(0, 5000),
        "phones": checks.many(checks.record({"phone": checks.whole(0)} | START | CHANGES, ("phone",))),
        "events": checks.many(_event),
    }
)


def parse(document: Any, phones: int) -> Scenario:
    """Check a scenario for a fleet of `phones`; raises `ScenarioError` that names every bad field."""
    found = _SCENARIO(document, "scenario")
    named = [(f"phones[{place}]", item["phone"]) for place, item in enumerate(found.get("phones", []))]
    named += [(f"events[{place}]", item.phone) for place, item in enumerate(found.get("events", []))]
    beyond = [
        f"scenario.{path}.phone: there are {phones} phones, 0 to {phones - 1}, not {number}"
        for path, number in named
        if number >= phones
    ]
    if beyond:
        raise ScenarioError(beyond)
    differ: dict[int, dict[str, Any]] = {}
    for item in found.get("phones", []):
        differ.setdefault(item.pop("phone"), {}).update(item)
    return Scenario(differ, found.get("events", []), found.get("seed", 1), found.get("packages", 60))


def load(path: Path, phones: int) -> Scenario:
    """Read a scenario file; `ScenarioError` also when it cannot be read or is not JSON."""
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")), phones)
    except OSError as error:
        raise ScenarioError([f"{path}: {error.strerror}"]) from None
    except ValueError as error:
        raise ScenarioError([f"{path}: not JSON: {error}"]) from None
