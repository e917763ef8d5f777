"""Short names of findings, statuses and severities, for lists, filters and forms. Chinese only: for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.compliance.evidence_words import evidence_lines
from app.compliance.exemption_rules import last_day
from app.kernel.db import from_us
from app.readings import space_words

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "accessibility_not_allowed": "未经允许的无障碍服务",
        "account_not_allowed": "未经允许的账号",
        "accounts_not_read": "没有读到账号",
        "accounts_ok": "账号符合规定",
        "adb_wifi_on": "无线调试打开着",
        "airplane_mode_on": "飞行模式打开着",
        "app_activity_unknown": "应用是否停用不明",
        "app_forbidden": "禁止的应用",
        "app_in_other_user": "其他用户空间里的应用",
        "app_maybe_prescribed": "名单外、也可能是规定应用",
        "app_not_prescribed": "名单外的应用",
        "app_origin_unknown": "应用是否系统自带不明",
        "app_sideloaded": "自行安装的应用",
        "developer_options_on": "开发者选项打开着",
        "installer_not_allowed": "安装来源不允许",
        "installer_unknown": "安装来源不明",
        "loader_unlocked": "引导程序已解锁",
        "more_apps_than_prescribed": "应用多于规定",
        "never_read": "从未读到过",
        "no_screen_lock": "没有锁屏密码",
        "only_prescribed_apps": "没有规定以外的应用",
        "other_device_owner": "由别的程序管理",
        "package_name_not_configured": "规定应用没有填包名",
        "packages_not_read": "没有读到应用列表",
        "patch_not_read": "没有读到安全补丁",
        "patch_too_old": "安全补丁太旧",
        "required_activity_unknown": "工作应用是否停用不明",
        "required_inactive": "工作应用被停用",
        "required_missing": "缺少工作应用",
        "required_not_seen": "不知道有没有工作应用",
        "required_other_signer": "工作应用的签名不对",
        "required_present": "工作应用可用",
        "required_signer_unknown": "工作应用的签名不明",
        "required_too_old": "工作应用版本太旧",
        "required_version_unknown": "工作应用的版本不明",
        "rooted": "手机已被取得 root 权限",
        "security_not_read": "没有读到安全状态",
        "security_ok": "安全状态符合规定",
        "setting_not_read": "没有读到设置",
        "settings_ok": "设置符合规定",
        "silent": "很久没有读到",
        "storage_low": "存储空间不足",
        "storage_not_read": "没有读到存储空间",
        "test_build": "系统是测试版本",
        "unknown_sources_on": "允许安装未知应用",
        "user_not_allowed": "多出来的用户空间",
        "user_not_inspected": "用户空间没有读全",
        "users_not_read": "没有读到用户空间",
    }
)
STATUS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "fail": ("bad", "不合规"),
        "unknown": ("unknown", "未知"),
        "grace": ("busy", "宽限期内"),
        "exempt": ("quiet", "例外"),
        "pass": ("good", "合规"),
    }
)
"""Kind of badge and word, the worst first."""
SEVERITY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "critical": ("bad", "严重"),
        "high": ("bad", "高"),
        "medium": ("unknown", "中"),
        "low": ("quiet", "低"),
    }
)


def title_of(code: str) -> str:
    """A code that a later version wrote is shown as it is called."""
    return TITLES.get(code, code)


def subject_words(subject: str, label: object, labels: Mapping[str, str]) -> str:
    """What a finding is about, as people call it: a label where one is known, else the subject itself.

    `label`: what the finding's own evidence calls it; `labels`: package → label. `a.b@10` is an app in user 10, `10`
    that user.
    """
    called = label if isinstance(label, str) else ""
    name, _, user = subject.partition("@")
    if user.isdecimal():
        return f"{called or labels.get(name, name)}，用户空间 {space_words(user)}"
    if called:
        return called
    if subject.isdecimal():
        return space_words(subject)
    package = subject.partition("/")[0]
    return (
        f"{labels[package]}（{subject}）"
        if package != subject and package in labels
        else labels.get(subject, subject)
    )


FOR_PAGES: Mapping[str, object] = MappingProxyType(
    {
        "status_words": STATUS,
        "severity_words": SEVERITY,
        "titles": TITLES,
        "title_of": title_of,
        "subject_words": subject_words,
        "evidence_lines": evidence_lines,
        "at_of": from_us,
        "last_day": last_day,
    }
)
