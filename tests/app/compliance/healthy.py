"""A phone on which nothing is wrong, as the rules and the readings see it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from app.compliance.list_rules import Allowlist
from app.compliance.lists import allowlist_of as for_model
from app.compliance.rules import Finding, Inputs, evaluate
from app.policy import PolicyFiles

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
POLICY = PolicyFiles(Path(__file__).resolve().parents[3] / "policies").latest("allowlist").body
BODY: dict[str, Any] = POLICY | {
    "apps": {
        "微信": {"package": "com.tencent.mm", "required": True},
        "水印相机": {"package": "com.stamp.camera", "required": False},
    },
    "allowed": {"com.good.reader": "阅读器"},
    "forbidden": {"com.bad.game": "游戏"},
    "installers": {"by_hand": ["com.miui.packageinstaller"]},
}
ANY_USER: dict[str, Any] = BODY | {"users": {"work": 0, "allowed": [0, 10, 999]}}
EXACT: dict[str, Any] = {
    "apps": {
        "微信": {"package": "com.tencent.mm", "required": True, "least_version": 5, "signer": "0b378e95"}
    }
}
OWNER = [{"id": 0, "name": "Owner", "running": True}]
SECURITY: dict[str, Any] = {
    "device_owner": {"set": False, "package": None},
    "profile_owners": [],
    "verified_boot": "green",
    "bootloader_locked": True,
    "debuggable": False,
    "build_tags": "release-keys",
    "su": False,
    "selinux": "enforcing",
    "accessibility": [],
    "notification_listeners": [],
    "device_admins": [],
    "input_method": "com.baidu.input/.ImeService",
    "roles": {"sms": [], "dialer": [], "home": [], "browser": [], "assistant": []},
}
SETUP: dict[str, Any] = {
    "device_provisioned": True,
    "user_setup_complete": True,
    "adb_wifi": False,
    "developer_options": True,
    "unknown_sources": [],
    "lock_screen": "set",
}
STORAGE = {"data_total_bytes": 64 * 2**30, "data_free_bytes": 32 * 2**30}
IDENTITY: dict[str, Any] = {"brand": "Xiaomi", "model": "M2101K9C", "security_patch": "2026-08-01"}
REST: dict[str, Any] = {
    "accounts": [],
    "setup": SETUP,
    "storage": STORAGE,
    "security": SECURITY,
    "identity": IDENTITY,
}
"""The sections beside packages and users."""


def app(name: str, **fields: Any) -> dict[str, Any]:
    row = {"name": name, "user": 0, "version_code": 1, "version_name": "1.0", "system": False}
    return row | {"enabled": True, "suspended": False, "installer": "com.xiaomi.market"} | fields


WECHAT = app("com.tencent.mm")
SYSTEM = app("com.android.settings", system=True, installer=None)


def allowlist_of(body: dict[str, Any]) -> Allowlist:
    return for_model(body, "Xiaomi", "M2101K9C")


def inputs(**fields: Any) -> Inputs:
    """What is wrong in `fields`, all else as it should be; sections named in `unread` are None, as in a reading."""
    whole = {
        "packages": [WECHAT, SYSTEM],
        "users": OWNER,
        "airplane_mode": False,
        "read_at": NOW,
        **REST,
        **fields,
    }
    unread = whole.get("unread", {})
    return Inputs(**{name: None if name in unread else data for name, data in whole.items()})


def found(body: dict[str, Any] | None = None, **fields: Any) -> list[Finding]:
    return evaluate(inputs(**fields), allowlist_of(BODY if body is None else body), NOW)


def told(findings: list[Finding]) -> set[tuple[str, str, str]]:
    return {(f.code, f.subject, f.status.value) for f in findings}


def bad(findings: list[Finding]) -> set[tuple[str, str, str]]:
    """All that is no pass."""
    return {t for t in told(findings) if t[2] != "pass"}


def judge(
    *packages: dict[str, Any], users: Any = OWNER, unread: dict[str, str] | None = None, **body: Any
) -> list[Finding]:
    """The findings of the apps; that there are other users is no matter here."""
    whole = found(ANY_USER | body, packages=list(packages), users=users, unread=unread or {})
    return apps_of(whole)


def apps_of(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.code not in ("settings_ok", "security_ok")]
