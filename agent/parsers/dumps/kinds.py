"""The kinds of dump, in the order in which a text is tried for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.parsers.dumps import battery, package, plain, power, services
from agent.parsers.dumps.grammar import Classify

UNKNOWN = "unknown"
_HEAD_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`title`: its name for people; `mark`: what its beginning holds, and no other's; `service`: of `dumpsys`."""

    name: str
    title: str
    classify: Classify
    mark: re.Pattern[str]
    service: str | None = None


def _kind(name: str, title: str, classify: Classify, mark: str, service: str | None = None) -> Kind:
    return Kind(name, title, classify, re.compile(mark, re.MULTILINE | re.ASCII), service)


KINDS = (
    _kind("getprop", "系统属性 getprop", plain.classify_props, r"^\[[\w.\-:]+\]: \["),
    _kind("pm_packages", "应用列表 pm list packages", plain.classify_listing, r"^package:"),
    _kind(
        "pm_users", "用户列表 pm list users", plain.classify_users, r"^[ \t]*UserInfo\{\d+:.*\}[ a-z]*\r?$"
    ),
    _kind("ps", "进程列表 ps", plain.classify_ps, r"^USER +PID +PPID +VSZ"),
    _kind("packages_json", "应用清单 packages.json", plain.classify_json, r"\A\s*\[\s*\{\s*\"name\":"),
    _kind(
        "accessibility",
        "无障碍服务 dumpsys accessibility",
        services.classify_accessibility,
        r"^ACCESSIBILITY MANAGER \(",
        "accessibility",
    ),
    _kind("adb", "调试授权 dumpsys adb", services.classify_adb, r"^ADB MANAGER STATE", "adb"),
    _kind(
        "appops",
        "应用权限 dumpsys appops",
        services.classify_appops,
        r"^Current AppOps Service state",
        "appops",
    ),
    _kind(
        "platform_compat",
        "兼容性开关 dumpsys platform_compat",
        services.classify_compat,
        r"^ChangeId\(\d+; ",
        "platform_compat",
    ),
    _kind(
        "dbinfo",
        "数据库连接 dumpsys dbinfo",
        services.classify_dbinfo,
        r"^Applications Database Info:",
        "dbinfo",
    ),
    _kind(
        "device_policy",
        "设备管理员 dumpsys device_policy",
        services.classify_policy,
        r"^Current Device Policy Manager state",
        "device_policy",
    ),
    _kind("role", "默认应用 dumpsys role", services.classify_role, r"^ROLE (?:MANAGER )?STATE \(", "role"),
    _kind(
        "account",
        "账号 dumpsys account",
        services.classify_account,
        r"^User UserInfo\{\d+:.*\}:\r?$",
        "account",
    ),
    _kind(
        "battery",
        "电池 dumpsys battery",
        power.classify_battery_state,
        r"^Current Battery Service state:",
        "battery",
    ),
    _kind(
        "usagestats",
        "使用记录 dumpsys usagestats",
        power.classify_usagestats,
        r"\A\s*user=\d+\r?$|^ {4,6}time=\"[\d\- :]+\" type=[A-Z_0-9]+ package=",
        "usagestats",
    ),
    _kind(
        "batterystats",
        "电量统计 dumpsys batterystats",
        battery.classify_battery,
        r"^Battery History ",
        "batterystats",
    ),
    _kind(
        "package",
        "应用详情 dumpsys package",
        package.classify_package,
        r"^(?: *Package \[[\w.\-]+\] \(|(?:Activity|Receiver) Resolver Table:|Packages:|Verifiers:)",
        "package",
    ),
    _kind("services", "服务列表", services.classify_services, r"^Currently running services:"),
    _kind(
        "settings", "系统设置 settings list", plain.classify_settings, r"\A\s*[\w.:/\-]+=[^\n]*\n[\w.:/\-]+="
    ),
)
BY_SERVICE = {kind.service: kind for kind in KINDS if kind.service}
TITLES = {kind.name: kind.title for kind in KINDS}


def recognise(text: str) -> Kind | None:
    """The kind of one dump by its content, None for none that is known."""
    head = text[:_HEAD_CHARS]
    return next((kind for kind in KINDS if kind.mark.search(head)), None)
