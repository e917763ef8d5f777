"""`settings` get, put, delete, list on the namespaces global, secure and system."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_NAMESPACES = ("global", "secure", "system")
_WANTED = {"get": 1, "delete": 1, "put": 2, "list": 0}
_FAILED = 255
_ROLES_SINCE = 29
_DEFAULT_APPS = {
    "sms": "sms_default_application",
    "dialer": "dialer_default_application",
    "assistant": "assistant",
}
"""Where Android kept the default apps before there were roles."""


def settings(args: list[str], phone: PhoneState) -> Output:
    """`settings [--user N|current] VERB NAMESPACE [NAME [VALUE]]`; an absent name reads `null`."""
    args = _without_user(args)
    if len(args) < 2 or args[0] not in _WANTED:
        return failed("Invalid command: " + (args[0] if args else "null") + "\n", _FAILED)
    verb, namespace, *rest = args
    if namespace not in _NAMESPACES:
        return failed(f"Invalid namespace '{namespace}'\n", _FAILED)
    if len(rest) < _WANTED[verb]:
        return failed("Bad arguments\n", _FAILED)
    if verb == "put":
        phone.settings[namespace][rest[0]] = rest[1]
        return Output()
    values = table(phone, namespace)
    if verb == "list":
        return said("".join(f"{name}={values[name]}\n" for name in sorted(values)))
    if verb == "delete":
        return said(f"Deleted {int(phone.settings[namespace].pop(rest[0], None) is not None)} rows\n")
    return said(values.get(rest[0], "null") + "\n")


def table(phone: PhoneState, namespace: str) -> dict[str, str]:
    """A namespace with the values that follow from the rest of the state."""
    derived: dict[str, str] = {}
    if namespace == "global":
        derived["boot_count"] = str(phone.settings_boot_count())
    elif namespace == "secure":
        derived["android_id"] = phone.identity.android_id
        if phone.identity.sdk < _ROLES_SINCE:
            derived |= {
                name: phone.roles[role][0] for role, name in _DEFAULT_APPS.items() if phone.roles.get(role)
            }
    return derived | phone.settings[namespace]


def _without_user(args: list[str]) -> list[str]:
    if "--user" in args:
        place = args.index("--user")
        return args[:place] + args[place + 2 :]
    return args
