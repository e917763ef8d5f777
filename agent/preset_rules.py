"""Which removable apps the maker put onto a phone, told from one reading of it. Plain values only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from agent.parsers.evidence import PhoneDate
from agent.parsers.first_installs import Installed

FIRST_START_S = 3600
"""Apps of the box come onto the phone within this time of the first of them."""
FRESH_S = 2 * 86_400
"""A phone whose first start lies further back may have been anybody's meanwhile."""
STORES = frozenset(
    {
        "com.xiaomi.market", "com.huawei.appmarket", "com.hihonor.appmarket", "com.heytap.market", "com.oppo.market",
        "com.bbk.appstore", "com.sec.android.app.samsungapps", "com.hmct.appmarket", "com.android.vending",
        "com.tencent.android.qqdownloader",
    }
)  # fmt: skip
BY_HAND = frozenset(
    {
        "com.android.packageinstaller", "com.google.android.packageinstaller", "com.miui.packageinstaller",
        "com.samsung.android.packageinstaller", "com.android.shell", "com.android.browser", "adb",
    }
)  # fmt: skip
MESSENGERS = {
    "com.tencent.mm": "微信",
    "com.tencent.mobileqq": "QQ",
    "com.tencent.wework": "企业微信",
    "com.alibaba.android.rimet": "钉钉",
    "com.ss.android.lark": "飞书",
    "com.whatsapp": "WhatsApp",
    "org.telegram.messenger": "Telegram",
}
_KNOWN = re.compile(
    r"^[ \t]*([A-Za-z]\w*(?:\.\w+)+)[ \t]*:[ \t]*([^\s#{\[][^#\n]*?)[ \t]*(?:#.*)?$", re.ASCII | re.MULTILINE
)
_NAMED = re.compile(r"\bpackage:[ \t]*([A-Za-z]\w*(?:\.\w+)+)", re.ASCII)


class NotWhole(Exception):
    """What the phone told does not suffice; `args` are the parts that are missing."""


class Found(NamedTuple):
    """A removable app. `why`: why it was not taken for the maker's, None where it was."""

    package: str
    installer: str | None
    why: str | None


@dataclass(frozen=True)
class Preset:
    """`brand` in lower case. `doubts`: what speaks against the phone being fresh from its box, for people."""

    brand: str
    model: str
    apps: Sequence[Found]
    others: Sequence[Found]
    doubts: Sequence[str]


def preset_of(body: Mapping[str, Any], times: Mapping[str, Installed], date: PhoneDate) -> Preset:
    """From a snapshot and since when its apps are there. Raise `NotWhole`: nothing is guessed."""
    identity, rows = body["identity"] or {}, _removable(body)
    missing = [name for name in ("brand", "model") if not (identity.get(name) or "").strip()]
    missing += [f"安装时间 {row['name']}" for row in rows if row["name"] not in times]
    if missing:
        raise NotWhole(*missing)
    start = min((at for row in rows if (at := _on_data(times[row["name"]])) is not None), default=None)
    found = [_found(row, times[row["name"]], start) for row in rows]
    return Preset(
        identity["brand"].strip().lower(),
        identity["model"].strip(),
        [app for app in found if app.why is None],
        [app for app in found if app.why is not None],
        _doubts(body, found, start, date),
    )


def _removable(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """User 0's apps that are not the system's, by name."""
    # Of the owner alone: a second user that may not be read hides none of his apps.
    needed = {"packages", "packages.user.0", "packages.user.0.system"}
    missing = [note["section"] for note in body["unread"] if note["section"] in needed]
    rows = [row for row in body["packages"] or () if row["user"] == 0]
    if missing or not rows:
        raise NotWhole(*(missing or ["packages.user.0"]))
    return sorted((row for row in rows if row["system"] is False), key=lambda row: str(row["name"]))


def _on_data(installed: Installed) -> int | None:
    return None if installed.of_the_system else installed.at


def _found(row: Mapping[str, Any], installed: Installed, start: int | None) -> Found:
    name, installer = row["name"], row["installer"]
    if installed.of_the_system:
        return Found(name, installer, None)
    if installed.at is None or start is None:
        return Found(name, installer, "没有安装时间")
    if installed.at > start + FIRST_START_S:
        return Found(name, installer, "首次开机之后才装")
    if installer in STORES:
        return Found(name, installer, "由应用商店安装")
    if installer in BY_HAND:
        return Found(name, installer, "手工安装")
    return Found(name, installer, None)


def _doubts(body: Mapping[str, Any], found: Sequence[Found], start: int | None, date: PhoneDate) -> list[str]:
    doubts = []
    accounts, users, setup = body["accounts"], body["users"], body["setup"] or {}
    if accounts is None:
        doubts.append("账号没有读到，不知道是否有人登录过")
    elif accounts:
        doubts.append(
            f"手机上已有 {len(accounts)} 个账号：" + "、".join(sorted({a["type"] for a in accounts}))
        )
    if users is None or len(users) > 1:
        doubts.append(
            "用户空间没有读到" if users is None else f"有 {len(users)} 个用户空间（分身或第二空间）"
        )
    if setup.get("lock_screen") == "set":
        doubts.append("已设锁屏密码")
    owner = (body["security"] or {}).get("device_owner")
    if owner and owner["set"]:
        doubts.append(f"已被设备管理应用接管：{owner['package']}")
    if later := [app for app in found if app.why is not None]:
        doubts.append(f"有 {len(later)} 个应用像是后来装的（见注释行），没有列入")
    if chats := [MESSENGERS[app.package] for app in found if app.package in MESSENGERS]:
        doubts.append("已装聊天应用：" + "、".join(chats))
    return doubts + _age(start, date)


def _age(start: int | None, date: PhoneDate) -> list[str]:
    if start is None:
        return ["数据分区上没有可删应用，看不出何时首次开机"]
    age = date.now_s - start
    if age < 0:
        return ["手机时钟早于应用的安装时间，看不出何时首次开机"]
    return [f"首次开机已过 {age // 86_400} 天（按手机自己的时钟）"] if age > FRESH_S else []


def known_apps(texts: Sequence[str]) -> dict[str, str]:
    """Packages that lists name, with their label there: `pkg: label` lines of policies, or `package: pkg` members."""
    known: dict[str, str] = {}
    for text in texts:
        for package in _NAMED.findall(text):
            known.setdefault(package, package)
        for package, label in _KNOWN.findall(text):
            if known.get(package, package) == package:
                known[package] = label.strip("\"'") or package
    return known
