"""Codes of this room in the words that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.apps.rules import Kind
from app.labels import label_of, name_of
from app.readings import OWNER, space_words

PLACES: Mapping[str, tuple[str, str]] = {
    "required": ("busy", "必装"),
    "allowed": ("good", "可以装"),
    "preset": ("quiet", "出厂预装"),
    "forbidden": ("bad", "禁止"),
    "unlisted": ("unknown", "不在名单"),
}
"""Place in the allow-list → kind of badge and word."""

KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.BASELINE: ("quiet", "首次读到应用"),
    Kind.RESET: ("bad", "恢复出厂设置"),
    Kind.INSTALLED: ("busy", "安装"),
    Kind.REMOVED: ("busy", "卸载"),
    Kind.UPDATED: ("quiet", "更新"),
    Kind.DISABLED: ("busy", "停用"),
    Kind.ENABLED: ("busy", "启用"),
    Kind.SUSPENDED: ("busy", "暂停"),
    Kind.RESUMED: ("busy", "恢复"),
    Kind.INSTALLER: ("busy", "安装来源变了"),
    Kind.SIGNER: ("bad", "签名变了"),
    Kind.SYSTEM_APPS: ("quiet", "系统组件随系统更新"),
    Kind.USER_ADDED: ("busy", "新增用户空间"),
    Kind.USER_REMOVED: ("busy", "删除用户空间"),
    Kind.USER_READ: ("quiet", "首次读到用户空间"),
    Kind.USER_AWAY: ("unknown", "用户空间未能检查"),
    Kind.USER_BACK: ("quiet", "用户空间恢复检查"),
    Kind.ACCOUNT_ADDED: ("busy", "登录账号"),
    Kind.ACCOUNT_REMOVED: ("busy", "退出账号"),
    Kind.ACCOUNT_CHANGED: ("busy", "更换账号"),
    Kind.SETTING: ("busy", "设置"),
}
GROUPS: Mapping[str, tuple[str, tuple[Kind, ...]]] = {
    "apps": (
        "应用",
        (
            Kind.INSTALLED, Kind.REMOVED, Kind.UPDATED, Kind.DISABLED, Kind.ENABLED, Kind.SUSPENDED, Kind.RESUMED,
            Kind.INSTALLER, Kind.SIGNER, Kind.SYSTEM_APPS,
        ),
    ),
    "accounts": ("账号", (Kind.ACCOUNT_ADDED, Kind.ACCOUNT_REMOVED, Kind.ACCOUNT_CHANGED)),
    "settings": ("设置与系统", (Kind.SETTING, Kind.RESET)),
    "users": ("用户空间", (Kind.USER_ADDED, Kind.USER_REMOVED, Kind.USER_READ)),
    "reach": ("检查范围", (Kind.BASELINE, Kind.USER_AWAY, Kind.USER_BACK)),
}  # fmt: skip
"""What the page of a phone's changes can be narrowed to."""

SETTINGS: Mapping[str, str] = {
    "setup.developer_options": "开发者选项",
    "setup.adb_wifi": "无线调试",
    "setup.unknown_sources": "允许安装未知应用的应用",
    "setup.lock_screen": "锁屏",
    "identity.android_id": "系统标识",
    "identity.fingerprint": "系统版本",
    "identity.android_release": "安卓版本",
    "identity.security_patch": "安全补丁",
    "identity.build_type": "系统类型",
    "identity.brand": "品牌",
    "identity.model": "型号",
    "security.device_owner": "设备管理方",
    "security.profile_owners": "工作资料管理方",
    "security.verified_boot": "启动校验",
    "security.bootloader_locked": "引导锁",
    "security.debuggable": "系统可调试",
    "security.build_tags": "系统签名",
    "security.su": "root",
    "security.selinux": "SELinux",
    "security.accessibility": "无障碍服务",
    "security.notification_listeners": "可读通知的应用",
    "security.device_admins": "设备管理器",
    "security.input_method": "输入法",
    "security.roles.sms": "默认短信应用",
    "security.roles.dialer": "默认电话应用",
    "security.roles.home": "默认桌面",
    "security.roles.browser": "默认浏览器",
    "security.roles.assistant": "默认助手",
}
VALUES: Mapping[tuple[str, Any], str] = {
    ("setup.lock_screen", "none"): "没有",
    ("setup.lock_screen", "set"): "已设置",
    ("setup.lock_screen", "pin"): "数字密码",
    ("setup.lock_screen", "password"): "密码",
    ("setup.lock_screen", "pattern"): "图案",
    ("security.device_owner", ""): "无",
    ("security.device_owner", "?"): "有，名称未读到",
    ("security.bootloader_locked", True): "已锁",
    ("security.bootloader_locked", False): "已解锁",
    ("security.su", True): "有 su",
    ("security.su", False): "没有 su",
    ("security.debuggable", True): "是",
    ("security.debuggable", False): "否",
}

ACCOUNTS: Mapping[str, str] = {
    "com.tencent.mm.account": "微信账号",
    "com.xiaomi": "小米账号",
    "com.huawei.hwid": "华为账号",
    "com.osp.app.signin": "三星账户",
    "com.bbk.account": "vivo账号",
    "com.google": "Google 账号",
}
"""Types of accounts as Android has them."""


def user_word(user: int | None) -> str:
    """Which user of the phone: the first is the one that works with it."""
    return "" if user is None or user == OWNER else f"用户空间 {space_words(user)}"


def subject_of(
    kind: Kind, package: str | None, subject: str, user: int | None, labels: Mapping[str, str]
) -> str:
    """What changed: an app, a setting, an account, a user."""
    if package:
        return name_of(package, labels)
    if kind is Kind.SETTING:
        return SETTINGS.get(subject, subject)
    if kind in (Kind.ACCOUNT_ADDED, Kind.ACCOUNT_REMOVED, Kind.ACCOUNT_CHANGED):
        return ACCOUNTS[subject] if subject in ACCOUNTS else name_of(subject, labels)
    return "" if user is None else f"用户空间 {space_words(user)}"


def detail_of(kind: Kind, subject: str, before: Any, after: Any, labels: Mapping[str, str]) -> str:
    """From what to what, in words."""
    if kind is Kind.SETTING:
        if isinstance(before, list) and isinstance(after, list):
            return _lists(before, after, labels)
        return f"{_value(subject, before, labels)} → {_value(subject, after, labels)}"
    if kind in (Kind.ACCOUNT_ADDED, Kind.ACCOUNT_REMOVED):
        return f"{before} 个 → {after} 个"
    if kind in (Kind.INSTALLED, Kind.REMOVED, Kind.UPDATED, Kind.INSTALLER, Kind.SIGNER):
        return _of_app(kind, before, after, labels)
    return _counted(kind, after, labels)


def installer_word(installer: str | None, system: bool | None, labels: Mapping[str, str]) -> str:
    if installer is not None:
        return f"来自 {label_of(installer, labels)}"
    return "系统自带" if system else "没有安装来源（手动安装或未记录）"


def _of_app(kind: Kind, before: Any, after: Any, labels: Mapping[str, str]) -> str:
    if kind is Kind.UPDATED:
        return f"{_version(before)} → {_version(after)}"
    if kind is Kind.INSTALLED:
        return f"版本 {_version(after)}，{installer_word(after['installer'], after['system'], labels)}"
    if kind is Kind.REMOVED:
        return f"原版本 {_version(before)}"
    if kind is Kind.INSTALLER:
        return f"{installer_word(before, None, labels)} → {installer_word(after, None, labels)}"
    return f"{before} → {after}"


def _counted(kind: Kind, after: Any, labels: Mapping[str, str]) -> str:
    if kind is Kind.BASELINE:
        return f"系统之外 {after['apps']} 个应用；以后的变化从这里算起"
    if kind is Kind.SYSTEM_APPS:
        return f"{after['apps']} 个"
    if kind is Kind.USER_READ:
        names = "、".join(label_of(name, labels) for name in after["names"])
        return f"{after['apps']} 个应用" + (f"：{names}" if names else "")
    if kind is Kind.RESET:
        return "系统标识变了；之前的应用和设置不再算数，从头记录"
    if kind is Kind.USER_AWAY:
        return "其中的应用不算卸载，只是自此没有检查"
    return ""


def _version(told: Any) -> str:
    return str(told["name"] or told["code"] or "未知")


def _lists(before: list[str], after: list[str], labels: Mapping[str, str]) -> str:
    added = [_component(item, labels) for item in after if item not in before]
    gone = [_component(item, labels) for item in before if item not in after]
    parts = [f"增加 {'、'.join(added)}"] if added else []
    return "；".join([*parts, *([f"去掉 {'、'.join(gone)}"] if gone else [])])


def _component(text: str, labels: Mapping[str, str]) -> str:
    package = text.partition("/")[0]
    return name_of(package, labels) if package in labels else text


def _value(subject: str, value: Any, labels: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return "、".join(_component(str(item), labels) for item in value) or "没有"
    if (subject, value) in VALUES:
        return VALUES[subject, value]
    if isinstance(value, bool):
        return "开" if value else "关"
    return "没有" if value in (None, "") else _component(str(value), labels)
