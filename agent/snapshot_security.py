"""`security` of a snapshot: who else commands the phone, and whether its system is the maker's own.

Each part that could not be read is None and noted as `security.<part>`; the rest of the section stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.parsers import Unreadable
from agent.parsers.components import (
    parse_component,
    parse_components,
    parse_default_app,
    parse_resolved,
)
from agent.parsers.device_policy import parse_admins, parse_device_owner, parse_profile_owners
from agent.parsers.roles import ROLES, parse_roles
from agent.parsers.security import (
    parse_build_tags,
    parse_debuggable,
    parse_loader_locked,
    parse_selinux,
    parse_su,
    parse_verified_boot,
)
from agent.snapshot_parts import Json, SectionReader

_ROLES_SDK = 29


def security_part(
    reader: SectionReader, props: dict[str, str], secure: dict[str, str] | None, sdk: int | None
) -> Json | None:
    """`security`; None, with a note for it, when not one of its parts could be read."""
    asked: dict[str, Callable[[], object]] = {
        "device_owner": lambda: _device_owner(reader.text("policy")),
        "profile_owners": lambda: _profile_owners(reader.text("policy")),
        "verified_boot": lambda: parse_verified_boot(_told(props)),
        "bootloader_locked": lambda: parse_loader_locked(_told(props)),
        "debuggable": lambda: parse_debuggable(_told(props)),
        "build_tags": lambda: parse_build_tags(_told(props)),
        "su": lambda: parse_su(reader.text("su")),
        "selinux": lambda: parse_selinux(reader.text("selinux")),
        "accessibility": lambda: parse_components(_told(secure).get("enabled_accessibility_services")),
        "notification_listeners": lambda: parse_components(
            _told(secure).get("enabled_notification_listeners")
        ),
        "device_admins": lambda: parse_admins(reader.text("policy")),
        "input_method": lambda: _input_method(_told(secure)),
    }
    part: Json = {name: reader.take(f"security.{name}", read) for name, read in asked.items()}
    part["roles"] = _roles(reader, secure, sdk)
    if all(value is None for value in part.values()):
        reader.note("security", "no part of it could be read")
        return None
    return part


def _told(texts: Mapping[str, str] | None) -> Mapping[str, str]:
    """The properties, or a table of settings, which `assemble` has read."""
    if not texts:
        raise Unreadable("the properties or settings could not be read")
    return texts


def _device_owner(text: str) -> Json:
    package = parse_device_owner(text)
    return {"set": package is not None, "package": package}


def _profile_owners(text: str) -> list[Json]:
    return [{"user": owner.user, "package": owner.package} for owner in parse_profile_owners(text)]


def _input_method(secure: Mapping[str, str]) -> str:
    """A phone without any keyboard is none that a person can use: what is not set was not told."""
    found = parse_component(secure.get("default_input_method"))
    if found is None:
        raise Unreadable("not set")
    return found


def _roles(reader: SectionReader, secure: Mapping[str, str] | None, sdk: int | None) -> Json | None:
    """Holders by role; a role that could not be read is absent and noted as `security.roles.<role>`."""
    if sdk is None:
        reader.note("security.roles", "the Android version is not known")
        return None
    if sdk >= _ROLES_SDK:
        found = reader.take("security.roles", lambda: parse_roles(reader.text("roles")))
        if found is None:
            return None
        for role in ROLES.keys() - found.keys():
            reader.note(f"security.roles.{role}", "the phone does not say")
        return {role: found[role] for role in ROLES if role in found}
    return _default_apps(reader, secure)


def _default_apps(reader: SectionReader, secure: Mapping[str, str] | None) -> Json | None:
    """Before Android 10 settings say it, and which app answers the home key; of the browser nothing does."""
    asked: dict[str, Callable[[], list[str]]] = {
        "sms": lambda: parse_default_app(_told(secure).get("sms_default_application")),
        "dialer": lambda: parse_default_app(_told(secure).get("dialer_default_application")),
        "home": lambda: parse_resolved(reader.text("home")),
        "assistant": lambda: parse_default_app(_told(secure).get("assistant")),
    }
    found = {role: reader.take(f"security.roles.{role}", read) for role, read in asked.items()}
    reader.note("security.roles.browser", "not told before Android 10")
    told = {role: holders for role, holders in found.items() if holders is not None}
    return told or None
