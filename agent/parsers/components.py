"""Names of packages and of their parts, as settings and dumps write them."""

from __future__ import annotations

import re

from agent.parsers.common import Unreadable, complaint, is_noise

PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*", re.ASCII)
_COMPONENT = re.compile(r"(?:ComponentInfo\{)?([A-Za-z][A-Za-z0-9_.]*)/([A-Za-z0-9_.$-]+)\}?", re.ASCII)
_CHOOSERS = frozenset({"android", "com.huawei.android.internal.app"})
"""Whose activity lets the user choose: Android's own, Huawei's."""


def component(text: str) -> str | None:
    """`package/class` with the class's full name; `pkg/.Cls` and `ComponentInfo{pkg/cls}` are understood, too."""
    found = _COMPONENT.fullmatch(text.strip())
    if found is None:
        return None
    package, name = found.groups()
    return f"{package}/{package}{name}" if name.startswith(".") else f"{package}/{name}"


def package_of(text: str) -> str | None:
    """The package of a component, None for anything else."""
    full = component(text)
    return full.partition("/")[0] if full else None


def parse_components(value: str | None) -> list[str]:
    """A setting that lists components, parted by colons (`enabled_accessibility_services`,
    `enabled_notification_listeners`); none where it was never set. Raise `Unreadable`.
    """
    parts = [part for part in _told(value).split(":") if part.strip()]
    found = [component(part) for part in parts]
    if None in found:
        raise Unreadable(complaint(value or "") or "not understood")
    return list(dict.fromkeys(name for name in found if name))


def parse_component(value: str | None) -> str | None:
    """A setting that names one component (`default_input_method`); None where it was never set. Raise `Unreadable`."""
    found = parse_components(value)
    if len(found) > 1:
        raise Unreadable("more than one where one is due")
    return found[0] if found else None


def parse_default_app(value: str | None) -> list[str]:
    """A setting that names one app, as a package or one of its components (`sms_default_application`,
    `dialer_default_application`, `assistant`), as a list of at most one. Raise `Unreadable`.
    """
    told = _told(value)
    if not told:
        return []
    package = told if PACKAGE.fullmatch(told) else package_of(told)
    if package is None:
        raise Unreadable(complaint(told) or "not understood")
    return [package]


def parse_resolved(text: str) -> list[str]:
    """`cmd package resolve-activity`, with `--brief` or its `packageName=` lines: the app that Android would start.

    None where it would let the user choose, or finds no app. Raise `Unreadable`.
    """
    lines = [line.strip() for line in text.split("\n") if not is_noise(line)]
    if lines == ["No activity found"]:
        return []
    names = {name for line in lines if (name := _resolved(line))}
    if not names:
        raise Unreadable(complaint(text) or "not understood")
    if names & _CHOOSERS:
        return []
    if len(names) > 1:
        raise Unreadable("more than one where one is due")
    return list(names)


def _resolved(line: str) -> str | None:
    if line.startswith("packageName="):
        name = line.removeprefix("packageName=")
        return name if PACKAGE.fullmatch(name) else None
    return package_of(line)


def _told(value: str | None) -> str:
    told = (value or "").strip()
    return "" if told == "null" else told
