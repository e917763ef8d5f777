"""Which service an OPEN asks for, as adbd names them; what a phone does not offer is refused."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.simulator import shellv2
from agent.simulator.faults import Fault, FaultKind, FaultPoint, is_fault
from agent.simulator.output import Output
from agent.simulator.stream import Stream
from agent.simulator.sync import SyncService

if TYPE_CHECKING:
    from agent.simulator.device import Device

_FLOOD_LINE = b"the quick brown fox jumps over the lazy dog 0123456789 abcdefgh\n"


@dataclass(frozen=True, slots=True)
class ShellRequest:
    """A shell service: `framed` is shell v2; `pty` a terminal; `legacy` a phone before shell v2, which
    writes CRLF.
    """

    command: str
    framed: bool = False
    pty: bool = False
    legacy: bool = False
    term: str = "dumb"

    def encode(self, output: Output) -> bytes:
        """A finished command's output as the client gets it."""
        if self.framed:
            body = shellv2.frames(shellv2.STDOUT, output.stdout) + shellv2.frames(
                shellv2.STDERR, output.stderr
            )
            return body + shellv2.exit_frame(output.exit_code)
        return self.mend(output.stdout + output.stderr)

    def mend(self, data: bytes) -> bytes:
        """Output bytes as this kind of shell writes them: old phones' terminals turn LF into CRLF."""
        return data.replace(b"\n", b"\r\n") if self.legacy else data


def parse_shell(service: str, *, shell_v2: bool) -> ShellRequest | None:
    """`shell:CMD`, `exec:CMD` or `shell,v2,TERM=…,raw:CMD`; None for anything else."""
    name, colon, command = service.partition(":")
    if not colon:
        return None
    if name == "exec":
        return ShellRequest(command)
    kind, *options = name.split(",")
    if kind != "shell":
        return None
    if not options:
        return ShellRequest(command, pty=not command, legacy=not shell_v2)
    if "v2" not in options or not shell_v2:
        return None
    pty = "pty" in options or (not command and "raw" not in options)
    term = next((option[5:] for option in options if option.startswith("TERM=")), "dumb")
    return ShellRequest(command, framed=True, pty=pty, term=term)


def open_service(service: str, stream: Stream, device: "Device") -> bool:
    """Start `service` on `stream` (which it accepts); False when the phone refuses it."""
    request = parse_shell(service, shell_v2=device.state.shell_v2)
    if request is not None:
        _open_shell(request, stream, device)
        return True
    if service == "sync:":
        stream.accept(SyncService(stream, device.files))
        return True
    name, _, argument = service.partition(":")
    handler = _PLAIN.get(name)
    if handler is None:
        return False
    stream.accept()
    stream.end_with(handler(device, argument))
    return True


def _open_shell(request: ShellRequest, stream: Stream, device: "Device") -> None:
    spoilt = _spoilt_output(device.fault)
    if spoilt is None:
        device.runner.start(request, stream, device)
    else:
        stream.accept()
        stream.end_with(request.encode(spoilt))


def _spoilt_output(fault: Fault | None) -> Output | None:
    if fault is None:
        return None
    if is_fault(fault, FaultKind.GARBAGE, FaultPoint.OUTPUT):
        return Output(os.urandom(fault.size))
    if fault.kind is FaultKind.FLOOD:
        return Output((_FLOOD_LINE * (fault.size // len(_FLOOD_LINE) + 1))[: fault.size])
    return Output(b"") if fault.kind is FaultKind.EMPTY else None


def _reboot(device: "Device", argument: str) -> bytes:
    device.request_power(f"reboot,{argument or 'adb'}")
    return b""


def _root(_device: "Device", _argument: str) -> bytes:
    return b"adbd cannot run as root in production builds\n"


def _unroot(_device: "Device", _argument: str) -> bytes:
    return b"adbd not running as root\n"


_PLAIN: dict[str, Callable[["Device", str], bytes]] = {"reboot": _reboot, "root": _root, "unroot": _unroot}
