"""What simulated phones take along from one run to the next: what became of their apps, and that they were erased.

Kept is how a phone differs from what it is made as, so that a scenario that says something new is heard. JSON, by
serial.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.simulator import reset
from agent.simulator.state import AuthMode, Enabled, Package, PhoneState, UserState

Made = dict[str, dict[str, Package]]
"""Serial → the packages that a phone was made with, by name."""


class KeptError(Exception):
    """The file is none of this program's."""


def made(phones: Sequence[PhoneState]) -> Made:
    """To be taken before `bring_back`: by it `keep` tells what differs."""
    return {phone.identity.serial: {one.name: deepcopy(one) for one in phone.packages} for phone in phones}


def bring_back(path: Path, phones: Sequence[PhoneState]) -> None:
    """Make phones, fresh from their scenario, what they were at the end of the last run; nothing without a file.

    Raise `KeptError` for a file that cannot be used, and change no phone then.
    """
    if not path.exists():
        return
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        told = [
            (phone, _read(kept[phone.identity.serial])) for phone in phones if phone.identity.serial in kept
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeptError(f"{path}: {error}") from None
    for phone, (gone, changed, erased) in told:
        if erased is not None:
            _erase_again(phone, erased)
        names = gone | {one.name for one in changed}
        phone.packages = [one for one in phone.packages if one.name not in names] + changed


def keep(path: Path, phones: Sequence[PhoneState], as_made: Made) -> None:
    """Write what differs, whole or not at all: a run that is killed meanwhile leaves the former file."""
    found = {phone.identity.serial: _told(phone, as_made[phone.identity.serial]) for phone in phones}
    part = path.with_suffix(".part")
    part.write_text(
        json.dumps({serial: one for serial, one in found.items() if any(one.values())}), encoding="utf-8"
    )
    part.replace(path)


def _told(phone: PhoneState, as_made: Mapping[str, Package]) -> dict[str, Any]:
    now = {one.name: one for one in phone.packages}
    return {
        "gone": sorted(as_made.keys() - now.keys()),
        "changed": [asdict(one) for name, one in now.items() if as_made.get(name) != one],
        "erased": _erasure(phone) if phone.resets else None,
    }


def _erasure(phone: PhoneState) -> dict[str, Any]:
    return {
        "harness": phone.test_harness,
        "android_id": phone.identity.android_id,
        "debugging": phone.debugging,
        "auth": phone.auth,
        "authorised_keys": phone.authorised_keys,
    }


def _erase_again(phone: PhoneState, erased: Mapping[str, Any]) -> None:
    boots = phone.boot_count
    reset.erase(phone, harness=erased["harness"])
    phone.identity.android_id, phone.media = erased["android_id"], 0
    phone.debugging, phone.auth = erased["debugging"], AuthMode(erased["auth"])
    phone.authorised_keys = list(erased["authorised_keys"])
    # The scenario's: each run is a later boot than those of the runs before it.
    phone.boot_count = boots


def _read(kept: Mapping[str, Any]) -> tuple[set[str], list[Package], dict[str, Any] | None]:
    erased = kept["erased"]
    if erased is not None:
        AuthMode(erased["auth"])
        erased = {
            name: erased[name] for name in ("harness", "android_id", "debugging", "auth", "authorised_keys")
        }
    return set(kept["gone"]), [_package(one) for one in kept["changed"]], erased


def _package(kept: Mapping[str, Any]) -> Package:
    users = {
        int(user): UserState(Enabled(state["enabled"]), bool(state["suspended"]))
        for user, state in kept["users"].items()
    }
    return Package(**{**kept, "users": users})
