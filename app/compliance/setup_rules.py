"""R03: a phone's users, accounts and settings against the policy. Plain values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from app.compliance.finding_rules import Finding, Status
from app.compliance.input_rules import Inputs
from app.compliance.list_rules import Allowlist

_SWITCHES = (("developer_options", "developer_options_on"), ("adb_wifi", "adb_wifi_on"))
_TABLES = ("setup.global_settings", "setup.secure_settings", "setup")


def user_findings(inputs: Inputs, policy: Allowlist, read: Collection[int]) -> Iterator[Finding]:
    """Users that ought not to exist; `read`: those of which packages were read, which proves that they do."""
    known = {user["id"]: user for user in inputs.users or ()}
    for user in sorted((known.keys() | set(read)) - policy.users):
        name = known.get(user, {}).get("name")
        evidence = {"user": user} if name is None else {"user": user, "name": name}
        yield Finding("user_not_allowed", str(user), Status.FAIL, evidence)


def account_findings(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    """Accounts of types that are on no list."""
    if policy.accounts is None:
        return
    parts = sorted(part for part in inputs.unread if part.startswith("accounts."))
    strangers = Counter(
        (account["type"], account["user"])
        for account in inputs.accounts or ()
        if account["type"] not in policy.accounts
    )
    for (kind, user), number in strangers.items():
        evidence = {"type": kind, "user": user, "number": number}
        yield Finding("account_not_allowed", f"{kind}@{user}", Status.FAIL, evidence)
    if inputs.accounts is None or parts:
        yield Finding("accounts_not_read", "", Status.UNKNOWN, inputs.reason("accounts", *parts))
    elif not strangers:
        yield Finding("accounts_ok", "", Status.PASS, {"accounts": len(inputs.accounts)})


def setting_findings(inputs: Inputs, policy: Allowlist) -> list[Finding]:
    """Of each setting that is judged its breach, or that it was not read; one pass where all are as they must be."""
    findings = [
        *_switches(inputs, policy),
        *_sources(inputs, policy),
        *_airplane(inputs, policy),
        *_lock(inputs, policy),
        *_accessibility(inputs, policy),
    ]
    judged = sorted(_judged(policy))
    if judged and not findings:
        findings.append(Finding("settings_ok", "", Status.PASS, {"judged": judged}))
    return findings


def _judged(policy: Allowlist) -> Iterator[str]:
    for name in ("developer_options", "adb_wifi", "unknown_sources", "airplane_mode", "lock_screen"):
        if policy.settings[name] != "any":
            yield name
    if policy.accessibility is not None:
        yield "accessibility"


def _not_read(inputs: Inputs, name: str, *parts: str) -> Finding:
    return Finding("setting_not_read", name, Status.UNKNOWN, inputs.reason(f"setup.{name}", *parts, *_TABLES))


def _switches(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    setup: Any = inputs.setup or {}
    for name, code in _SWITCHES:
        if policy.settings[name] == "any":
            continue
        if setup.get(name) is None:
            yield _not_read(inputs, name)
        elif setup[name]:
            yield Finding(code, "", Status.FAIL)


def _sources(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    """Apps that may install apps. A store that the policy allows must; `*` is each app, on Android 7."""
    if policy.settings["unknown_sources"] == "any":
        return
    sources = (inputs.setup or {}).get("unknown_sources")
    if sources is None:
        yield _not_read(inputs, "unknown_sources")
        return
    for package in sorted(set(sources) - (policy.installers or frozenset())):
        label = policy.labels.get(package)
        yield Finding("unknown_sources_on", package, Status.FAIL, {} if label is None else {"label": label})


def _airplane(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    if policy.settings["airplane_mode"] == "any":
        return
    if inputs.airplane_mode is None:
        yield _not_read(inputs, "airplane_mode", "power.airplane_mode", "power")
    elif inputs.airplane_mode:
        yield Finding("airplane_mode_on", "", Status.FAIL)


def _lock(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    if policy.settings["lock_screen"] == "any":
        return
    lock = (inputs.setup or {}).get("lock_screen")
    if lock == "none":
        yield Finding("no_screen_lock", "", Status.FAIL)
    elif lock != "set":
        yield _not_read(inputs, "lock_screen")


def _accessibility(inputs: Inputs, policy: Allowlist) -> Iterator[Finding]:
    """Services that read the screen and act for the user. The system's own are part of the phone."""
    if policy.accessibility is None:
        return
    services = (inputs.security or {}).get("accessibility")
    if services is None:
        yield _not_read(inputs, "accessibility", "security.accessibility", "security")
        return
    strangers = {service: service.partition("/")[0] for service in services}
    strangers = {service: name for service, name in strangers.items() if name not in policy.accessibility}
    if not strangers:
        return
    if inputs.packages is None:
        yield _not_read(inputs, "accessibility", "packages")
        return
    wanted = set(strangers.values())
    system = {p["name"]: p["system"] for p in inputs.packages if p["user"] == 0 and p["name"] in wanted}
    unsure = False
    for service, name in sorted(strangers.items()):
        mark = system.get(name)
        unsure |= mark is None
        if mark is False:
            label = policy.labels.get(name)
            evidence = {"package": name} if label is None else {"package": name, "label": label}
            yield Finding("accessibility_not_allowed", service, Status.FAIL, evidence)
    if unsure:
        yield _not_read(inputs, "accessibility", "packages.user.0.system", "packages.user.0")
