"""Which emulated command answers an argv."""

from collections.abc import Callable
from dataclasses import replace

from agent.simulator.android import (
    am,
    appops,
    content,
    dumpsys,
    locksettings,
    packages,
    properties,
    removal,
    settings,
    show,
    system,
    telephony,
    testharness,
    volumes,
)
from agent.simulator.output import Output, failed
from agent.simulator.state import PhoneState, Way

Handler = Callable[[list[str], PhoneState], Output]

_NOT_FOUND = 127
_REFUSED = 255
_VIRTUAL_MACHINE = frozenset({"am", "appops", "pm", "settings"})
_NOISE = b"WARNING: linker: /system/lib64/libmaker.so: unused DT entry: type 0x6ffffef5 arg 0x1b4\n"

_HANDLERS: dict[str, Handler] = {
    "am": am.am,
    "appops": appops.appops,
    "getprop": properties.getprop,
    "setprop": properties.setprop,
    "settings": settings.settings,
    "input": show.input_,
    "pm": packages.pm,
    "sm": volumes.sm,
    "dumpsys": dumpsys.dumpsys,
    "locksettings": locksettings.locksettings,
    "service": telephony.service,
    "df": system.df,
    "getenforce": system.getenforce,
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
    "notification": show.notification,
    "vibrator": show.vibrator,
    "vibrator_manager": show.vibrator_manager,
}

NAMES = frozenset({*_HANDLERS, "cmd", "content"})


def run(argv: list[str], phone: PhoneState, stdin: bytes = b"") -> Output:
    """Output of one command; `argv[0]` is its name, as the phone's shell would find it.

    An unknown command gives mksh's `inaccessible or not found` and 127. May change `phone` (settings put,
    reboot).
    """
    removal.put_back(phone)
    name, *args = argv
    if phone.refused and f"{' '.join(argv)} ".startswith(tuple(f"{words} " for words in phone.refused)):
        return failed("java.lang.SecurityException: uid 2000 is not allowed\n", _REFUSED)
    if name == "cmd":
        return _cmd(args, phone)
    if name == "content":
        return content.content(args, phone, stdin)
    handler = _HANDLERS.get(name.removeprefix("/system/bin/"))
    if handler is None:
        return failed(f"/system/bin/sh: {name}: inaccessible or not found\n", _NOT_FOUND)
    output = handler(args, phone)
    if name in _VIRTUAL_MACHINE and Way.LINKER_NOISE in phone.ways:
        return replace(output, stderr=_NOISE + output.stderr)
    return output


def _cmd(args: list[str], phone: PhoneState) -> Output:
    if not args:
        return failed(
            "cmd: No service specified; use -l to list all running services. Usage: cmd [-l] SERVICE\n", 20
        )
    handler = _CMD_SERVICES.get(args[0])
    if args[0] == "testharness" and testharness.there(phone):
        handler = testharness.testharness
    if handler is None:
        return failed(f"cmd: Can't find service: {args[0]}\n", 20)
    return handler(args[1:], phone)
