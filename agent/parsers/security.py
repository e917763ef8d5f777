"""Signs of a loader that was opened, a test build, root. Each is three-valued: properties that contradict each other,
as they do where somebody hides an opened loader by changing some of them, raise `Unreadable` and are no good sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from agent.parsers.common import Unreadable, complaint, flag, is_noise

VerifiedBoot = Literal["green", "yellow", "orange", "red"]
Selinux = Literal["enforcing", "permissive"]

_VERIFIED = ("ro.boot.verifiedbootstate", "vendor.boot.verifiedbootstate")
_STATES: dict[str, VerifiedBoot] = {
    "green": "green",
    "yellow": "yellow",
    "orange": "orange",
    "red": "red",
}
_LOCK = (
    "ro.boot.flash.locked",
    "ro.boot.vbmeta.device_state",
    "vendor.boot.vbmeta.device_state",
    "ro.secureboot.lockstate",
)
"""Android's own, the vendors' copies, Xiaomi's."""
_LOCKED = {"1": True, "locked": True, "0": False, "unlocked": False}
_TEST_TYPES = frozenset({"eng", "userdebug"})
_CONTRADICTION = "the phone's properties contradict each other"
_SILENT = "the phone does not say"
_SELINUX: dict[str, Selinux] = {
    "Enforcing": "enforcing",
    "Permissive": "permissive",
    "Disabled": "permissive",
}


def parse_verified_boot(props: Mapping[str, str]) -> VerifiedBoot:
    """How the boot was verified: `green` by the vendor's key, `yellow` by another, `orange` not, `red` in vain.

    Raise `Unreadable`, also where it does not fit what the phone says of its loader.
    """
    states = [_STATES.get(value) for value in _values(props, _VERIFIED)]
    if not states:
        raise Unreadable(_SILENT)
    state = states[0]
    if state is None or len(set(states)) > 1:
        raise Unreadable(_CONTRADICTION if len(set(states)) > 1 else "not understood")
    if state != "red" and (state != "orange") in _opposite(props):
        raise Unreadable(_CONTRADICTION)
    return state


def _opposite(props: Mapping[str, str]) -> set[bool]:
    """For each property that tells of the loader, the opposite of what it tells."""
    return {not _LOCKED[value] for value in _values(props, _LOCK) if value in _LOCKED}


def parse_loader_locked(props: Mapping[str, str]) -> bool:
    """Whether the loader refuses other systems than the vendor's.

    Raise `Unreadable`, also where one property says so and another denies it.
    """
    told = [_LOCKED.get(value) for value in _values(props, _LOCK)]
    verified = {_STATES.get(value) for value in _values(props, _VERIFIED)}
    told += [state != "orange" for state in verified if state in ("green", "yellow", "orange")]
    if not told:
        raise Unreadable(_SILENT)
    if None in told:
        raise Unreadable("not understood")
    if len(set(told)) > 1:
        raise Unreadable(_CONTRADICTION)
    return bool(told[0])


def parse_debuggable(props: Mapping[str, str]) -> bool:
    """Whether every app may be debugged, as on test builds. Raise `Unreadable`."""
    debuggable = flag(props.get("ro.debuggable"))
    if debuggable is None:
        raise Unreadable("not understood" if props.get("ro.debuggable") else _SILENT)
    test_build = bool(_TEST_TYPES & set(_values(props, ("ro.build.type",))))
    if not debuggable and (test_build or flag(props.get("ro.secure")) is False):
        raise Unreadable(_CONTRADICTION)
    return debuggable


def parse_build_tags(props: Mapping[str, str]) -> str:
    """Which keys signed the system: `release-keys`, or `test-keys`, `dev-keys`. Raise `Unreadable`."""
    tags = _values(props, ("ro.build.tags", "ro.system.build.tags"))
    if not tags:
        raise Unreadable(_SILENT)
    if len(set(tags)) > 1:
        raise Unreadable(_CONTRADICTION)
    return tags[0]


def parse_selinux(text: str) -> Selinux:
    """`getenforce`; a SELinux that is off enforces nothing: `permissive`. Raise `Unreadable`."""
    lines = [line.strip() for line in text.split("\n") if not is_noise(line)]
    if len(lines) != 1 or lines[0] not in _SELINUX:
        raise Unreadable(complaint(text) or "not understood")
    return _SELINUX[lines[0]]


def parse_su(text: str) -> bool:
    """Whether a `su` stands in one of the usual places, from the paths that exist. False proves nothing: it may hide.

    Raise `Unreadable` at anything that is no such path.
    """
    words = [word for line in text.split("\n") if not is_noise(line) for word in line.split()]
    if not all(word.startswith("/") and word.endswith("/su") for word in words):
        raise Unreadable(complaint(text) or "not understood")
    return bool(words)


def _values(props: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [value for name in names if (value := props.get(name, "").strip().lower())]
