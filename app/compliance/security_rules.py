"""R03: signs that somebody else has a phone in hand, that its system is too old, or full. Plain values only."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from app.compliance.finding_rules import Finding, Status
from app.compliance.input_rules import Inputs
from app.compliance.list_rules import Allowlist

_MB = 2**20


def security_findings(inputs: Inputs, policy: Allowlist, today: dt.date) -> list[Finding]:
    """All of it; one pass where nothing speaks against the phone and all that is judged was read. `today`: the day in
    Shanghai, by the server's clock.
    """
    findings = [*_patch(inputs, policy, today), *_storage(inputs, policy)]
    if inputs.security is None:
        findings.append(Finding("security_not_read", "", Status.UNKNOWN, inputs.reason("security")))
        return findings
    findings += _owners(inputs, inputs.security, policy)
    if policy.security["rooted"] == "judged":
        findings += _rooted(inputs, inputs.security)
        findings += _test_build(inputs, inputs.security)
    if policy.security["loader"] == "judged":
        findings += _loader(inputs, inputs.security)
    return findings or [Finding("security_ok", "", Status.PASS)]


def _not_read(inputs: Inputs, part: str) -> Finding:
    return Finding("security_not_read", part, Status.UNKNOWN, inputs.reason(f"security.{part}", "security"))


def _owners(inputs: Inputs, security: Mapping[str, Any], policy: Allowlist) -> Iterator[Finding]:
    """Who may command the phone: the owner of the device, and the owners of profiles on it."""
    device, profiles = security.get("device_owner") or {}, security.get("profile_owners")
    found: dict[str, dict[str, Any]] = {}
    if device.get("set") is True and device.get("package") is not None:
        found[device["package"]] = {"kind": "device"}
    elif device.get("set") is not False:
        yield _not_read(inputs, "device_owner")
    if profiles is None:
        yield _not_read(inputs, "profile_owners")
    for owner in profiles or ():
        found.setdefault(owner["package"], {"kind": "profile", "user": owner["user"]})
    for package, evidence in sorted(found.items()):
        if package not in policy.owners:
            yield Finding("other_device_owner", package, Status.FAIL, evidence)


def _signs(
    inputs: Inputs, security: Mapping[str, Any], code: str, good: Mapping[str, Any]
) -> Iterator[Finding]:
    """One breach for all parts that are not as in `good`, with what they say; each that was not read is unknown."""
    bad = {}
    for part, value in good.items():
        told = security.get(part)
        if told is None:
            yield _not_read(inputs, part)
        elif told != value:
            bad[part] = told
    if bad:
        yield Finding(code, "", Status.FAIL, bad)


def _rooted(inputs: Inputs, security: Mapping[str, Any]) -> Iterator[Finding]:
    return _signs(inputs, security, "rooted", {"su": False, "selinux": "enforcing"})


def _test_build(inputs: Inputs, security: Mapping[str, Any]) -> Iterator[Finding]:
    """Tags are a list; a system that is signed with test keys besides is none of the maker's."""
    tags = security.get("build_tags")
    keys = {tag for tag in tags.split(",") if tag.endswith("-keys")} if tags is not None else set()
    clean = tags if keys == {"release-keys"} else "release-keys"
    return _signs(inputs, security, "test_build", {"debuggable": False, "build_tags": clean})


def _loader(inputs: Inputs, security: Mapping[str, Any]) -> Iterator[Finding]:
    """Both are asked: an open loader can boot a system that says `green` of itself."""
    return _signs(inputs, security, "loader_unlocked", {"verified_boot": "green", "bootloader_locked": True})


def patch_end(inputs: Inputs, policy: Allowlist) -> dt.date | None:
    """The first day on which the security patch level is too old; None: not read, or not judged."""
    months = policy.security.get("patch_months")
    told = (inputs.identity or {}).get("security_patch")
    if months is None or told is None:
        return None
    try:
        patch = dt.date.fromisoformat(told)
    except ValueError:
        return None
    year, month = divmod(patch.year * 12 + patch.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(patch.day, last)) + dt.timedelta(days=1)


def _patch(inputs: Inputs, policy: Allowlist, today: dt.date) -> Iterator[Finding]:
    months = policy.security.get("patch_months")
    if months is None:
        return
    end = patch_end(inputs, policy)
    evidence: dict[str, Any] = {"patch": (inputs.identity or {}).get("security_patch"), "months": months}
    if end is None:
        reason = inputs.reason("identity.security_patch", "identity")
        yield Finding("patch_not_read", "", Status.UNKNOWN, evidence | reason)
    elif today >= end:
        yield Finding("patch_too_old", "", Status.FAIL, evidence)


def storage_low(storage: Mapping[str, Any] | None, policy: Allowlist) -> bool | None:
    """Whether less is free than both limits of the policy say; None: not read."""
    total, free = (storage or {}).get("data_total_bytes"), (storage or {}).get("data_free_bytes")
    if not total or free is None:
        return None
    percent, mb = policy.security.get("free_percent"), policy.security.get("free_mb")
    under_share = percent is None or free * 100 < total * percent
    under_size = mb is None or free < mb * _MB
    return under_share and under_size


def _storage(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    percent, mb = policy.security.get("free_percent"), policy.security.get("free_mb")
    if percent is None and mb is None:
        return
    low = storage_low(inputs.storage, policy)
    if low is None:
        yield Finding("storage_not_read", "", Status.UNKNOWN, inputs.reason("storage"))
    elif low and inputs.storage is not None:
        free, total = inputs.storage["data_free_bytes"], inputs.storage["data_total_bytes"]
        yield Finding("storage_low", "", Status.FAIL, {"free_mb": free // _MB, "total_mb": total // _MB})
