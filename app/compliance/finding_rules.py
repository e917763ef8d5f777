"""What a finding is, which there are, and what hides an earlier one. Plain values only.

Three values throughout: what could not be inspected is unknown, never a pass; what is proved wrong stays a fail
whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from app.kernel.texts import printable

CLAUSE = "R03"
MAX_SUBJECT, MAX_EVIDENCE = 600, 600
_SHORT = min(MAX_SUBJECT, MAX_EVIDENCE)


class Status(StrEnum):
    """Of a finding; a verdict is never exempt, for that counts as a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    EXEMPT = "exempt"
    GRACE = "grace"
    UNKNOWN = "unknown"
    FAIL = "fail"


VERDICTS = (Status.FAIL, Status.UNKNOWN, Status.GRACE, Status.PASS)
"""What a phone's verdict may be, the worst first."""
ORDER: Mapping[str, int] = MappingProxyType(
    {Status.FAIL: 0, Status.UNKNOWN: 1, Status.GRACE: 2, Status.EXEMPT: 3, Status.PASS: 4}
)
"""By status, also by its word as it is stored."""
BREACHED = frozenset({Status.FAIL, Status.GRACE, Status.EXEMPT})
"""A breach that is proved, whatever becomes of it."""


# One for all of them: it is stored as it is, so it has to be a dict, and nobody writes to an evidence.
_NO_EVIDENCE: Mapping[str, Any] = {}


class Finding(NamedTuple):
    """`code` with `subject` (a package, an app's name, a user's number) is its identity; `evidence` is small JSON."""

    code: str
    subject: str
    status: Status
    evidence: Mapping[str, Any] = _NO_EVIDENCE


APPS, USERS, ACCOUNTS, SETUP, SECURITY, IDENTITY, STORAGE, POWER = (
    "packages", "users", "accounts", "setup", "security", "identity", "storage", "power"
)  # fmt: skip
BREACHES: Mapping[str, str] = MappingProxyType(
    {
        "app_forbidden": APPS,
        "app_not_prescribed": APPS,
        "more_apps_than_prescribed": APPS,
        "app_sideloaded": APPS,
        "installer_not_allowed": APPS,
        "app_in_other_user": APPS,
        "required_missing": APPS,
        "required_inactive": APPS,
        "required_too_old": APPS,
        "required_other_signer": APPS,
        "user_not_allowed": USERS,
        "account_not_allowed": ACCOUNTS,
        "developer_options_on": SETUP,
        "adb_wifi_on": SETUP,
        "unknown_sources_on": SETUP,
        "airplane_mode_on": POWER,
        "no_screen_lock": SETUP,
        "accessibility_not_allowed": SECURITY,
        "other_device_owner": SECURITY,
        "rooted": SECURITY,
        "test_build": SECURITY,
        "loader_unlocked": SECURITY,
        "patch_too_old": IDENTITY,
        "storage_low": STORAGE,
    }
)
"""Each code that can fail, with the section of a reading that shows it."""
_UNKNOWNS: Mapping[str, str] = MappingProxyType(
    {
        "users_not_read": USERS,
        "accounts_not_read": ACCOUNTS,
        "setting_not_read": SETUP,
        "security_not_read": SECURITY,
        "patch_not_read": IDENTITY,
        "storage_not_read": STORAGE,
        "accounts_ok": ACCOUNTS,
        "settings_ok": SETUP,
        "security_ok": SECURITY,
    }
)
UNREAD_PARTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "developer_options_on": frozenset({"developer_options"}),
        "adb_wifi_on": frozenset({"adb_wifi"}),
        "unknown_sources_on": frozenset({"unknown_sources"}),
        "airplane_mode_on": frozenset({"airplane_mode"}),
        "no_screen_lock": frozenset({"lock_screen"}),
        "accessibility_not_allowed": frozenset({"accessibility"}),
        "other_device_owner": frozenset({"", "device_owner", "profile_owners"}),
        "rooted": frozenset({"", "su", "selinux"}),
        "test_build": frozenset({"", "debuggable", "build_tags"}),
        "loader_unlocked": frozenset({"", "verified_boot", "bootloader_locked"}),
    }
)
"""The subjects of `setting_not_read` and `security_not_read` under which a breach could still be there unseen."""
_WHOLE: Mapping[str, str] = MappingProxyType(
    {
        "user_not_allowed": "users_not_read",
        "account_not_allowed": "accounts_not_read",
        "patch_too_old": "patch_not_read",
        "storage_low": "storage_not_read",
    }
)


_SECTION_OF: Mapping[str, str | None] = {**_UNKNOWNS, **BREACHES, "silent": None, "never_read": None}


def section_of(code: str) -> str | None:
    """The section that a finding is read from; None for those about the reading itself."""
    return _SECTION_OF.get(code, APPS)


def package_of(subject: str) -> str:
    """The package that a subject names: of an app, of an app in one user (`a.b@10`), of a component (`a.b/.C`)."""
    return subject.partition("@")[0].partition("/")[0]


def named(finding: Finding, labels: Mapping[str, str]) -> Finding:
    """The finding with what people call its app, unless its list says that already."""
    label = labels.get(package_of(finding.subject)) if labels else None
    if label is None or "label" in finding.evidence:
        return finding
    return finding._replace(evidence={**finding.evidence, "label": label})


def plain(finding: Finding) -> Finding:
    """The finding in words that can be kept and shown: what a phone says of itself may hold anything."""
    told = [finding.subject, *(value for value in finding.evidence.values() if isinstance(value, str))]
    if len(whole := "".join(told)) <= _SHORT and whole.isprintable():
        return finding
    subject = printable(finding.subject, MAX_SUBJECT)
    evidence = {name: _plain(value) for name, value in finding.evidence.items()}
    return finding._replace(subject=subject, evidence=evidence)


def _plain(value: Any) -> Any:
    return printable(value, MAX_EVIDENCE) if isinstance(value, str) else value


def worst(findings: Iterable[Finding]) -> Status:
    """Fail before unknown before grace before pass; of nothing at all, unknown."""
    return worst_of(finding.status for finding in findings)


def worst_of(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    if not found:
        return Status.UNKNOWN
    first = min(found, key=ORDER.__getitem__)
    return Status.PASS if first is Status.EXEMPT else first


def hidden(code: str, subject: str, users: Iterable[int] | None, unknowns: Iterable[tuple[str, str]]) -> bool:
    """Whether a breach that is no longer shown may still be there: what showed it could not be read this time.

    `users`: those that the breach was in, None: of all. `unknowns`: code and subject of this time's unknown findings.
    """
    found = set(unknowns)
    if ("never_read", "") in found:
        return True
    if BREACHES[code] == APPS:
        return _app_hidden(subject, users, found)
    if code in _WHOLE:
        return (_WHOLE[code], "") in found
    told = ("setting_not_read", "security_not_read")
    return any((unknown, part) in found for unknown in told for part in UNREAD_PARTS[code])


def _app_hidden(subject: str, users: Iterable[int] | None, unknowns: set[tuple[str, str]]) -> bool:
    if ("packages_not_read", "") in unknowns:
        return True
    if ("users_not_read", "") in unknowns and (users is None or any(users)):
        # Then only the first user is looked into: what was in another may be there still.
        return True
    not_inspected = {about for code, about in unknowns if code == "user_not_inspected"}
    if not_inspected and (users is None or not_inspected & {str(user) for user in users}):
        return True
    return bool(subject) and any(about == subject for code, about in unknowns if section_of(code) == APPS)
