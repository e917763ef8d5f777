"""R03: the apps on a phone against its list. Plain values only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from app.compliance.finding_rules import BREACHES, Finding, Status
from app.compliance.input_rules import Inputs, Package
from app.compliance.list_rules import Allowlist, App

# Findings that leave it open, or deny, that there is no app beyond those prescribed.
_STRANGERS = frozenset(
    {
        "packages_not_read", "user_not_inspected", "users_not_read", "app_forbidden", "app_activity_unknown",
        "app_not_prescribed", "app_maybe_prescribed", "app_origin_unknown", "more_apps_than_prescribed",
    }
)  # fmt: skip
_USER_PART = "packages.user."
_USER = itemgetter("user")


@dataclass(slots=True)
class Seen:
    """The packages that must be looked at, by name, and the users of which any package was read."""

    named: dict[str, list[Package]]
    unlisted: dict[str, list[Package]]
    users: set[int]


def look(packages: Sequence[Package], policy: Allowlist) -> Seen:
    """Split what must be looked at from the system's own packages: those are part of the phone, not put there.

    The two lines that run over each package of the fleet are kept bare: all else is for the few that remain.
    """
    places = policy.places
    users = set(map(_USER, packages))
    there = [p for p in packages if p["system"] is not True or p["name"] in places]
    named: dict[str, list[Package]] = {}
    unlisted: dict[str, list[Package]] = {}
    for package in there:
        name = package["name"]
        (named if name in places else unlisted).setdefault(name, []).append(package)
    return Seen(named, unlisted, users)


def app_findings(
    inputs: Inputs, policy: Allowlist, seen: Seen | None, excused: Collection[str]
) -> list[Finding]:
    """`seen` None: the packages were not read. `excused`: packages on no list that an exemption allows this phone."""
    not_inspected = _users_not_inspected(inputs, seen)
    findings = list(_coverage(inputs, policy, seen, not_inspected))
    findings += _prescribed(policy, seen, whole=policy.work_user not in not_inspected)
    if seen is None:
        return findings
    for name, packages in seen.named.items():
        place = policy.places[name]
        if place == "forbidden":
            findings += _forbidden(name, packages, policy)
        elif place != "preset":
            findings += _sources(name, packages, policy)
            findings += _elsewhere(name, packages, policy)
    findings += _unlisted(seen.unlisted, policy, excused)
    if not any(f.code in _STRANGERS for f in findings):
        findings.append(
            Finding("only_prescribed_apps", "", Status.PASS, {"packages": len(inputs.packages or ())})
        )
    # That it is not known whether an app is switched off may be told for two reasons.
    return list({(finding.code, finding.subject): finding for finding in findings}.values())


def _coverage(
    inputs: Inputs, policy: Allowlist, seen: Seen | None, not_inspected: Iterable[int]
) -> Iterator[Finding]:
    """What could not be inspected."""
    for label, required in policy.unnamed.items():
        if required:
            yield Finding("package_name_not_configured", label, Status.UNKNOWN)
    if inputs.users is None:
        yield Finding("users_not_read", "", Status.UNKNOWN, inputs.reason("users"))
    if seen is None:
        yield Finding("packages_not_read", "", Status.UNKNOWN, inputs.reason("packages"))
        return
    for user in not_inspected:
        reason = inputs.reason(f"{_USER_PART}{user}")
        yield Finding("user_not_inspected", str(user), Status.UNKNOWN, reason)


def _users_not_inspected(inputs: Inputs, seen: Seen | None) -> list[int]:
    """Users whose list is missing or not wholly understood, whether the reading says so or only lacks them."""
    if seen is None:
        return []
    noted = {part.removeprefix(_USER_PART) for part in inputs.unread if part.startswith(_USER_PART)}
    missing = {int(user) for user in noted if user.isdecimal() and user.isascii()}
    return sorted(missing | {user["id"] for user in inputs.users or ()} - seen.users)


def _prescribed(policy: Allowlist, seen: Seen | None, *, whole: bool) -> Iterator[Finding]:
    """Prescribed apps, in the user that works with the phone; such as are not required only where they are there."""
    for name, app in policy.apps.items():
        rows = () if seen is None else seen.named.get(name, ())
        row = next((r for r in rows if r["user"] == policy.work_user), None)
        evidence: dict[str, Any] = {"label": app.label, "user": policy.work_user}
        if row is not None:
            evidence["version"] = row.get("version_name")
            problems = list(_problems(name, app, row, evidence, policy))
            yield from problems
            if app.required and not problems:
                yield Finding("required_present", name, Status.PASS, evidence)
        elif app.required and seen is not None and whole:
            yield Finding("required_missing", name, Status.FAIL, evidence)
        elif app.required:
            yield Finding("required_not_seen", name, Status.UNKNOWN, evidence)


def _problems(
    name: str, app: App, row: Package, evidence: Mapping[str, Any], policy: Allowlist
) -> Iterator[Finding]:
    active = _active(row)
    if app.required and active is None:
        yield Finding("required_activity_unknown", name, Status.UNKNOWN, evidence)
    elif app.required and not active:
        yield Finding("required_inactive", name, Status.FAIL, evidence)
    elif not app.required and not policy.judge_inactive and not active:
        # One that is switched off, and need not be there, is as good as gone.
        if active is None:
            yield Finding("app_activity_unknown", name, Status.UNKNOWN, evidence)
        return
    yield from _version(name, app, row, evidence)
    yield from _signer(name, app, row, evidence)


def _version(name: str, app: App, row: Package, evidence: Mapping[str, Any]) -> Iterator[Finding]:
    if app.least_version is not None:
        code, wanted = row.get("version_code"), {**evidence, "least_version": app.least_version}
        if code is None:
            yield Finding("required_version_unknown", name, Status.UNKNOWN, wanted)
        elif code < app.least_version:
            yield Finding("required_too_old", name, Status.FAIL, {**wanted, "version_code": code})


def _signer(name: str, app: App, row: Package, evidence: Mapping[str, Any]) -> Iterator[Finding]:
    if app.signer is not None:
        signer, wanted = row.get("signer"), {**evidence, "wanted_signer": app.signer}
        if signer is None:
            yield Finding("required_signer_unknown", name, Status.UNKNOWN, wanted)
        elif signer.lstrip("0") != app.signer.lstrip("0"):
            yield Finding("required_other_signer", name, Status.FAIL, {**wanted, "signer": signer})


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
    found = set(map(_active, packages))
    if True in found:
        return True
    return None if None in found else False


def _evidence(packages: Sequence[Package], label: str | None = None) -> dict[str, Any]:
    first = packages[0]
    users = [first["user"]] if len(packages) == 1 else sorted({p["user"] for p in packages})
    evidence = {"users": users, "version": first.get("version_name"), "installer": first.get("installer")}
    return evidence if label is None else evidence | {"label": label}


def _forbidden(name: str, packages: Sequence[Package], policy: Allowlist) -> Iterator[Finding]:
    active = _any_active(packages, policy)
    evidence = _evidence(packages, policy.labels[name])
    if active:
        yield Finding("app_forbidden", name, Status.FAIL, evidence)
    elif active is None:
        yield Finding("app_activity_unknown", name, Status.UNKNOWN, evidence)


def _unlisted(
    found: Mapping[str, Sequence[Package]], policy: Allowlist, excused: Collection[str]
) -> Iterator[Finding]:
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
        elif active and policy.unnamed and name not in excused:
            proved += 1
            yield Finding("app_maybe_prescribed", name, Status.UNKNOWN, evidence)
        elif active:
            yield Finding("app_not_prescribed", name, Status.FAIL, evidence)
    if proved > len(policy.unnamed):
        # More strangers than names that are missing: some of them cannot be prescribed.
        counts = {"apps": proved, "unnamed": len(policy.unnamed), "surplus": proved - len(policy.unnamed)}
        yield Finding("more_apps_than_prescribed", "", Status.FAIL, counts)


def _sources(name: str, packages: Sequence[Package], policy: Allowlist) -> Iterator[Finding]:
    """Listed apps that came by hand or from another source than the policy's; the system's own came with it."""
    app = policy.apps.get(name)
    if (policy.installers is None and not policy.by_hand) or (app is not None and app.by_hand):
        return
    found: dict[str, list[Package]] = {}
    for package in packages:
        code = None if package["system"] is True else _source(package, policy)
        active = _any_active([package], policy)
        if code is not None and active is not False:
            found.setdefault("app_activity_unknown" if active is None else code, []).append(package)
    for code, rows in found.items():
        status = Status.FAIL if code in BREACHES else Status.UNKNOWN
        yield Finding(code, name, status, _evidence(rows, policy.labels[name]))


def _source(package: Package, policy: Allowlist) -> str | None:
    """The code of what is wrong with one package's installer."""
    installer = package.get("installer")
    if policy.installers is not None and installer in policy.installers:
        return None
    by_hand = installer in policy.by_hand
    if installer is not None and not by_hand and policy.installers is None:
        return None
    if installer is None or package["system"] is None:
        return "installer_unknown"
    return "app_sideloaded" if by_hand else "installer_not_allowed"


def _elsewhere(name: str, packages: Sequence[Package], policy: Allowlist) -> Iterator[Finding]:
    """Listed apps in users that ought not to exist: a second WeChat in the dual-app space is none of the company's."""
    for package in packages:
        if package["user"] in policy.users or package["system"] is True:
            continue
        subject = f"{name}@{package['user']}"
        evidence = _evidence([package], policy.labels[name])
        active = _any_active([package], policy)
        if package["system"] is None:
            yield Finding("app_origin_unknown", subject, Status.UNKNOWN, evidence)
        elif active is None:
            yield Finding("app_activity_unknown", subject, Status.UNKNOWN, evidence)
        elif active:
            yield Finding("app_in_other_user", subject, Status.FAIL, evidence)
