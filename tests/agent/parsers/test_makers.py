"""What the makers' phones print, Android 7 to 16, is read to the last line but for what a maker adds of his own."""

from __future__ import annotations

import re

import pytest

from agent.parsers.dumps import read_dump
from agent.simulator.android import commands
from agent.simulator.profiles import PROFILES, worked_phone

COMMANDS = {
    "getprop": "getprop",
    "settings list secure": "settings",
    "settings list global": "settings",
    "pm list users": "pm_users",
    "pm list packages -i --user 0": "pm_packages",
    "dumpsys package packages": "package",
    "dumpsys device_policy": "device_policy",
    "dumpsys role": "role",
    "dumpsys account": "account",
    "dumpsys battery": "battery",
    "dumpsys usagestats": "usagestats",
    "dumpsys batterystats --history": "batterystats",
    "dumpsys -l": "services",
}
OWN = {"battery": r"  [A-Z][\w ]+: .*", "usagestats": r"  .*(?:事件|统计)"}
"""Kinds that makers add lines to, or print headings of in their own language."""
_BOOT_SDK = 26


@pytest.mark.parametrize("name", PROFILES)
def test_a_makers_phone(name: str) -> None:
    phone = worked_phone(name)
    for command, kind in COMMANDS.items():
        said = commands.run(command.split(), phone).stdout.decode("utf-8")
        if not said:  # Android has no such service yet
            continue
        (part,) = read_dump(said).parts
        assert part.tally.kind == kind
        strange = re.compile(OWN.get(kind, r"(?!)"))
        assert all(strange.fullmatch(row.text) for row in part.tally.unread), part.tally.unread
        unread = {fact.name for fact in part.facts if fact.unread is not None}
        assert unread <= {"verified_boot", "bootloader_locked"}
        assert not unread or phone.identity.sdk < _BOOT_SDK
