"""Which apps the agent never removes, whoever signed the order: a phone without them is no phone, or is out of reach.

Asked of the phone in the very take in which it would be acted on. What could not be asked counts as "yes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.app_look import App, Seen, ask
from agent.identity import Held
from agent.parsers import Unreadable
from agent.parsers.common import is_noise
from agent.parsers.components import package_of, parse_component, parse_resolved
from agent.snapshot_parts import SectionReader

ASK_S = 30.0
HELD_ROLES = ("sms", "dialer", "home", "assistant")
_MUST_BE_READ = frozenset({"sms", "dialer", "home"})
_HOME = "-a android.intent.action.MAIN -c android.intent.category.HOME"
_WEBVIEW = re.compile(r"Current WebView package[^(\n]*\([^)\n]*\): *\(([A-Za-z0-9_.]+)", re.ASCII)

NEEDED = frozenset(
    "android com.android.shell com.android.settings com.android.systemui com.android.phone com.android.bluetooth "
    "com.android.server.telecom com.android.packageinstaller com.google.android.packageinstaller "
    "com.miui.packageinstaller com.samsung.android.packageinstaller com.android.permissioncontroller "
    "com.google.android.permissioncontroller com.android.webview com.google.android.webview com.android.vpndialogs "
    "com.android.externalstorage com.android.documentsui com.google.android.documentsui com.android.certinstaller "
    "com.android.keychain com.android.vcard com.android.contacts com.google.android.contacts "
    "com.samsung.android.app.contacts com.miui.securitycenter com.termux com.termux.boot com.termux.api".split()
)
"""What our own work runs by: the shell, settings and their dialogs, the installer, web views, the import of contacts,
Xiaomi's keeper of permissions, the agent's own home on a phone.
"""
NEEDED_FAMILIES = ("com.android.providers.", "com.android.internal.", "com.android.networkstack")


def is_needed(package: str) -> bool:
    return package in NEEDED or package.startswith(NEEDED_FAMILIES)


def protected(held: Held, app: App, seen: Seen, *, system: bool) -> str | None:
    """Why this app is not to be touched, or None: `needed user_not_readable system_app device_owner profile_owner
    device_admin input_method role_sms role_dialer role_home role_assistant web_view`, or `not_read`.

    Raise `TransportError`, `Swapped`.
    """
    if is_needed(app.package):
        return "needed"
    if not seen.listed:
        return "user_not_readable"
    if not system and seen.state.system is not False:
        return "not_read" if seen.state.system is None else "system_app"
    security = held.snapshot.body.get("security") or {}
    reason = _commands(security, app.package) or _holds(security, app.package)
    if reason is not None:
        return reason
    return _of_user(held, app)


def _commands(security: Mapping[str, Any], package: str) -> str | None:
    """Whether it rules the phone, by the snapshot of this take."""
    owner, profiles = security.get("device_owner"), security.get("profile_owners")
    admins = security.get("device_admins")
    if owner is None or owner["set"] is None or profiles is None or admins is None:
        return "not_read"
    if owner["package"] == package:
        return "device_owner"
    if package in {profile["package"] for profile in profiles}:
        return "profile_owner"
    # Android refuses to uninstall one that is active; who may end that is the person at the phone.
    return "device_admin" if package in map(package_of, admins) else None


def _holds(security: Mapping[str, Any], package: str) -> str | None:
    method, roles = security.get("input_method"), security.get("roles") or {}
    if method is None or not roles.keys() >= _MUST_BE_READ:
        return "not_read"
    if package_of(method) == package:
        return "input_method"
    return next((f"role_{role}" for role in HELD_ROLES if package in roles.get(role, ())), None)


def _of_user(held: Held, app: App) -> str | None:
    """What a snapshot does not ask: the web views' engine, and the keyboard and launcher of a further user."""
    sections = [("web_view", "dumpsys webviewupdate")]
    if app.user:
        sections += [
            ("keyboard", f"settings get --user {app.user} secure default_input_method"),
            ("home", f"cmd package resolve-activity --user {app.user} {_HOME}"),
        ]
    reader = SectionReader(ask(held, sections, ASK_S))
    web_view = reader.take("web_view", lambda: _WEBVIEW.search(reader.text("web_view")))
    if web_view is not None and web_view[1] == app.package:
        return "web_view"
    if not app.user:
        return None
    try:
        said = [line for line in reader.text("keyboard").splitlines() if not is_noise(line)]
        keyboard, home = parse_component("\n".join(said)), parse_resolved(reader.text("home"))
    except Unreadable:
        return "not_read"
    if keyboard is not None and package_of(keyboard) == app.package:
        return "input_method"
    return "role_home" if app.package in home else None
