"""R03: all findings of one phone. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

from app.compliance.app_rules import app_findings, look
from app.compliance.finding_rules import CLAUSE, ORDER, VERDICTS, Finding, Status, worst
from app.compliance.input_rules import Inputs
from app.compliance.list_rules import Allowlist
from app.compliance.security_rules import patch_end, security_findings, storage_low
from app.compliance.setup_rules import account_findings, setting_findings, user_findings

__all__ = ["CLAUSE", "VERDICTS", "Finding", "Inputs", "Status", "evaluate", "next_change", "worst"]

SHANGHAI = ZoneInfo("Asia/Shanghai")
_LOOK_AGAIN = dt.timedelta(hours=1)


def evaluate(
    inputs: Inputs, policy: Allowlist, now: dt.datetime, excused: Collection[str] = ()
) -> list[Finding]:
    """All findings, before grace and exemptions: the worst first, then by code and subject.

    `excused`: packages on no list that an exemption allows this phone: they are no reason to hold more against it.
    """
    if inputs.read_at is None:
        return [Finding("never_read", "", Status.UNKNOWN)]
    seen = None if inputs.packages is None else look(inputs.packages, policy)
    findings = [
        *app_findings(inputs, policy, seen, excused),
        *user_findings(inputs, policy, () if seen is None else seen.users),
        *account_findings(inputs, policy),
        *setting_findings(inputs, policy),
        *security_findings(inputs, policy, now.astimezone(SHANGHAI).date()),
    ]
    if now >= inputs.read_at + dt.timedelta(hours=policy.silent_hours):
        findings.append(Finding("silent", "", Status.UNKNOWN, {"hours": policy.silent_hours}))
    return sorted(findings, key=lambda f: (ORDER[f.status], f.code, f.subject))


def next_change(inputs: Inputs, policy: Allowlist, now: dt.datetime) -> dt.datetime:
    """When, with nothing read anew, time alone makes other findings.

    A reading moves the end of its phone's patience and judges nothing, so a phone that fell silent, or was never read,
    is looked at each hour: it may have been read since, or in the very moment in which it was first judged.
    """
    if inputs.read_at is None:
        return now + _LOOK_AGAIN
    silent = inputs.read_at + dt.timedelta(hours=policy.silent_hours)
    first = silent if silent > now else now + _LOOK_AGAIN
    end = patch_end(inputs, policy)
    if end is None:
        return first
    old = dt.datetime.combine(end, dt.time(), SHANGHAI).astimezone(dt.UTC)
    return min(first, old) if old > now else first


def storage_state(inputs: Inputs, policy: Allowlist) -> str | None:
    """`low` or `ok`, as `ComplianceVerdict.storage` keeps it; None: not known."""
    return {True: "low", False: "ok", None: None}[storage_low(inputs.storage, policy)]
