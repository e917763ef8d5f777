"""Which emulated command answers an argv."""

from collections.abc import Callable

from agent.simulator.android import (
    appops,
    content,
    dumpsys,
    locksettings,
    packages,
    properties,
    settings,
    system,
    telephony,
)
from agent.simulator.output import Output, failed
from agent.simulator.state import PhoneState

Handler = Callable[[list[str], PhoneState], Output]

_NOT_FOUND = 127

_HANDLERS: dict[str, Handler] = {
    "appops": appops.appops,
    "content": content.content,
    "getprop": properties.getprop,
    "setprop": properties.setprop,
    "settings": settings.settings,
    "pm": packages.pm,
    "dumpsys": dumpsys.dumpsys,
    "locksettings": locksettings.locksettings,
    "service": telephony.service,
    "df": system.df,
    "stat": system.stat,
    "id": system.id_,
    "whoami": system.whoami,
    "cat": system.cat,
    "date": system.date,
    "reboot": system.reboot,
    "svc": system.svc,
    "uptime": system.uptime,
}

_CMD_SERVICES: dict[str, Handler] = {
    "appops": appops.appops,
    "package": packages.pm,
    "settings": settings.settings,
    "lock_settings": locksettings.locksettings,
}

NAMES = frozenset({*_HANDLERS, "cmd"})


def run(argv: list[str], phone: PhoneState) -> Output:
    """Output of one command; `argv[0]` is its name, as the phone's shell would find it.

    An unknown command gives mksh's `inaccessible or not found` and 127. May change `phone` (settings put,
    reboot).
    """
    name, *args = argv
    if name == "cmd":
        return _cmd(args, phone)
    handler = _HANDLERS.get(name.removeprefix("/system/bin/"))
    if handler is None:
        return failed(f"/system/bin/sh: {name}: inaccessible or not found\n", _NOT_FOUND)
    return handler(args, phone)


def _cmd(args: list[str], phone: PhoneState) -> Output:
    if not args:
        return failed(
            "cmd: No service specified; use -l to list all running services. Usage: cmd [-l] SERVICE\n", 20
        )
    handler = _CMD_SERVICES.get(args[0])
    if handler is None:
        return failed(f"cmd: Can't find service: {args[0]}\n", 20)
    return handler(args[1:], phone)
