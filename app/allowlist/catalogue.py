"""The values of the policy that people set one by one, in their words. Plain values only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.compliance import FINDING_TITLES, SEVERITY_WORDS
from app.readings import space_words

Path = tuple[str, ...]
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_JUDGED = {"any": "不检查", "off": "必须关闭"}
_SEVERITIES = {level: word for level, (_, word) in SEVERITY_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """`kind`: `choice` of `choices`, `flag`, `number`, or `list` (a line each). `optional`: may be left empty, which
    `empty` puts into words. `unit` follows a number.
    """

    path: Path
    group: str
    label: str
    kind: str
    choices: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    optional: bool = False
    empty: str = ""
    hint: str = ""

    @property
    def name(self) -> str:
        return ".".join(self.path)


def _list(
    path: str, group: str, label: str, *, empty: str, optional: bool = False, hint: str = ""
) -> Setting:
    return Setting(tuple(path.split(".")), group, label, "list", optional=optional, empty=empty, hint=hint)


def _choice(path: str, group: str, label: str, choices: Mapping[str, str], hint: str = "") -> Setting:
    return Setting(tuple(path.split(".")), group, label, "choice", choices, hint=hint)


def _number(
    path: str, group: str, label: str, unit: str, *, optional: bool = False, hint: str = ""
) -> Setting:
    empty = "不检查" if optional else ""
    return Setting(tuple(path.split(".")), group, label, "number", {}, unit, optional, empty, hint)


SOURCES, ACCOUNTS, SETTINGS, SECURITY, SEVERITY, TIMES = (
    "安装来源", "账号和用户空间", "手机设置", "安全", "轻重", "期限",
)  # fmt: skip
_CODES = (
    "app_forbidden",
    "app_not_prescribed",
    "more_apps_than_prescribed",
    "app_sideloaded",
    "installer_not_allowed",
    "app_in_other_user",
    "required_missing",
    "required_inactive",
    "required_too_old",
    "required_other_signer",
    "user_not_allowed",
    "account_not_allowed",
    "developer_options_on",
    "adb_wifi_on",
    "unknown_sources_on",
    "airplane_mode_on",
    "no_screen_lock",
    "accessibility_not_allowed",
    "other_device_owner",
    "rooted",
    "test_build",
    "loader_unlocked",
    "patch_too_old",
    "storage_low",
)
CATALOGUE: tuple[Setting, ...] = (
    _list("installers.allowed", SOURCES, "允许的应用商店", optional=True, empty="不限商店（自行安装的除外）",
          hint="规定的和可以装的应用只能从这些应用安装，一行一个包名"),
    _list("installers.by_hand", SOURCES, "算作“自行安装”的安装器", empty="不检查",
          hint="由这些程序安装的，算手工安装（安装包），一行一个包名"),
    _list("accounts.allowed", ACCOUNTS, "允许的账号类型", optional=True, empty="不检查",
          hint="手机上可以登录的账号类型，一行一个，如 com.xiaomi"),
    _number("users.work", ACCOUNTS, "工作用户", "", hint="必装应用要装在哪个用户，一般是 0"),
    _list("users.allowed", ACCOUNTS, "允许的用户空间", empty="只有工作用户",
          hint="一行一个编号；应用双开一般是 999，手机分身一般是 10"),
    _choice("settings.developer_options", SETTINGS, "开发者选项", _JUDGED, "网关靠 USB 调试读取手机，关闭以后读不到"),
    _choice("settings.adb_wifi", SETTINGS, "无线调试", _JUDGED),
    _choice("settings.unknown_sources", SETTINGS, "安装未知来源的应用", _JUDGED),
    _choice("settings.airplane_mode", SETTINGS, "飞行模式", _JUDGED),
    _choice("settings.lock_screen", SETTINGS, "锁屏密码", {"any": "不检查", "set": "必须设置"}),
    _list("settings.accessibility.allowed", SETTINGS, "允许的无障碍服务", optional=True, empty="不检查",
          hint="除系统自带的以外可以打开的，一行一个包名"),
    _list("security.device_owners", SECURITY, "允许的管理程序", empty="都不允许",
          hint="可以当设备管理者的应用，一行一个包名"),
    _choice("security.rooted", SECURITY, "root 和测试版系统", {"any": "不检查", "judged": "检查"}),
    _choice("security.loader", SECURITY, "引导程序（Bootloader）", {"any": "不检查", "judged": "必须锁定"}),
    _number("security.patch_months", SECURITY, "安全补丁最旧", "个月", optional=True),
    _number("security.free_percent", SECURITY, "存储空间不足：剩余比例低于", "%", optional=True,
            hint="两个条件都满足才算不足"),
    _number("security.free_mb", SECURITY, "存储空间不足：剩余容量低于", "MB", optional=True),
    Setting(("judge_inactive",), SECURITY, "已停用的应用也算安装了", "flag"),
    *(_choice(f"severity.{code}", SEVERITY, FINDING_TITLES[code], _SEVERITIES) for code in _CODES),
    *(_number(f"grace_hours.{level}", TIMES, f"“{word}”的宽限", "小时", hint="发现以后多久算不合规；0 是立即")
      for level, word in _SEVERITIES.items()),
    _number("silent_hours", TIMES, "多久没有读到算未知", "小时"),
    _number("returns_days", TIMES, "多久之内再犯不再宽限", "天"),
    _number("returns_days_of.airplane_mode_on", TIMES, "飞行模式：多久之内再打开不再宽限", "天",
            hint="0 是每次都重新宽限：坐飞机等场合本来就要打开"),
    _number("exemption.max_days", TIMES, "例外最长", "天"),
    _number("exemption.remind_days", TIMES, "例外到期前多久提醒", "天", hint="0 是不提醒"),
)  # fmt: skip
NOBODY, NONE = "一个都不允许", "无"
"""An optional list with no members, in words, and what a form takes for it: left empty, it is not judged."""
GROUPS = (SOURCES, ACCOUNTS, SETTINGS, SECURITY, SEVERITY, TIMES)
BY_NAME = {setting.name: setting for setting in CATALOGUE}


def value_words(setting: Setting, value: Any) -> str:
    """A value as people read it; null and a missing member are the same here."""
    if value is None:
        return setting.empty or "没有规定"
    if setting.path[0] == "users":
        return "、".join(map(space_words, value if isinstance(value, list) else [value])) or setting.empty
    if setting.kind == "choice":
        return setting.choices.get(str(value), str(value))
    if setting.kind == "flag":
        return "是" if value else "否"
    if setting.kind == "list":
        return "、".join(str(item) for item in value) or (NOBODY if setting.optional else setting.empty)
    return f"{value} {setting.unit}".strip()


def parsed(setting: Setting, text: str) -> Any:
    """The value that a form's text names, None for none; `NONE` alone is a list without members.

    Raise `ValueError` with words for people.
    """
    text = text.strip()
    if setting.kind == "list":
        items = list(
            dict.fromkeys(line.strip() for line in text.replace("，", "\n").splitlines() if line.strip())
        )
        if setting.optional and items in ([], [NONE]):
            return [] if items else None
        return [_whole(item) for item in items] if setting.path[0] == "users" else items
    if not text:
        if setting.optional:
            return None
        raise ValueError("请填写")
    if setting.kind == "flag":
        return text == "true"
    return _number_of(text) if setting.kind == "number" else text


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValueError(f"“{text[:20]}”不是编号")
    return int(text)


def _number_of(text: str) -> int | float:
    if len(text) > 12 or not _NUMBER.fullmatch(text):
        raise ValueError(f"“{text[:20]}”不是数字")
    return float(text) if "." in text else int(text)
