"""How a finding stands, what may be done about it, and what a gateway's word proves. Plain values only."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NOT_INSPECTED = "not_inspected"
"""A case of a phone of which something cannot be read for long: one for all of it, with an empty subject."""
MAX_USERS = 10
MAX_PACKAGE = 255
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_ABOUT_APPS = ("app_", "required_", "installer_")
_USER_ID = re.compile(r"[0-9]{1,9}")


class Standing(StrEnum):
    """Of one finding, in the newest verdict on its phone."""

    FAIL = "fail"
    GRACE = "grace"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"
    """It is not known, or what would show it could not be read: neither there nor gone."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding of a verdict. `status` as judged; `words` in Chinese."""

    code: str
    subject: str
    status: str
    severity: str
    evidence: Mapping[str, Any]
    words: str
    first_seen: dt.datetime
    grace_until: dt.datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.code, self.subject


# What hides a finding: unknown findings of these codes, of whatever subject.
_LISTS = frozenset({"packages_not_read", "users_not_read", "user_not_inspected", "never_read"})
_SECURITY = frozenset({"security_not_read", "setting_not_read", "never_read"})
_HIDDEN_BY: Mapping[str, frozenset[str]] = {
    "account_not_allowed": frozenset({"accounts_not_read", "users_not_read", "never_read"}),
    "patch_too_old": frozenset({"patch_not_read", "security_not_read", "never_read"}),
    "storage_low": frozenset({"storage_not_read", "never_read"}),
    "silent": frozenset({"never_read"}),
    **dict.fromkeys(
        (
            "developer_options_on", "adb_wifi_on", "unknown_sources_on", "airplane_mode_on", "no_screen_lock",
            "accessibility_not_allowed", "other_device_owner", "rooted", "loader_unlocked", "test_build",
        ),
        _SECURITY,
    ),
    **dict.fromkeys(
        (
            "app_forbidden", "app_not_prescribed", "app_sideloaded", "app_in_other_user", "installer_not_allowed",
            "more_apps_than_prescribed", "user_not_allowed", "required_missing", "required_inactive",
            "required_too_old", "required_other_signer",
        ),
        _LISTS,
    ),
}  # fmt: skip
# These hide it when they are of the same app.
_OF_APP = frozenset(
    {
        "app_activity_unknown", "app_origin_unknown", "app_maybe_prescribed", "installer_unknown", "required_not_seen",
        "required_activity_unknown", "required_version_unknown", "required_signer_unknown",
    }
)  # fmt: skip


def standing(
    findings: Iterable[Seen], code: str, subject: str, users: Collection[int] | None = None
) -> Standing:
    """Of a finding that once was there, in these users where that is known. Absent only where everything that would
    show it was read; what may be in a user that was never looked into is that user's own matter.
    """
    found = list(findings)
    own = next((seen for seen in found if seen.key == (code, subject)), None)
    if own is not None and own.status != "pass":
        return Standing(own.status)
    if own is None and any(_hides(seen, code, subject, users) for seen in found if seen.status == "unknown"):
        return Standing.UNKNOWN
    return Standing.ABSENT


def _hides(seen: Seen, code: str, subject: str, users: Collection[int] | None) -> bool:
    if seen.code == "user_not_inspected" and users is not None:
        return seen.subject in {str(user) for user in users}
    if seen.code in _OF_APP:
        return bool(subject) and package_of(seen.subject) == package_of(subject)
    # Of a code that is not known here everything unread might hide it.
    return code not in _HIDDEN_BY or seen.code in _HIDDEN_BY[code]


UNREAD = frozenset(
    {
        "packages_not_read", "users_not_read", "user_not_inspected", "accounts_not_read", "setting_not_read",
        "security_not_read", "patch_not_read", "storage_not_read", "never_read", "app_activity_unknown",
        "app_origin_unknown", "required_activity_unknown",
    }
)  # fmt: skip
"""Unknown because it could not be read. Others are unknown because somebody has not filled in a list."""


def package_of(subject: str) -> str:
    """The package of a finding's subject: `pkg`, or `pkg@user`."""
    return subject.partition("@")[0]


def app_of(code: str, subject: str) -> str | None:
    """The app that a finding is about; None where it is about something else."""
    package = package_of(subject)
    is_app = code.startswith(_ABOUT_APPS) and len(package) <= MAX_PACKAGE and _PACKAGE.fullmatch(package)
    return package if is_app else None


@dataclass(frozen=True)
class Target:
    """An app to remove, from these users one after the other."""

    package: str
    users: tuple[int, ...]


def target_of(subject: str, evidence: Mapping[str, Any]) -> Target | None:
    """None where a finding does not name an app and its users: then there is nothing to order."""
    package, _, user = subject.partition("@")
    if len(package) > MAX_PACKAGE or not _PACKAGE.fullmatch(package):
        return None
    if user:
        return Target(package, (int(user),)) if _USER_ID.fullmatch(user) else None
    told = evidence.get("users")
    listed = isinstance(told, list) and all(type(one) is int and one >= 0 for one in told)
    if not listed or not told or len(told) > MAX_USERS:
        return None
    return Target(package, tuple(sorted(set(told))))


def step_at(body: Mapping[str, Any], severity: str, failing_since: dt.datetime, step: str) -> dt.datetime:
    """When `lead` is told, or `act` is due. A severity that the policy does not know counts as medium."""
    ladder = body["ladder_hours"].get(severity, body["ladder_hours"]["medium"])
    return failing_since + dt.timedelta(hours=max(ladder[step], ladder["lead"]))


@dataclass(frozen=True)
class Blocker:
    """Why an app is not removed now; `link` leads to where that is settled."""

    code: str
    words: str
    link: str | None = None


def protected(package: str, never: Collection[str], prescribed: Collection[str]) -> str | None:
    """Why policy never lets this package be removed, in words; None: it may."""
    if package in never:
        return "制度规定这个应用不能移除"
    if package in prescribed:
        # A work app holds work: one that was installed the wrong way is put right by a person who saves it first.
        return "它是规定的工作应用，里面有工作资料：由人处理"
    return None


def system_refused(rows: Sequence[Mapping[str, Any]], target: Target, body: Mapping[str, Any]) -> bool:
    """Whether it is part of the system, or that is not known, and policy does not name it."""
    if target.package in body["system_packages"]:
        return False
    own = [row for row in rows if row.get("name") == target.package]
    return any(row.get("system") is not False for row in own)


GONE_WORDS = frozenset({"uninstalled", "gone"})
REMOVED_BY: Mapping[str, str] = {
    "uninstalled": "已卸载", "gone": "手机上已经没有", "disabled": "已停用", "suspended": "已暂停使用",
}  # fmt: skip
_OTHER = frozenset({"protected", "unchanged", "unknown", "restored"})
_DISABLED = (2, 3)
_RUNS = (0, 1)


@dataclass(frozen=True)
class Told:
    """A gateway's last word. `proved`: what it saw afterwards says the same as its word."""

    outcome: str
    reason: str
    proved: bool
    after: Mapping[str, Any]


def told_of(state: str, detail: Mapping[str, Any]) -> Told:
    """Whatever an agent sent: what is not understood is unknown, and so is a word that its own look speaks against."""
    outcome, reason, after = detail.get("outcome"), detail.get("reason"), detail.get("after")
    looked = after if isinstance(after, Mapping) else {}
    known = isinstance(outcome, str) and (outcome in REMOVED_BY or outcome in _OTHER)
    said = str(outcome) if known and state == "succeeded" else "unknown"
    if state == "failed" and outcome in ("protected", "unchanged"):
        said = str(outcome)
    why = reason[:60] if isinstance(reason, str) else ""
    kept = {name: looked.get(name) for name in ("installed", "enabled", "suspended")}
    proved = _proves(said, kept)
    if said in REMOVED_BY and not proved:
        return Told("unknown", why or "contradicts_itself", False, kept)
    return Told(said, why, proved, kept)


def _proves(outcome: str, after: Mapping[str, Any]) -> bool:
    if outcome in GONE_WORDS:
        return after["installed"] is False
    if outcome == "disabled":
        return after["enabled"] in _DISABLED and type(after["enabled"]) is int
    if outcome == "suspended":
        return after["suspended"] is True
    runs = after["enabled"] in _RUNS and type(after["enabled"]) is int and after["suspended"] is not True
    return outcome == "restored" and after["installed"] is True and runs
