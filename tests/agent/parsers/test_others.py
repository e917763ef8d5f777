"""Users, accounts, power, storage, set-up."""

from __future__ import annotations

import pytest

from agent.parsers import Unreadable
from agent.parsers.device import (
    Storage,
    parse_lock,
    parse_settings,
    parse_storage,
    parse_unknown_sources,
)
from agent.parsers.power import (
    Battery,
    parse_battery,
    parse_boot_count,
    parse_boot_id,
    parse_screen_on,
    parse_uptime,
)
from agent.parsers.users import Account, User, parse_accounts, parse_users
from tests.support.captures import own

BOOT_ID = "6e8bc430-9c3a-11d9-9669-0800200c9a66"


def test_users() -> None:
    text = "Users:\n\tUserInfo{0:机主:4c13} running\n\tUserInfo{10:a:b}c:1030}\n\tUserInfo{999:XSpace:801010} running"
    assert parse_users(text) == [User(0, "机主", True), User(10, "a:b}c", False), User(999, "XSpace", True)]


@pytest.mark.parametrize(
    "text", ["", "Users:", "Users:\n\tUserInfo{x:a:1}", "Users:\n\tUserInfo{0:a:13}\n用户", "Error"]
)
def test_a_list_of_users_with_a_hole_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_users(text)


def test_accounts() -> None:
    assert parse_accounts(own("account_10.txt")) == [
        Account(0, "com.xiaomi", "13800001111"),
        Account(0, "com.tencent.mm.account", "li, type=x}"),
        Account(0, "com.google", "li.si@example.com"),
    ]
    assert parse_accounts("User UserInfo{0:a:13}:\n  Accounts: 0\n") == []


def test_an_account_does_not_print_its_name() -> None:
    assert "13800001111" not in repr(parse_accounts(own("account_10.txt")))


@pytest.mark.parametrize("line", range(7))
def test_accounts_with_a_line_lost_are_unreadable(line: int) -> None:
    lines = own("account_10.txt").splitlines()
    del lines[line]
    with pytest.raises(Unreadable):
        parse_accounts("\n".join(lines))


def test_uptime() -> None:
    assert parse_uptime("210923.55 1180021.90\n") == 210923.55
    assert parse_uptime("5 10") == 5.0


@pytest.mark.parametrize("text", ["", "abc", "-1 2", "1e9 2", "1", "12.5 13.5 14", "１2 3"])
def test_no_uptime(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_uptime(text)


def test_boot_id() -> None:
    assert parse_boot_id(f"{BOOT_ID.upper()}\n") == BOOT_ID


@pytest.mark.parametrize("text", ["", BOOT_ID[:-1], BOOT_ID + "0", "0" * 8 + "-0000-0000-0000-" + "0" * 12])
def test_no_boot_id(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_boot_id(text)


@pytest.mark.parametrize(
    ("setting", "completed", "expected"),
    [("41", "1", 41), ("0", "1", 0), ("41", "0", None), ("41", None, None), ("null", "1", None), ("x", "1", None),
     (None, "1", None), ("-3", "1", None)],
)  # fmt: skip
def test_boot_count(setting: str | None, completed: str | None, expected: int | None) -> None:
    if expected is None:
        with pytest.raises(Unreadable):
            parse_boot_count(setting, completed)
    else:
        assert parse_boot_count(setting, completed) == expected


BATTERY = "Current Battery Service state:\n  status: {}\n  level: {}\n  scale: {}\n  OEM level: 3\n"


@pytest.mark.parametrize(
    ("status", "level", "scale", "expected"),
    [(2, 87, 100, Battery(87, True)), (5, 100, 100, Battery(100, True)), (3, 1, 2, Battery(50, False)),
     (1, 0, 100, Battery(0, None)), (4, 3, 100, Battery(3, False))],
)  # fmt: skip
def test_battery(status: int, level: int, scale: int, expected: Battery) -> None:
    assert parse_battery(BATTERY.format(status, level, scale)) == expected


@pytest.mark.parametrize(
    "text",
    ["", BATTERY.format(2, -5, 100), BATTERY.format(2, 101, 100), BATTERY.format(2, 0, 0),
     "  (UPDATES STOPPED -- use 'reset' to restart)\n" + BATTERY.format(2, 87, 100)],
)  # fmt: skip
def test_no_battery(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_battery(text)


@pytest.mark.parametrize(
    ("word", "on"), [("Awake", True), ("Asleep", False), ("Dozing", False), ("Dreaming", True)]
)
def test_screen(word: str, on: bool) -> None:
    assert parse_screen_on(f"  mWakefulness={word}\n  mWakefulnessChanging=false") is on


@pytest.mark.parametrize("text", ["", "mWakefulness=Elsewhere", "Permission Denial: can't dump"])
def test_no_screen(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_screen_on(text)


def test_storage() -> None:
    assert parse_storage("4096:1000:250\n") == Storage(4096000, 1024000)


@pytest.mark.parametrize("text", ["", "4096:1000", "0:1:1", "4096:10:11", "stat: '/data': Permission denied"])
def test_no_storage(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_storage(text)


def test_settings() -> None:
    assert parse_settings("boot_count=41\r\nadb_wifi_enabled=null\n") == {
        "boot_count": "41",
        "adb_wifi_enabled": "null",
    }


@pytest.mark.parametrize("text", ["", "boot_count=1\nboot_count=2", "Security exception: x", "a b=1"])
def test_settings_that_contradict_or_refuse(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_settings(text)


@pytest.mark.parametrize(
    ("lock", "trust", "expected"),
    [
        ("User 0\n  CredentialType: Pin\nUser 10\n  CredentialType: None", "", "set"),
        ("User 0\n  CredentialType: None\nUser 10\n  CredentialType: Pin", "", "none"),
        ("User 0\n  CredentialType: -1", "", "none"),
        ("User 0\n  CredentialType: 4", "", "set"),
        ("User 0\n  CredentialType: 密码", "", "unknown"),
        ("User 10\n  CredentialType: None", "", "unknown"),
        ("", ' User "机主" (id=0, flags=0x4c13) (current): trusted=0, deviceLocked=1, x=y', "set"),
        ("", ' User "机主" (id=0, flags=0x4c13) (current): trusted=0, deviceLocked=0, x=y', "unknown"),
        ("", ' User "b" (id=10, flags=0x1): deviceLocked=1', "unknown"),
        ("", "", "unknown"),
    ],
)
def test_lock(lock: str, trust: str, expected: str) -> None:
    assert parse_lock(lock, trust) == expected


def test_unknown_sources() -> None:
    assert parse_unknown_sources("com.android.chrome\ncom.miui.packageinstaller\n") == [
        "com.android.chrome",
        "com.miui.packageinstaller",
    ]
    assert parse_unknown_sources("No operations.\n") == []
    assert parse_unknown_sources("") == []
    with pytest.raises(Unreadable):
        parse_unknown_sources("Error: Unknown operation string: REQUEST_INSTALL_PACKAGES")
