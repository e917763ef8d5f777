"""df, stat, id, cat of /proc, date, uptime, reboot, svc."""

import datetime as dt
import uuid

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_BLOCK = 4096
SU = "/sbin/su"
"""Where a rooted phone has it."""
_ZONE = dt.timezone(dt.timedelta(hours=8), "CST")


def proc_files(phone: PhoneState) -> dict[str, str]:
    """The files below /proc that tell the boot, by their path from /proc."""
    seconds = phone.uptime()
    return {
        "uptime": f"{seconds:.2f} {seconds * 5.3:.2f}\n",
        "sys/kernel/random/boot_id": f"{phone.boot_id}\n",
        "meminfo": "MemTotal:        7747112 kB\nMemFree:          312400 kB\nMemAvailable:    3201776 kB\n",
    }


def cat(args: list[str], phone: PhoneState) -> Output:
    """Files of /proc; every other path does not exist."""
    files = {f"/proc/{path}": text for path, text in proc_files(phone).items()}
    files["/proc/sys/kernel/random/uuid"] = f"{uuid.uuid4()}\n"
    missing = [path for path in args if path not in files]
    text = "".join(files[path] for path in args if path in files)
    errors = "".join(f"cat: {path}: No such file or directory\n" for path in missing)
    return Output(text.encode(), errors.encode(), 1 if missing else 0)


def df(args: list[str], phone: PhoneState) -> Output:
    """`df [-k] [PATH…]` in 1 KiB blocks as toybox prints it; the data partition for whatever is asked."""
    paths = [word for word in args if not word.startswith("-")] or ["/data"]
    total, free = phone.storage_total // 1024, phone.storage_free // 1024
    used = total - free
    share = -(-used * 100 // total) if total else 0
    row = f"/dev/block/dm-44 {total:>12} {used:>9} {free:>9} {share:>3}% /data\n"
    bad = [path for path in paths if not path.startswith(("/data", "/sdcard", "/storage"))]
    if bad:
        return failed(f"df: {bad[0]}: No such file or directory\n")
    return said("Filesystem       1K-blocks      Used Available Use% Mounted on\n" + row * len(paths))


def stat(args: list[str], phone: PhoneState) -> Output:
    """`stat -f [-c FORMAT] /data` only: block counts of the data partition."""
    if "-f" not in args or args[-1] != "/data":
        return failed(f"stat: '{args[-1] if args else ''}': No such file or directory\n")
    total, free = phone.storage_total // _BLOCK, phone.storage_free // _BLOCK
    values = {"%S": _BLOCK, "%s": _BLOCK, "%b": total, "%f": free, "%a": free, "%n": "/data", "%T": "f2fs"}
    if "-c" in args:
        text = args[args.index("-c") + 1]
        for key, value in values.items():
            text = text.replace(key, str(value))
        return said(text + "\n")
    return said(
        '  File: "/data"\n    ID: fd2c00000000 Namelen: 255    Type: f2fs\n'
        f"Block Size: {_BLOCK}    Fundamental block size: {_BLOCK}\n"
        f"Blocks: Total: {total}\tFree: {free}\tAvailable: {free}\n"
        "Inodes: Total: 7013360\tFree: 6700112\n"
    )


def getenforce(_args: list[str], phone: PhoneState) -> Output:
    """Whether SELinux enforces its rules."""
    return said("Enforcing\n" if phone.selinux_enforcing else "Permissive\n")


def id_(args: list[str], _phone: PhoneState) -> Output:
    """Who runs adb's shell."""
    if args == ["-u"]:
        return said("2000\n")
    groups = "2000(shell),1004(input),1007(log),1011(adb),1015(sdcard_rw),3003(inet),3009(readproc)"
    return said(f"uid=2000(shell) gid=2000(shell) groups={groups} context=u:r:shell:s0\n")


def whoami(_args: list[str], _phone: PhoneState) -> Output:
    """Android's name of uid 2000."""
    return said("shell\n")


def date(args: list[str], phone: PhoneState) -> Output:
    """`date [+FORMAT]` by the phone's own wall clock, Shanghai time."""
    now = dt.datetime.fromtimestamp(phone.wall(), tz=_ZONE)
    shape = args[0][1:] if args and args[0].startswith("+") else "%a %b %e %H:%M:%S %Z %Y"
    shape = shape.replace("%s", str(int(phone.wall())))
    try:
        return said(now.strftime(shape) + "\n")
    except ValueError:
        return failed(f"date: bad format '{shape}'\n")


def uptime(_args: list[str], phone: PhoneState) -> Output:
    """toybox's `uptime` line."""
    minutes = int(phone.uptime()) // 60
    clock = dt.datetime.fromtimestamp(phone.wall(), tz=_ZONE).strftime("%H:%M:%S")
    up = f"{minutes // 1440} days, {minutes // 60 % 24:2d}:{minutes % 60:02d}"
    return said(f" {clock} up {up},  0 users,  load average: 2.10, 2.40, 2.31\n")


def reboot(args: list[str], phone: PhoneState) -> Output:
    """`reboot [-p] [REASON]`: asks the phone's power switch; a phone outside a fleet only says nothing."""
    if phone.on_power is not None:
        reason = next((word for word in args if not word.startswith("-")), "")
        phone.on_power("shutdown,userrequested" if "-p" in args else f"reboot,{reason or 'shell'}")
    return Output()


def svc(args: list[str], phone: PhoneState) -> Output:
    """`svc power reboot|shutdown`."""
    match args:
        case ["power", "reboot", *rest]:
            return reboot(rest, phone)
        case ["power", "shutdown"]:
            return reboot(["-p"], phone)
    return failed("Available commands:\n    power           Control the power manager\n", 1)
