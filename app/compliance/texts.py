"""What a finding means, in words: Chinese first. Kept apart from the stored findings, so that words may be bettered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.compliance.finding_rules import Finding, package_of
from app.compliance.texts_setup import PARTS, SETUP_TEXTS
from app.readings import reason_words, space_words

TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "only_prescribed_apps": (
            "已检查 {packages} 个应用，没有规定以外的应用",
            "{packages} packages inspected, none beyond those prescribed",
        ),
        "required_present": ("工作应用{app}已安装，可以使用", "work app {app_en} is installed and usable"),
        "required_missing": ("缺少工作应用{app}", "work app {app_en} is missing"),
        "required_inactive": ("工作应用{app}已被停用", "work app {app_en} is disabled or suspended"),
        "required_too_old": (
            "工作应用{app}的版本太旧：{version}（{version_code}），至少要 {least_version}",
            "work app {app_en} is too old: {version} ({version_code}), at least {least_version} is wanted",
        ),
        "required_version_unknown": (
            "读不到工作应用{app}的版本",
            "the version of work app {app_en} could not be read",
        ),
        "required_other_signer": (
            "工作应用{app}的签名是 {signer}，应当是 {wanted_signer}：可能不是原来的应用",
            "work app {app_en} is signed by {signer} instead of {wanted_signer}: it may be another app",
        ),
        "required_signer_unknown": (
            "读不到工作应用{app}的签名",
            "the signer of work app {app_en} could not be read",
        ),
        "required_not_seen": (
            "没有读全应用列表，不知道{app}是否已安装",
            "the list of apps is not whole: whether {app_en} is installed is not known",
        ),
        "required_activity_unknown": (
            "工作应用{app}已安装，但读不到是否被停用",
            "work app {app_en} is installed; whether it is disabled could not be read",
        ),
        "app_not_prescribed": ("安装了规定以外的应用{app}", "{app_en} is not a prescribed app"),
        "app_forbidden": ("安装了禁止的应用{app}", "forbidden app {app_en} is installed"),
        "app_sideloaded": (
            "应用{app}是自行安装的（{installer}），不是从应用商店",
            "{app_en} was installed by hand ({installer}), not from a store",
        ),
        "app_in_other_user": (
            "应用{app}在不该有的用户空间 {spaces} 里还有一份",
            "{app_en} stands in user {users} too, which ought not to exist (dual app or second space)",
        ),
        "more_apps_than_prescribed": (
            "名单外的应用有 {apps} 个，而尚未填写包名的规定应用只有 {unnamed} 个：至少 {surplus} 个不是规定应用",
            "{apps} apps are on no list, {unnamed} package names are missing: at least {surplus} are not prescribed",
        ),
        "app_maybe_prescribed": (
            "应用{app}不在名单上；部分规定应用的包名尚未填写，无法判断它是不是其中之一",
            "{app_en} is on no list; it may be a prescribed app whose package name is not configured",
        ),
        "app_origin_unknown": (
            "读不到应用{app}是不是系统自带",
            "whether {app_en} belongs to the system could not be read",
        ),
        "app_activity_unknown": (
            "读不到应用{app}是否已被停用，无法判断",
            "whether {app_en} is disabled could not be read, so it cannot be judged",
        ),
        "installer_not_allowed": (
            "应用{app}不是从允许的来源安装的：{installer}",
            "{app_en} was not installed from an allowed source: {installer}",
        ),
        "installer_unknown": (
            "读不到应用{app}的安装来源",
            "where {app_en} was installed from is not known",
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
            "用户空间 {space} 没有读全{because}，不能视为合规",
            "user {subject} could not be inspected wholly{because_en}",
        ),
        "never_read": ("从来没有读到过这部手机", "this phone was never read"),
        "silent": (
            "已经超过 {hours} 小时没有读到手机，现在的情况不明",
            "not read for more than {hours} hours: what it is like now is not known",
        ),
        **SETUP_TEXTS,
    }
)
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


def text_of(finding: Finding, labels: Mapping[str, str] = _NO_LABELS) -> tuple[str, str]:
    """The finding in Chinese and in English. `labels`: package to what people call it, for apps on no list."""
    evidence = dict(finding.evidence)
    reason = evidence.pop("reason", None)
    package = package_of(finding.subject)
    label = evidence.get("label") or labels.get(package)
    words = evidence | {
        "subject": finding.subject,
        # Beside Chinese a bare package name needs room to be read.
        "app": f"“{label}”（{package}）" if label else f" {package} ",
        "app_en": f"{label} ({package})" if label else package,
        "users": "、".join(str(user) for user in evidence.get("users", ())),
        "spaces": "、".join(map(space_words, evidence.get("users", ()))),
        "space": space_words(evidence.get("user", finding.subject), evidence.get("name")),
        "because": f"（{reason_words(reason)}）" if reason else "",
        "because_en": f" ({reason})" if reason else "",
        "part": PARTS.get(finding.subject, finding.subject),
        "signs": "、".join(
            f"{PARTS.get(sign, sign)}：{_told(value)}" for sign, value in sorted(evidence.items())
        ),
        "signs_en": ", ".join(f"{sign} {value}" for sign, value in sorted(evidence.items())),
    }
    chinese, english = TEXTS[finding.code]
    told = chinese.format_map(words).replace(" ，", "，").replace("） ", "）")
    return told.strip(), english.format_map(words)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
