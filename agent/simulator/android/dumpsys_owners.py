"""`dumpsys device_policy` and `dumpsys role`: who commands the phone, and which apps hold its roles."""

from __future__ import annotations

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

ROLES_SINCE = 29
_ROLES = {
    "sms": "android.app.role.SMS",
    "dialer": "android.app.role.DIALER",
    "home": "android.app.role.HOME",
    "browser": "android.app.role.BROWSER",
    "assistant": "android.app.role.ASSISTANT",
}
_OTHER_ROLES = ("CALL_REDIRECTION", "CALL_SCREENING", "CAR_MODE_DIALER_APP", "EMERGENCY")


def dump_device_policy(_args: list[str], phone: PhoneState) -> str:
    """Owners first, then each user's administrators, as AOSP orders them."""
    head = "Current Device Policy Manager state:\n"
    if phone.identity.sdk >= ROLES_SINCE:
        head += "  Immutable state:\n    mHasFeature=true\n    mIsWatch=false\n  \n"
    if phone.device_owner:
        head += f"  Device Owner: \n{_owner(phone.device_owner, phone)}    User ID: 0\n\n"
    for user, package in phone.profile_owners.items():
        head += f"  Profile Owner (User {user}): \n{_owner(package, phone)}\n"
    blocks = "".join(_admins_of(user.id, phone) for user in phone.users)
    return f"{head}{blocks}Encryption Status: per-user\n"


def _owner(package: str, phone: PhoneState) -> str:
    newer = "    isOrganizationOwnedDevice=true\n" if phone.identity.sdk >= 30 else ""
    return f"    admin=ComponentInfo{{{package}/{package}.AdminReceiver}}\n    name=\n    package={package}\n{newer}"


def _admins_of(user: int, phone: PhoneState) -> str:
    admins = list(phone.device_admins) if user == 0 else []
    owners = [phone.device_owner] if user == 0 else []
    admins += [f"{name}/{name}.AdminReceiver" for name in (*owners, phone.profile_owners.get(user)) if name]
    blocks = "".join(
        f"    {_short(name)}:\n      uid={10_301 + place}\n      testOnlyAdmin=false\n      policies:\n"
        "        wipe-data\n        force-lock\n      passwordQuality=0x0\n"
        for place, name in enumerate(dict.fromkeys(admins))
    )
    return (
        f"  Enabled Device Admins (User {user}, provisioningState: 0):\n{blocks}  \n"
        "    mPasswordOwner=-1\n    mPasswordTokenHandle=0\n  \n"
    )


def _short(component: str) -> str:
    """As `flattenToShortString` writes it."""
    package, _, name = component.partition("/")
    return f"{package}/{name.removeprefix(package)}" if name.startswith(f"{package}.") else component


def dump_roles(_args: list[str], phone: PhoneState) -> Output:
    """Android 10 and later; several holders of a role stand on lines of their own."""
    if phone.identity.sdk < ROLES_SINCE:
        return failed("Can't find service: role\n", 0)
    text = "ROLE MANAGER STATE (dumpsys role):\n{\n  user_states=[\n"
    for user in phone.users:
        names = {f"android.app.role.{name}": list[str]() for name in _OTHER_ROLES}
        names |= {full: phone.roles.get(short, []) if user.id == 0 else [] for short, full in _ROLES.items()}
        roles = "".join(_role(name, names[name]) for name in sorted(names))
        text += f"    {{\n      user_id={user.id}\n      version=1\n      roles=[\n{roles}      ]\n    }}\n"
    return said(text + "  ]\n}\n")


def _role(name: str, holders: list[str]) -> str:
    inner = f"          name={name}\n"
    if len(holders) == 1:
        inner += f"          holders={holders[0]}\n"
    elif holders:
        inner += "          holders=[\n" + "".join(f"            {it}\n" for it in holders) + "          ]\n"
    return f"        {{\n{inner}        }}\n"
