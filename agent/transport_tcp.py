"""Straight to a phone's adbd by TCP, with adb-shell."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adb_shell import exceptions as adb
from adb_shell.adb_device import AdbDevice
from adb_shell.constants import MAX_ADB_DATA
from adb_shell.transport.base_transport import BaseTransport

from agent.adbkey import AdbKey
from agent.clock import Deadline
from agent.errors import Refused, Timeout, TransportError, TransportFault, Unauthorised
from agent.transport import CommandResult, Link, Target, TransportOptions, is_loopback
from agent.transport_file import received_file
from agent.transport_packets import PacketStream
from agent.transport_pour import IdleDeadline, PouredPlain, PouredV2, QuietWrapped, Sink
from agent.transport_shell import (
    FALLBACK_SERVICES,
    SERVICE_V2,
    PlainStream,
    ShellStream,
    V2Stream,
    Wrapped,
    input_frames,
)
from agent.transport_socket import DeadlineSocket
from agent.transport_sync import REQUEST, answer_size, packed, refusal, send_requests

_HEADER_BYTES = 24
_MAX_STRAY_BYTES = 2**20
"""Of packets that belong to no stream of ours, on one connection: adb-shell keeps them all in memory."""
_BANNER = "features=shell_v2,cmd"
_FOREVER = 1e9
"""The library's own limits are put out of the way: it stops a dead phone only between packets.

Ours are below it.
"""


class _Wire(BaseTransport):  # type: ignore[misc]
    """What adb-shell reads from and writes to.

    It looks at the packets that pass: the library drops the phone's banner, which says whether shell v2 is
    spoken, and takes a refused OPEN for silence.
    """

    def __init__(self, target: Target, deadline: Deadline) -> None:
        self._target = target
        self._deadline = deadline
        self.socket: DeadlineSocket | None = None
        self.banner = b""
        self._payload_due = False
        self._payload_is_banner = False
        self._opening = False
        self._ours: int | None = None
        self._theirs: int | None = None
        self._stray = 0

    def connect(self, transport_timeout_s: float | None) -> None:
        t = self._target
        self.socket = DeadlineSocket(t.host, t.port, self._deadline, what=t.text)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()

    def bulk_read(self, numbytes: int, transport_timeout_s: float | None) -> bytes:
        if numbytes > MAX_ADB_DATA:
            raise TransportFault(f"{self._target.text}: a packet of {numbytes} bytes")
        data = self._open_socket().read(numbytes)
        if not self._payload_due:
            self._look_at(data)
        elif self._payload_is_banner:
            self.banner = data
            self._payload_due = self._payload_is_banner = False
        else:
            # By its turn and not by its length: a command may well print as many bytes as a header has.
            self._payload_due = False
        return data

    def _look_at(self, header: bytes) -> None:
        command, remote, local, size = struct.unpack_from("<4sIII", header)
        self._payload_due = size > 0
        if self._ours is not None:
            self._count_strays(remote, local, size)
        if command == b"CNXN" and size:
            self._payload_is_banner = True
        elif command == b"OKAY":
            self._opening = False
        elif command == b"STLS":
            raise TransportFault(
                f"{self._target.text}: wireless debugging wants TLS; pair it and use server:SERIAL"
            )
        elif command == b"CLSE" and remote == 0 and local == self._ours and self._opening:
            raise Refused(f"{self._target.text}: the phone does not offer this service")

    def _count_strays(self, remote: int, local: int, size: int) -> None:
        if local != self._ours or self._theirs not in {None, remote}:
            self._stray += _HEADER_BYTES + size
            if self._stray > _MAX_STRAY_BYTES:
                raise TransportFault(f"{self._target.text}: packets of streams that nobody opened")
        elif self._theirs is None:
            self._theirs = remote

    def bulk_write(self, data: bytes, transport_timeout_s: float | None) -> int:
        if len(data) == _HEADER_BYTES and data.startswith(b"OPEN"):
            self._opening = True
            (self._ours,) = struct.unpack_from("<I", data, 4)
            self._theirs = None
        self._open_socket().write(data)
        return len(data)

    def _open_socket(self) -> DeadlineSocket:
        if self.socket is None:
            raise TransportFault(f"{self._target.text}: closed", reason="dropped")
        return self.socket

    def limit(self, deadline: Deadline) -> None:
        """Bind all that follows to `deadline`."""
        self._deadline = deadline
        self._open_socket().deadline = deadline


class TcpTransport:
    """`Transport` over one TCP connection to the phone."""

    def __init__(self, target: Target, options: TransportOptions) -> None:
        self._target = target
        self._options = options
        self._wire = _Wire(target, Deadline(options.connect_s, options.clock))
        self._device: Any = AdbDevice(self._wire, banner=_BANNER)

    @classmethod
    def open(cls, target: Target, options: TransportOptions) -> Self:
        """Connect and be let in. Raise `TransportError`."""
        made = cls(target, options)
        try:
            made._connect()
        except BaseException:
            made.close()
            raise
        return made

    @property
    def target(self) -> str:
        return self._target.text

    @property
    def link(self) -> Link:
        peer = self._wire.socket.peer if self._wire.socket else ""
        return "loopback" if is_loopback(peer) else "plain_tcp"

    def _connect(self) -> None:
        options = self._options
        asked = False

        def ask_person(_: object) -> None:
            nonlocal asked
            asked = True
            self._wire.limit(Deadline(options.auth_wait_s, options.clock))

        keys = [_LazySigner(options.key)] if options.key else None
        with self._errors():
            try:
                self._device.connect(
                    rsa_keys=keys,
                    transport_timeout_s=_FOREVER,
                    auth_timeout_s=_FOREVER,
                    read_timeout_s=_FOREVER,
                    auth_callback=ask_person,
                )
            except (Timeout, TransportFault) as exc:
                if asked:
                    raise Unauthorised(f"{self.target}: nobody allowed our key on the phone") from exc
                raise

    def run(self, command: str, deadline_s: float) -> CommandResult:
        self._wire.limit(Deadline(deadline_s, self._options.clock))
        limit, clock = self._options.max_output, self._options.clock
        if self._speaks_v2():
            return self._stream(SERVICE_V2, command, V2Stream(limit, clock))
        wrapped = Wrapped(command)
        first, last = FALLBACK_SERVICES
        try:
            return self._stream(first, str(wrapped), PlainStream(limit, clock, wrapped), keep_open=True)
        except Refused:
            return self._stream(last, str(wrapped), PlainStream(limit, clock, wrapped))

    def _speaks_v2(self) -> bool:
        _, _, features = self._wire.banner.rstrip(b"\0").partition(b"features=")
        return b"shell_v2" in features.partition(b";")[0].split(b",")

    def _stream(
        self, service: str, command: str, stream: ShellStream, *, keep_open: bool = False
    ) -> CommandResult:
        try:
            with self._errors():
                for chunk in self._device._streaming_command(
                    service.encode(), command.encode(), _FOREVER, _FOREVER, None
                ):
                    stream.feed(chunk)
                return stream.result()
        except TransportError as exc:
            exc.partial = stream.partial()
            if not (keep_open and isinstance(exc, Refused)):
                self.close()
            raise

    def stream(self, command: str, sink: Sink, deadline_s: float, *, idle_s: float = 30.0) -> CommandResult:
        clock = self._options.clock
        poured: ShellStream
        if self._speaks_v2():
            service, text, poured = SERVICE_V2, command, PouredV2(sink, clock)
        else:
            wrapped = QuietWrapped(command)
            service, text, poured = FALLBACK_SERVICES[0], str(wrapped), PouredPlain(sink, clock, wrapped)
        try:
            with self._opened(f"{service}:{text}", IdleDeadline(deadline_s, idle_s, clock)) as packets:
                for payload in packets.received():
                    poured.feed(payload)
                return poured.result()
        except TransportError as exc:
            exc.partial = poured.partial()
            raise

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
        with self._opened("sync:", IdleDeadline(deadline_s, idle_s, self._options.clock)) as packets:
            for packet in packed(send_requests(chunks, remote, mode, mtime), packets.max_payload):
                if not packets.write(packet):
                    # The phone says no, or its disk is full: it would throw away whatever followed.
                    break
            word, size = REQUEST.unpack(packets.read(REQUEST.size))
            if word != b"OKAY":
                raise refusal(word, packets.read(answer_size(size)))
            packets.close()

    def feed(
        self, command: str, chunks: Iterable[bytes], deadline_s: float, *, idle_s: float = 30.0
    ) -> CommandResult:
        if not self._speaks_v2():
            raise Refused(f"{self.target}: a command's input needs shell v2")
        answer = V2Stream(_MAX_STRAY_BYTES, self._options.clock)
        deadline = IdleDeadline(deadline_s, idle_s, self._options.clock)
        with self._opened(f"{SERVICE_V2}:{command}", deadline) as packets:
            for packet in packed(input_frames(chunks), packets.max_payload):
                if not packets.write(packet):
                    # It said something, which it does only when it takes no more.
                    break
            for payload in packets.received():
                answer.feed(payload)
            return answer.result()

    @contextmanager
    def _opened(self, service: str, deadline: IdleDeadline) -> Iterator[PacketStream]:
        """A stream of one service. What ends it early closes the transport: the phone may still be sending. Only a
        phone that says no is done with it.
        """
        self._wire.limit(deadline)
        packets: PacketStream | None = None
        try:
            with self._errors():
                opened = self._device._open(
                    service.encode("utf-8", "surrogateescape"), _FOREVER, _FOREVER, None
                )
            socket = self._wire._open_socket()
            packets = PacketStream(socket, opened.local_id, opened.remote_id, self._device._maxdata, deadline)
            yield packets
        except Refused:
            if packets is not None:
                self._let_go(packets)
            raise
        except BaseException:
            self.close()
            raise

    def _let_go(self, packets: PacketStream) -> None:
        try:
            packets.close()
        except TransportError:
            self.close()

    def push(self, local: Path, remote: str, deadline_s: float, mode: int = 0o644) -> None:
        self._move(
            deadline_s,
            lambda: self._device.push(
                str(local),
                remote,
                st_mode=0o100000 | mode,
                transport_timeout_s=_FOREVER,
                read_timeout_s=_FOREVER,
            ),
        )

    def pull(self, remote: str, local: Path, deadline_s: float) -> None:
        with received_file(local, self._options.max_file) as sink:
            self._move(
                deadline_s,
                lambda: self._device.pull(
                    remote, sink, transport_timeout_s=_FOREVER, read_timeout_s=_FOREVER
                ),
            )

    def _move(self, deadline_s: float, act: Callable[[], object]) -> None:
        self._wire.limit(Deadline(deadline_s, self._options.clock))
        try:
            with self._errors():
                act()
        except TransportError:
            self.close()
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn adb-shell's errors into ours; whatever rubbish makes it trip over is a `protocol` fault."""
        try:
            yield
        except adb.DeviceAuthError as exc:
            raise Unauthorised(f"{self.target}: the phone wants a key and the agent has none") from exc
        except (adb.AdbCommandFailureException, adb.PushFailedError) as exc:
            raise Refused(f"{self.target}: {_first_line(exc)}") from exc
        except (adb.AdbTimeoutError, adb.TcpTimeoutException) as exc:
            raise Timeout(f"{self.target}: {_first_line(exc)}") from exc
        except (
            adb.InvalidCommandError,
            adb.InvalidChecksumError,
            adb.InvalidResponseError,
            adb.AdbConnectionError,
            struct.error,
            KeyError,
            ValueError,
        ) as exc:
            raise TransportFault(f"{self.target}: not ADB: {type(exc).__name__}") from exc

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _LazySigner:
    """Loads the key when a phone first asks:
    a phone that asks for none costs no key and no crypto library.
    """

    def __init__(self, load: Callable[[], AdbKey]) -> None:
        self._load = load

    def Sign(self, data: bytes) -> bytes:  # noqa: N802 - adb-shell's interface
        return self._load().Sign(data)

    def GetPublicKey(self) -> bytes:  # noqa: N802 - adb-shell's interface
        return self._load().GetPublicKey()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
