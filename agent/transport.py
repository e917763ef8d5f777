"""One interface to a phone, two ways to it: straight by TCP, or through the local adb server.

A transport serves one job of one thread and is closed after it. Every call ends by its deadline. After an
error the transport is closed: the phone may still be sending the answer to what was given up, so retries
must be idempotent and take a new transport.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from agent.clock import Steady, steady
from agent.errors import BadTarget

if TYPE_CHECKING:
    from agent.adbkey import AdbKey

Link = Literal["usb", "tls", "loopback", "plain_tcp"]

DEFAULT_PORT = 5555
_SERIAL = re.compile(r"[A-Za-z0-9._:@\[\]%()-]{1,128}")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command printed and how it ended.

    `stderr` is apart only where the phone speaks shell v2; older ones mix it into `stdout`. `exit_code` is
    None in a partial result. `opened_at` and `first_output_at` are on the agent's steady clock, in seconds:
    when the command was sent, and when the first bytes of its output had come (None: no output).
    """

    stdout: bytes
    stderr: bytes
    exit_code: int | None
    opened_at: float
    first_output_at: float | None


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Limits in seconds and bytes. `key` gives the ADB key when a phone asks for one; it is read only then.

    `auth_wait_s` is how long a person has to tap "allow" on the phone. `adb_server` is host and port of the
    local adb server.
    """

    connect_s: float = 10.0
    auth_wait_s: float = 10.0
    max_output: int = 16 * 2**20
    max_file: int = 2**30
    key: Callable[[], AdbKey] | None = None
    adb_server: tuple[str, int] = ("127.0.0.1", 5037)
    clock: Steady = field(default=steady)


class Transport(Protocol):
    """A connected phone. All methods raise `agent.errors.TransportError`."""

    @property
    def target(self) -> str:
        """As it was given: `tcp:HOST:PORT` or `server:SERIAL`."""

    @property
    def link(self) -> Link:
        """Who could listen in: nobody on `usb`, `tls` and `loopback`; anybody near on `plain_tcp`."""

    def run(self, command: str, deadline_s: float) -> CommandResult:
        """Run a shell command in one stream and wait for its end, at most `deadline_s` seconds."""

    def push(self, local: Path, remote: str, deadline_s: float, mode: int = 0o644) -> None:
        """Copy a file to the phone. What arrived must be proved by a hash:
        sizes wrap at 4 GiB on old phones.
        """

    def pull(self, remote: str, local: Path, deadline_s: float) -> None:
        """Copy a file from the phone; `local` appears whole or not at all."""

    def stream(
        self, command: str, sink: Callable[[bytes], None], deadline_s: float, *, idle_s: float = 30.0
    ) -> CommandResult:
        """Run a shell command and hand its output to `sink` as it comes, raw, in pieces of at most 1 MiB.

        `stdout` of the result is empty. It ends by `deadline_s`, and when nothing comes for `idle_s` seconds. What the
        sink raises comes out as it is, and closes the transport. Where a phone mixes stderr into the output it is
        thrown away; one that offers no raw output (before Android 5) is `Refused`.
        """

    def send(
        self,
        chunks: Iterable[bytes],
        remote: str,
        deadline_s: float,
        *,
        mode: int = 0o644,
        mtime: int = 0,
        idle_s: float = 30.0,
    ) -> None:
        """Write a file on the phone from pieces as they come; folders are made. `mtime` in epoch seconds.

        `remote` may hold what `surrogateescape` made of bytes that are no UTF-8. After an error a part of the file may
        be there: what arrived must be proved by a hash. What `chunks` raises comes out and closes the transport.
        """

    def feed(
        self, command: str, chunks: Iterable[bytes], deadline_s: float, *, idle_s: float = 30.0
    ) -> CommandResult:
        """Run a shell command with these pieces as its standard input, and wait for its end.

        A phone without shell v2 (before Android 7) is `Refused`, before a piece is asked for. What `chunks` raises
        comes out and closes the transport.
        """

    def close(self) -> None:
        """Let go of the phone; more calls do nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed TARGET: `host` and `port` for tcp, `serial` for server."""

    text: str
    host: str = ""
    port: int = 0
    serial: str = ""


def parse_target(text: str) -> Target:
    """Parse `tcp:HOST[:PORT]` (IPv6 in brackets) or `server:SERIAL`. Raise `BadTarget`."""
    kind, _, rest = text.partition(":")
    if kind == "server" and _SERIAL.fullmatch(rest):
        return Target(text, serial=rest)
    if kind == "tcp":
        host, port = _split_host_port(rest)
        if host and 0 < port < 65536:
            return Target(text, host=host, port=port)
    raise BadTarget(f"{text!r} is neither tcp:HOST:PORT nor server:SERIAL")


def _split_host_port(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]+))(?::([0-9]{1,5}))?", text, re.ASCII)
    if not match:
        return "", 0
    return match[1] or match[2], int(match[3] or DEFAULT_PORT)


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be this machine."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


def open_transport(target: str, options: TransportOptions | None = None) -> Transport:
    """Connect to a phone. Raise `BadTarget` or `TransportError`."""
    parsed = parse_target(target)
    options = options or TransportOptions()
    if parsed.serial:
        from agent.transport_server import ServerTransport

        return ServerTransport.open(parsed, options)
    from agent.transport_tcp import TcpTransport

    return TcpTransport.open(parsed, options)
