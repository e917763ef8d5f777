"""What may be wrong with a phone (R03), as a scenario would make it so, and what the server must then find: that alone.

A case knows the makers' phones by what they can do: an Android that does not tell something gives "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agent.simulator.catalogue import WORK_APPS
from agent.simulator.state import PhoneState

Found = frozenset[tuple[str, str, str]]
"""Code, subject, status."""
Fields = Mapping[str, Any]

WECHAT, EQXIU, CAMERA, BOARD = "com.tencent.mm", "cn.knet.eqxiu", "com.xhey.xcamera", "com.aijia.board"
FORBIDDEN, STRANGER, MDM = "com.ss.android.ugc.aweme", "com.taobao.taobao", "com.other.mdm"
CLICKER = "com.taobao.taobao/com.taobao.taobao.Clicker"
GUEST = 11
CODES = {app.name: app.version_code for app in WORK_APPS}

_PER_APP_SOURCES, _SIGNERS, _LOCK_KIND, _VERIFIED_BOOT = 26, 28, 30, 26


class Case(NamedTuple):
    """`fields` of a scenario; `found`: what they add to what was found before, None: nothing but "unknown" may be
    added, and something must be.
    """

    fields: Callable[[PhoneState], Fields]
    found: Callable[[PhoneState], Found | None]


def fails(*found: tuple[str, str]) -> Found:
    return frozenset((code, subject, "fail") for code, subject in found)


def unknowns(*found: tuple[str, str]) -> Found:
    return frozenset((code, subject, "unknown") for code, subject in found)


def silent(phone: PhoneState) -> Found:
    """What phones of this release do not tell, and what this maker's second users hide."""
    sdk = phone.identity.sdk
    found = unknowns(*(("user_not_inspected", str(user)) for user in phone.unreadable_users))
    if sdk < _VERIFIED_BOOT:
        found |= unknowns(("security_not_read", "verified_boot"), ("security_not_read", "bootloader_locked"))
    if sdk < _SIGNERS:
        found |= unknowns(("required_signer_unknown", CAMERA))
    return found


def _always(fields: Fields, found: Found | None) -> Case:
    return Case(lambda _: fields, lambda _: found)


def _install(name: str, **fields: Any) -> Fields:
    return {"install": [{"name": name, **fields}]}


def _from_store(phone: PhoneState, name: str) -> Fields:
    store = next(item.installer for item in phone.packages if item.name == WECHAT)
    return _install(name, version_code=1, installer=store)


def _with_stranger(phone: PhoneState, fields: Fields) -> Fields:
    return {**_from_store(phone, STRANGER), **fields}


def _sources(phone: PhoneState) -> Fields:
    if phone.identity.sdk >= _PER_APP_SOURCES:
        return {"install_sources": {STRANGER: True}}
    return {"settings": {"secure": {"install_non_market_apps": "1"}}}


def _secure(**settings: str) -> Fields:
    return {"settings": {"secure": settings}}


def _global(**settings: str) -> Fields:
    return {"settings": {"global": settings}}


def _guest(phone: PhoneState, **fields: Any) -> Fields:
    users = [{"id": user.id, "name": user.name, "flags": user.flags} for user in phone.users]
    system = next(item.name for item in phone.packages if item.system)
    installed = [{"name": system, "user": GUEST}]
    installed += [{"name": WECHAT, "user": GUEST}] if fields.get("with_wechat") else []
    return {"users": [*users, {"id": GUEST, "name": "访客"}], "install": installed}


def _hidden_space(phone: PhoneState) -> Fields:
    fields = dict(_guest(phone))
    return {**fields, "unreadable_users": [*sorted(phone.unreadable_users), GUEST]}


def _unlocked(phone: PhoneState) -> Found:
    """Whether there is a lock was told by a dump before Android 11 only while it was locked."""
    if phone.identity.sdk >= _LOCK_KIND:
        return fails(("no_screen_lock", ""))
    return unknowns(("setting_not_read", "lock_screen"))


def _opened(phone: PhoneState) -> Found:
    return fails(("loader_unlocked", "")) if phone.identity.sdk >= _VERIFIED_BOOT else frozenset()


def _signed(phone: PhoneState) -> Found:
    return fails(("required_other_signer", CAMERA)) if phone.identity.sdk >= _SIGNERS else frozenset()


def _secure_unread(phone: PhoneState) -> Found:
    found = unknowns(("setting_not_read", "accessibility"))
    return (
        found
        if phone.identity.sdk >= _PER_APP_SOURCES
        else found | unknowns(("setting_not_read", "unknown_sources"))
    )


def _appops_unread(phone: PhoneState) -> Found:
    new = phone.identity.sdk >= _PER_APP_SOURCES
    return unknowns(("setting_not_read", "unknown_sources")) if new else frozenset()


def _refused(command: str, found: Found | None) -> Case:
    return _always({"refused": [command]}, found)


FINDINGS: dict[str, Case] = {
    "forbidden": Case(lambda p: _from_store(p, FORBIDDEN), lambda _: fails(("app_forbidden", FORBIDDEN))),
    "unlisted": Case(lambda p: _from_store(p, STRANGER), lambda _: fails(("app_not_prescribed", STRANGER))),
    "missing": _always({"uninstall": [EQXIU]}, fails(("required_missing", EQXIU))),
    "disabled": _always(_install(EQXIU, enabled="disabled_user"), fails(("required_inactive", EQXIU))),
    "suspended": _always(_install(EQXIU, suspended=True), fails(("required_inactive", EQXIU))),
    "too_old": _always(_install(BOARD, version_code=1), fails(("required_too_old", BOARD))),
    "other_signer": Case(lambda _: _install(CAMERA, signer="badbad1"), _signed),
    "sideloaded": _always(
        _install(EQXIU, installer="com.android.packageinstaller"), fails(("app_sideloaded", EQXIU))
    ),
    "installer_untold": _always(_install(EQXIU, installer=None), unknowns(("installer_unknown", EQXIU))),
    "guest": Case(_guest, lambda _: fails(("user_not_allowed", str(GUEST)))),
    "guest_with_wechat": Case(
        lambda p: _guest(p, with_wechat=True),
        lambda _: fails(("user_not_allowed", str(GUEST)), ("app_in_other_user", f"{WECHAT}@{GUEST}")),
    ),
    "hidden_space": Case(
        _hidden_space,
        lambda _: fails(("user_not_allowed", str(GUEST))) | unknowns(("user_not_inspected", str(GUEST))),
    ),
    "account": _always(
        {"accounts": [{"user": 0, "type": "com.google", "name": "a@b.c"}]},
        fails(("account_not_allowed", "com.google@0")),
    ),
    "developer_options": _always(
        _global(development_settings_enabled="1"), fails(("developer_options_on", ""))
    ),
    "adb_wifi": _always(_global(adb_wifi_enabled="1"), fails(("adb_wifi_on", ""))),
    "unknown_sources": Case(
        _sources,
        lambda p: fails(("unknown_sources_on", STRANGER if p.identity.sdk >= _PER_APP_SOURCES else "*")),
    ),
    "airplane_mode": _always({"airplane_mode": True}, fails(("airplane_mode_on", ""))),
    "no_lock": Case(lambda _: {"lock_pin": None}, _unlocked),
    "accessibility": Case(
        lambda p: _with_stranger(p, _secure(enabled_accessibility_services=CLICKER)),
        lambda _: fails(("accessibility_not_allowed", CLICKER), ("app_not_prescribed", STRANGER)),
    ),
    "accessibility_of_the_system": _always(
        _secure(enabled_accessibility_services="com.android.settings/.Menu"), frozenset()
    ),
    "old_patch": _always({"security_patch": "2019-02-01"}, fails(("patch_too_old", ""))),
    "device_owner": _always({"device_owner": MDM}, fails(("other_device_owner", MDM))),
    "profile_owner": _always(
        {"profile_owners": [{"user": 10, "package": MDM}]}, fails(("other_device_owner", MDM))
    ),
    "root": _always({"su": True}, fails(("rooted", ""))),
    "permissive": _always({"selinux_enforcing": False}, fails(("rooted", ""))),
    "loader": Case(lambda _: {"loader_unlocked": True}, _opened),
    "test_build": _always({"build_type": "userdebug"}, fails(("test_build", ""))),
    "test_keys": _always({"properties": {"ro.build.tags": "test-keys"}}, fails(("test_build", ""))),
    "storage": _always({"storage_free": 300_000_000}, fails(("storage_low", ""))),
}
"""Each breach, alone."""

UNREAD: dict[str, Case] = {
    "owner_hidden": Case(lambda p: {"unreadable_users": [0, *sorted(p.unreadable_users)]}, lambda _: None),
    "packages_refused": _refused("pm list packages", None),
    "system_marks_refused": _refused("pm list packages -s", None),
    "users_refused": _refused("pm list users", None),
    "details_refused": _refused("dumpsys package", None),
    "accounts_refused": _refused("dumpsys account", unknowns(("accounts_not_read", ""))),
    "storage_refused": _refused("stat -f", unknowns(("storage_not_read", ""))),
    "policy_refused": _refused(
        "dumpsys device_policy",
        unknowns(("security_not_read", "device_owner"), ("security_not_read", "profile_owners")),
    ),
    "selinux_refused": _refused("getenforce", unknowns(("security_not_read", "selinux"))),
    "roles_refused": _refused("dumpsys role", frozenset()),
    "global_refused": _refused(
        "settings list global",
        unknowns(
            ("setting_not_read", "developer_options"),
            ("setting_not_read", "adb_wifi"),
            ("setting_not_read", "airplane_mode"),
        ),
    ),
    "secure_refused": Case(lambda _: {"refused": ["settings list secure"]}, _secure_unread),
    "appops_refused": Case(lambda _: {"refused": ["appops query-op"]}, _appops_unread),
    "locks_refused": _always(
        {"refused": ["dumpsys lock_settings", "dumpsys trust"]}, unknowns(("setting_not_read", "lock_screen"))
    ),
    "contradicting_loader": Case(
        lambda _: {"properties": {"ro.boot.verifiedbootstate": "green", "ro.boot.flash.locked": "0"}},
        lambda p: (
            unknowns(("security_not_read", "verified_boot"), ("security_not_read", "bootloader_locked"))
            - silent(p)
        ),
    ),
}
"""Each part that shell may not read, alone: never good, never bad."""

CASES = FINDINGS | UNREAD
