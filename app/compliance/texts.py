"""What a finding means, in words: Chinese first. Kept apart from the stored findings, so that words may be bettered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.compliance.rules import Finding

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "only_prescribed_apps": (
            "已检查 {packages} 个应用，没有规定以外的应用",
            "{packages} packages inspected, none beyond those prescribed",
        ),
        "required_present": ("工作应用“{label}”已安装，可以使用", "work app {label} is installed and usable"),
        "required_missing": ("缺少工作应用“{label}”（{subject}）", "work app {label} ({subject}) is missing"),
        "required_inactive": (
            "工作应用“{label}”（{subject}）已被停用",
            "work app {label} ({subject}) is disabled or suspended",
        ),
        "required_not_seen": (
            "没有读全应用列表，不知道“{label}”（{subject}）是否已安装",
            "the list of apps is not whole: whether {label} ({subject}) is installed is not known",
        ),
        "required_activity_unknown": (
            "工作应用“{label}”（{subject}）已安装，但读不到是否被停用",
            "work app {label} ({subject}) is installed; whether it is disabled could not be read",
        ),
        "app_not_prescribed": ("安装了规定以外的应用 {subject}", "{subject} is not a prescribed app"),
        "app_forbidden": (
            "安装了禁止的应用“{label}”（{subject}）",
            "forbidden app {label} ({subject}) is installed",
        ),
        "more_apps_than_prescribed": (
            "名单外的应用有 {apps} 个，而尚未填写包名的规定应用只有 {unnamed} 个：至少 {surplus} 个不是规定应用",
            "{apps} apps are on no list, {unnamed} package names are missing: at least {surplus} are not prescribed",
        ),
        "app_maybe_prescribed": (
            "应用 {subject} 不在名单上；部分规定应用的包名尚未填写，无法判断它是不是其中之一",
            "{subject} is on no list; it may be a prescribed app whose package name is not configured",
        ),
        "app_origin_unknown": (
            "读不到应用 {subject} 是不是系统自带",
            "whether {subject} belongs to the system could not be read",
        ),
        "app_activity_unknown": (
            "应用 {subject} 不在名单上，但读不到它是否已被停用",
            "{subject} is not allowed; whether it is disabled already could not be read",
        ),
        "installer_not_allowed": (
            "应用“{label}”（{subject}）不是从允许的来源安装的：{installer}",
            "{label} ({subject}) was not installed from an allowed source: {installer}",
        ),
        "installer_unknown": (
            "读不到应用“{label}”（{subject}）的安装来源",
            "where {label} ({subject}) was installed from is not known",
        ),
        "package_name_not_configured": (
            "规定应用“{subject}”的包名尚未填写，无法检查",
            "the package name of the prescribed app {subject} is not configured: it cannot be checked",
        ),
        "packages_not_read": (
            "没有读到应用列表{because}",
            "the list of apps was not read{because_en}",
        ),
        "users_not_read": (
            "没有读到手机上的用户列表{because}，可能还有未检查的空间",
            "the phone's users were not read{because_en}: there may be some that were not inspected",
        ),
        "user_not_inspected": (
            "用户空间 {subject} 没有读全{because}，不能视为合格",
            "user {subject} could not be inspected wholly{because_en}",
        ),
    }
)


def text_of(finding: Finding) -> tuple[str, str]:
    """The finding in Chinese and in English."""
    evidence = dict(finding.evidence)
    reason = evidence.pop("reason", None)
    words = (
        {
            "label": finding.subject,
            "because": f"（{reason}）" if reason else "",
            "because_en": f" ({reason})" if reason else "",
        }
        | evidence
        | {"subject": finding.subject}
    )
    chinese, english = TEXTS[finding.code]
    return chinese.format_map(words), english.format_map(words)
