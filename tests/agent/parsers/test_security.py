"""Loader, test builds, root, owners, administrators, roles and components."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.parsers import Unreadable
from agent.parsers.components import parse_component, parse_components, parse_default_app, parse_resolved
from agent.parsers.device_policy import ProfileOwner, parse_admins, parse_device_owner, parse_profile_owners
from agent.parsers.roles import parse_role_holders, parse_roles
from agent.parsers.security import (
    parse_build_tags,
    parse_debuggable,
    parse_loader_locked,
    parse_selinux,
    parse_su,
    parse_verified_boot,
)
from tests.support.captures import own

LOCK, VBMETA, XIAOMI = "ro.boot.flash.locked", "ro.boot.vbmeta.device_state", "ro.secureboot.lockstate"
VERIFIED = "ro.boot.verifiedbootstate"


@pytest.mark.parametrize(
    ("props", "verified", "locked"),
    [
        ({VERIFIED: "green", LOCK: "1"}, "green", True),
        ({VERIFIED: "GREEN"}, "green", True),
        ({VERIFIED: "yellow", VBMETA: "locked"}, "yellow", True),
        ({VERIFIED: "orange", LOCK: "0", XIAOMI: "unlocked"}, "orange", False),
        ({VERIFIED: "orange"}, "orange", False),
        ({VERIFIED: "red", LOCK: "1"}, "red", True),
        ({XIAOMI: "locked"}, "does not say", True),
        ({LOCK: "0"}, "does not say", False),
        ({}, "does not say", "does not say"),
        ({VERIFIED: "green", XIAOMI: "unlocked"}, "contradict", "contradict"),
        ({VERIFIED: "orange", LOCK: "1"}, "contradict", "contradict"),
        ({LOCK: "1", VBMETA: "unlocked"}, "does not say", "contradict"),
        ({VERIFIED: "green", "vendor.boot.verifiedbootstate": "orange"}, "contradict", "contradict"),
        ({VERIFIED: "绿", LOCK: "2"}, "not understood", "not understood"),
    ],
)
def test_the_loader(props: dict[str, str], verified: str, locked: bool | str) -> None:
    for read, told in ((parse_verified_boot, verified), (parse_loader_locked, locked)):
        if isinstance(told, bool) or told in ("green", "yellow", "orange", "red"):
            assert read(props) == told
        else:
            with pytest.raises(Unreadable, match=told):
                read(props)


@pytest.mark.parametrize(
    ("props", "debuggable"),
    [
        ({"ro.debuggable": "0"}, False),
        ({"ro.debuggable": "0", "ro.build.type": "user", "ro.secure": "1"}, False),
        ({"ro.debuggable": "1", "ro.build.type": "user"}, True),
        ({"ro.debuggable": "1", "ro.build.type": "userdebug"}, True),
        ({"ro.debuggable": "0", "ro.build.type": "userdebug"}, None),
        ({"ro.debuggable": "0", "ro.secure": "0"}, None),
        ({"ro.debuggable": "yes"}, None),
        ({}, None),
    ],
)
def test_debuggable(props: dict[str, str], debuggable: bool | None) -> None:
    if debuggable is None:
        with pytest.raises(Unreadable):
            parse_debuggable(props)
    else:
        assert parse_debuggable(props) is debuggable


def test_build_tags() -> None:
    assert parse_build_tags({"ro.build.tags": "release-keys"}) == "release-keys"
    assert parse_build_tags({"ro.system.build.tags": "Test-Keys"}) == "test-keys"
    for props in ({}, {"ro.build.tags": "release-keys", "ro.system.build.tags": "test-keys"}):
        with pytest.raises(Unreadable):
            parse_build_tags(props)


def test_selinux() -> None:
    assert parse_selinux("WARNING: linker: x\nEnforcing\r\n") == "enforcing"
    assert parse_selinux("Permissive") == parse_selinux("Disabled") == "permissive"
    for bad in ("", "Enforcing\nPermissive", "/system/bin/sh: getenforce: not found"):
        with pytest.raises(Unreadable):
            parse_selinux(bad)


def test_su() -> None:
    assert not parse_su("\r\n")
    assert parse_su("/system/xbin/su /sbin/su\r\n")
    for bad in ("su", "sh: find: not found", "/system/bin/sh"):
        with pytest.raises(Unreadable):
            parse_su(bad)


PLAIN, OWNED = "device_policy_7.txt", "device_policy_14.txt"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_phone_with_an_owner_and_a_secure_folder(end: str) -> None:
    text = own(OWNED).replace("\n", end)
    assert parse_device_owner(text) == "com.example.mdm"
    assert parse_profile_owners(text) == [ProfileOwner(150, "com.samsung.knox.securefolder")]
    assert parse_admins(text) == [
        "com.samsung.android.kgclient/com.samsung.android.kgclient.agent.KGDeviceAdminReceiver",
        "com.example.mdm/com.example.mdm.Admin$Inner",
    ]
    assert parse_admins(text, 150) == ["com.samsung.knox.securefolder/com.samsung.knox.x.Admin"]


def test_a_phone_without() -> None:
    assert parse_device_owner(own(PLAIN)) is None
    assert parse_profile_owners(own(PLAIN)) == []
    assert parse_admins(own(PLAIN)) == []
    with pytest.raises(Unreadable):
        parse_admins(own(PLAIN), 10)


def test_the_owners_type_is_no_owner() -> None:
    assert "Device Owner Type: -1" in own(OWNED)
    bare = own(PLAIN) + "Device state cache:\n  Device Owner Type: -1\n  Has PO:\n"
    assert parse_device_owner(bare) is None


def test_a_dump_that_is_cut_anywhere_tells_the_truth_or_nothing() -> None:
    text = own(OWNED)
    whole = parse_device_owner(text), parse_profile_owners(text), parse_admins(text)
    readers: tuple[Callable[[str], object], ...] = (parse_device_owner, parse_profile_owners, parse_admins)
    for at in range(len(text)):
        for read, told in zip(readers, whole, strict=True):
            try:
                assert read(text[:at]) == told, at
            except Unreadable:
                continue


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too early"),
        ("Can't find service: device_policy", "not available"),
        ("*** SERVICE 'device_policy' DUMP TIMEOUT (10000ms) EXPIRED ***", "timed out"),
        (
            own(PLAIN).replace("state:\n", "state:\n  Device Owner: \n    name=x\n"),
            "owner was not understood",
        ),
        (own(PLAIN).replace("state:\n", "state:\n  Device Owner: none\n"), "owner was not understood"),
        (
            own(PLAIN).replace("state:\n", "state:\n  Device Owner:\n    package=a\n    package=b\n"),
            "not understood",
        ),
        (own(OWNED) + "  Device Owner:\n    package=a.b\n", "more than one"),
    ],
)
def test_an_owner_that_is_not_understood_is_not_none(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_device_owner(text)


def test_an_owner_on_the_headings_line() -> None:
    text = own(PLAIN).replace("state:\n", "state:\n  Device Owner: ComponentInfo{com.x/.Admin}\n")
    assert parse_device_owner(text) == "com.x"


def test_an_administrator_behind_a_stranger_line_is_not_lost() -> None:
    text = own(PLAIN).replace("    mPasswordOwner", "    厂商附加行\n    com.x/.Admin:\n    mPasswordOwner")
    with pytest.raises(Unreadable, match="not understood"):
        parse_admins(text)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_roles(end: str) -> None:
    text = own("role_13.txt").replace("\n", end)
    assert parse_roles(text) == {
        "sms": ["com.android.mms"],
        "dialer": ["com.android.contacts"],
        "home": [],
        "browser": ["com.android.browser"],
        "assistant": ["com.miui.voiceassist", "com.second"],
    }
    assert parse_roles(text, 10) == {"sms": [], "home": ["com.other.home"]}


def test_roles_that_are_cut_tell_nothing() -> None:
    text = own("role_13.txt").rstrip()
    for at in range(len(text)):
        with pytest.raises(Unreadable):
            parse_roles(text[:at])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Can't find service: role", "not available"),
        ("ROLE MANAGER STATE (dumpsys role):\n{\n}\n", "not listed"),
        (own("role_13.txt").replace("=com.android.mms", "=短信"), "holder was not understood"),
        (own("role_13.txt").replace("name=android.app.role.SMS\n", "", 1).replace("SMS", "x"), None),
    ],
)
def test_roles_that_are_not_understood(text: str, reason: str | None) -> None:
    if reason is None:
        assert "sms" not in parse_roles(text)
        return
    with pytest.raises(Unreadable, match=reason):
        parse_roles(text)


def test_the_holders_of_one_role() -> None:
    assert parse_role_holders("com.a;com.b\r\ncom.a\n") == ["com.a", "com.b"]
    assert parse_role_holders("\n") == []
    with pytest.raises(Unreadable, match="not available"):
        parse_role_holders("Unknown command: get-role-holders")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ("null", []),
        ("", []),
        ("a.b/.C:a.b/a.b.C:c.d/e.F$G:", ["a.b/a.b.C", "c.d/e.F$G"]),
    ],
)
def test_components(value: str | None, found: list[str]) -> None:
    assert parse_components(value) == found


def test_settings_that_are_not_understood() -> None:
    for bad in ("a.b", "a.b/.C,c.d/.E", "无障碍/.X", "a b/.C"):
        with pytest.raises(Unreadable):
            parse_components(bad)
    with pytest.raises(Unreadable):
        parse_component("a/.B:c/.D")
    with pytest.raises(Unreadable):
        parse_default_app("短信")


def test_one_component_and_default_apps() -> None:
    assert parse_component("com.sohu.inputmethod.sogou.xiaomi/.SogouIME") == (
        "com.sohu.inputmethod.sogou.xiaomi/com.sohu.inputmethod.sogou.xiaomi.SogouIME"
    )
    assert parse_component("null") is None
    assert (
        parse_default_app("com.android.mms")
        == parse_default_app("com.android.mms/.Main")
        == ["com.android.mms"]
    )
    assert parse_default_app(None) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true\ncom.miui.home/.Launcher\n",
            1,
        ),
        ("packageName=com.miui.home\r\n  packageName=com.miui.home", 1),
        ("priority=0 isDefault=false\nandroid/com.android.internal.app.ResolverActivity", 0),
        ("packageName=com.huawei.android.internal.app", 0),
        ("No activity found", 0),
    ],
)
def test_the_app_that_android_would_start(text: str, found: int) -> None:
    assert parse_resolved(text) == ["com.miui.home"] * found


def test_what_would_start_is_not_guessed() -> None:
    for bad in ("", "cmd: Can't find service: package", "packageName=a.b\npackageName=c.d"):
        with pytest.raises(Unreadable):
            parse_resolved(bad)
