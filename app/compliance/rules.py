"""R03: the apps on a phone against the list of its service centre. Plain values only.

Three values throughout: what could not be inspected is unknown, never a pass; what is proved wrong stays a fail
whatever else is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.compliance.list_rules import Allowlist

CLAUSE = "R03"
Package = Mapping[str, Any]


class Status(StrEnum):
    """Of a finding; a verdict is never exempt, for that counts as a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    EXEMPT = "exempt"
    GRACE = "grace"
    UNKNOWN = "unknown"
    FAIL = "fail"


VERDICTS = (Status.FAIL, Status.UNKNOWN, Status.GRACE, Status.PASS)


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` with `subject` (a package, an app's name, a user's number) is its identity; `evidence` is small JSON."""

    code: str
    subject: str
    status: Status
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read of one phone; None: never read. `unread`: part → reason, as in the newest reading."""

    packages: Sequence[Package] | None
    users: Sequence[Mapping[str, Any]] | None
    unread: Mapping[str, str]


def evaluate(inputs: Inputs, policy: Allowlist) -> list[Finding]:
    """All findings, the worst first, then by code and subject."""
    findings = list(_coverage(inputs, policy))
    seen = _sort_out(inputs.packages or (), policy) if _has_packages(inputs) else None
    findings += _required(inputs, policy, seen)
    if seen is not None:
        findings += _banned(seen.forbidden, policy)
        findings += _unlisted(seen.unlisted, policy)
        findings += _installed_by(seen.listed, policy)
        if not any(f.status is not Status.PASS and f.code not in _NO_STRANGER for f in findings):
            findings.append(Finding("only_prescribed_apps", "", Status.PASS, {"packages": seen.total}))
    return sorted(findings, key=lambda f: (_SEVERITY[f.status], f.code, f.subject))


def worst(findings: Iterable[Finding]) -> Status:
    """Fail before unknown before pass; of nothing at all, unknown."""
    found = {finding.status for finding in findings}
    if Status.FAIL in found:
        return Status.FAIL
    return Status.PASS if found == {Status.PASS} else Status.UNKNOWN


_SEVERITY = {Status.FAIL: 0, Status.UNKNOWN: 1, Status.GRACE: 2, Status.EXEMPT: 3, Status.PASS: 4}
# Findings that say nothing against "no app beyond those prescribed".
_NO_STRANGER = frozenset(
    {"required_missing", "required_inactive", "required_activity_unknown", "package_name_not_configured"}
)


@dataclass(slots=True)
class _Seen:
    total: int = 0
    listed: dict[str, list[Package]] = field(default_factory=dict)
    forbidden: dict[str, list[Package]] = field(default_factory=dict)
    unlisted: dict[str, list[Package]] = field(default_factory=dict)


def _has_packages(inputs: Inputs) -> bool:
    return inputs.packages is not None and "packages" not in inputs.unread


def _sort_out(packages: Sequence[Package], policy: Allowlist) -> _Seen:
    """Split what must be looked at from the system's own packages: those are part of the phone, not put there."""
    seen = _Seen(total=len(packages))
    places = policy.places
    for package in packages:
        name = package["name"]
        place = places.get(name)
        if place == "forbidden":
            seen.forbidden.setdefault(name, []).append(package)
        elif place is not None:
            seen.listed.setdefault(name, []).append(package)
        elif package["system"] is not True:
            seen.unlisted.setdefault(name, []).append(package)
    return seen


def _coverage(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    """What could not be inspected."""
    for label, required in policy.unnamed.items():
        if required:
            yield Finding("package_name_not_configured", label, Status.UNKNOWN)
    if not _has_packages(inputs):
        yield Finding("packages_not_read", "", Status.UNKNOWN, _reason(inputs, "packages"))
        return
    if inputs.users is None or "users" in inputs.unread:
        yield Finding("users_not_read", "", Status.UNKNOWN, _reason(inputs, "users"))
    for user in _users_not_inspected(inputs):
        reason = _reason(inputs, f"packages.user.{user}")
        yield Finding("user_not_inspected", str(user), Status.UNKNOWN, reason)


def _users_not_inspected(inputs: Inputs) -> list[int]:
    """Users whose list is missing or not wholly understood, whether the reading says so or only lacks them."""
    prefix = "packages.user."
    noted = {part.removeprefix(prefix) for part in inputs.unread if part.startswith(prefix)}
    missing = {int(user) for user in noted if user.isdecimal() and user.isascii()}
    read = {package["user"] for package in inputs.packages or ()}
    return sorted(missing | {user["id"] for user in inputs.users or ()} - read)


def _reason(inputs: Inputs, part: str) -> dict[str, Any]:
    return {"reason": inputs.unread[part]} if part in inputs.unread else {}


def _required(inputs: Inputs, policy: Allowlist, seen: _Seen | None) -> Iterator[Finding]:
    """Required apps, in the user that works with the phone."""
    whole = seen is not None and policy.work_user not in _users_not_inspected(inputs)
    for name, app in policy.apps.items():
        if not app.required:
            continue
        evidence: dict[str, Any] = {"label": app.label, "user": policy.work_user}
        rows = [] if seen is None else seen.listed.get(name, []) + seen.forbidden.get(name, [])
        row = next((r for r in rows if r["user"] == policy.work_user), None)
        if row is None:
            missing = ("required_missing", Status.FAIL) if whole else ("required_not_seen", Status.UNKNOWN)
            yield Finding(missing[0], name, missing[1], evidence)
            continue
        evidence["version"] = row.get("version_name")
        active = _active(row)
        if active is None:
            yield Finding("required_activity_unknown", name, Status.UNKNOWN, evidence)
        elif active:
            yield Finding("required_present", name, Status.PASS, evidence)
        else:
            yield Finding("required_inactive", name, Status.FAIL, evidence)


def _active(package: Package) -> bool | None:
    """Whether the app can be opened: neither disabled nor suspended; None where that could not be read."""
    enabled, suspended = package.get("enabled"), package.get("suspended")
    if enabled is False or suspended is True:
        return False
    return True if enabled is True and suspended is False else None


def _any_active(packages: Iterable[Package], policy: Allowlist) -> bool | None:
    """Whether the app counts as being there: in any user, and where the policy spares inactive apps, open to use."""
    if policy.judge_inactive:
        return True
    found = {_active(package) for package in packages}
    if True in found:
        return True
    return None if None in found else False


def _evidence(packages: Sequence[Package], label: str | None = None) -> dict[str, Any]:
    first = packages[0]
    evidence: dict[str, Any] = {"users": sorted({p["user"] for p in packages})}
    evidence |= {"version": first.get("version_name"), "installer": first.get("installer")}
    return evidence if label is None else evidence | {"label": label}


def _banned(found: Mapping[str, Sequence[Package]], policy: Allowlist) -> Iterator[Finding]:
    for name, packages in found.items():
        active = _any_active(packages, policy)
        evidence = _evidence(packages, policy.labels[name])
        if active:
            yield Finding("app_forbidden", name, Status.FAIL, evidence)
        elif active is None:
            yield Finding("app_activity_unknown", name, Status.UNKNOWN, evidence)


def _unlisted(found: Mapping[str, Sequence[Package]], policy: Allowlist) -> Iterator[Finding]:
    """Apps that are on no list. While names of prescribed apps are not configured, each of these may be one of them."""
    proved = 0
    for name, packages in found.items():
        # A user in which the mark could not be read says nothing about the others.
        put_there = [package for package in packages if package["system"] is False]
        active = _any_active(put_there, policy) if put_there else None
        evidence = _evidence(put_there or packages)
        if not put_there:
            yield Finding("app_origin_unknown", name, Status.UNKNOWN, evidence)
        elif active is None:
            yield Finding("app_activity_unknown", name, Status.UNKNOWN, evidence)
        elif active:
            proved += 1
            if policy.unnamed:
                yield Finding("app_maybe_prescribed", name, Status.UNKNOWN, evidence)
            else:
                yield Finding("app_not_prescribed", name, Status.FAIL, evidence)
    if policy.unnamed and proved > len(policy.unnamed):
        # More strangers than names that are missing: some of them cannot be prescribed.
        counts = {"apps": proved, "unnamed": len(policy.unnamed), "surplus": proved - len(policy.unnamed)}
        yield Finding("more_apps_than_prescribed", "", Status.FAIL, counts)


def _installed_by(found: Mapping[str, Sequence[Package]], policy: Allowlist) -> Iterator[Finding]:
    """Prescribed apps from another source than the policy's; without such a list nobody is asked."""
    if policy.installers is None:
        return
    for name, packages in found.items():
        strangers = [
            p for p in packages if p["system"] is not True and p["installer"] not in policy.installers
        ]
        if not strangers:
            continue
        evidence = _evidence(strangers, policy.labels[name])
        if any(p["installer"] is not None and p["system"] is False for p in strangers):
            yield Finding("installer_not_allowed", name, Status.FAIL, evidence)
        else:
            yield Finding("installer_unknown", name, Status.UNKNOWN, evidence)
