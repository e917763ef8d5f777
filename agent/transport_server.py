"""A phone through the local adb server: USB, and wireless debugging that was paired there."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ppadb.sync import Sync

from agent.adbserver import AdbServer, ServerConnection, link_of
from agent.clock import Deadline
from agent.errors import Refused, TransportError, TransportFault
from agent.transport import CommandResult, Link, Target, TransportOptions
from agent.transport_file import received_file
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
from agent.transport_sync import REQUEST, answer_size, packed, refusal, send_requests

_CHUNK = 2**16


class ServerTransport:
    """`Transport` by a connection to the adb server for each call, as its protocol wants it."""

    def __init__(self, target: Target, options: TransportOptions, features: frozenset[str]) -> None:
        self._target = target
        self._options = options
        self._features = features

    @classmethod
    def open(cls, target: Target, options: TransportOptions) -> Self:
        """Ask the server for the phone. Raise `TransportError`; an unknown phone is `Unreachable`."""
        server = AdbServer(options.adb_server, options.connect_s, options.clock)
        return cls(target, options, server.device_features(target.serial))

    @property
    def target(self) -> str:
        return self._target.text

    @property
    def link(self) -> Link:
        return link_of(self._target.serial)

    def run(self, command: str, deadline_s: float) -> CommandResult:
        deadline = Deadline(deadline_s, self._options.clock)
        limit, clock = self._options.max_output, self._options.clock
        if "shell_v2" in self._features:
            return self._stream(SERVICE_V2, command, V2Stream(limit, clock), deadline)
        wrapped = Wrapped(command)
        first, last = FALLBACK_SERVICES
        try:
            return self._stream(first, str(wrapped), PlainStream(limit, clock, wrapped), deadline)
        except Refused:
            return self._stream(last, str(wrapped), PlainStream(limit, clock, wrapped), deadline)

    def _stream(self, service: str, command: str, stream: ShellStream, deadline: Deadline) -> CommandResult:
        try:
            with self._service(f"{service}:{command}", deadline) as connection:
                while chunk := connection.socket.read_some(_CHUNK):
                    if isinstance(deadline, IdleDeadline):
                        deadline.heard()
                    stream.feed(chunk)
                return stream.result()
        except TransportError as exc:
            exc.partial = stream.partial()
            raise

    @contextmanager
    def _service(self, service: str, deadline: Deadline) -> Iterator[ServerConnection]:
        connection = ServerConnection(self._options.adb_server, deadline)
        try:
            connection.send_open(f"host:transport:{self._target.serial}")
            connection.send_open(service)
            yield connection
        finally:
            connection.close()

    def stream(self, command: str, sink: Sink, deadline_s: float, *, idle_s: float = 30.0) -> CommandResult:
        clock = self._options.clock
        deadline = IdleDeadline(deadline_s, idle_s, clock)
        if "shell_v2" in self._features:
            return self._stream(SERVICE_V2, command, PouredV2(sink, clock), deadline)
        wrapped = QuietWrapped(command)
        return self._stream(FALLBACK_SERVICES[0], str(wrapped), PouredPlain(sink, clock, wrapped), deadline)

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
        deadline = IdleDeadline(deadline_s, idle_s, self._options.clock)
        with self._service("sync:", deadline) as connection:
            for request in send_requests(chunks, remote, mode, mtime):
                connection.socket.write(request)
                deadline.heard()
            word, size = REQUEST.unpack(connection.socket.read(REQUEST.size))
            if word != b"OKAY":
                raise refusal(word, connection.socket.read(answer_size(size)))

    def feed(
        self, command: str, chunks: Iterable[bytes], deadline_s: float, *, idle_s: float = 30.0
    ) -> CommandResult:
        if "shell_v2" not in self._features:
            raise Refused("a command's input needs shell v2")
        deadline = IdleDeadline(deadline_s, idle_s, self._options.clock)
        answer = V2Stream(_CHUNK, self._options.clock)
        with self._service(f"{SERVICE_V2}:{command}", deadline) as connection:
            for packet in packed(input_frames(chunks), _CHUNK):
                connection.socket.write(packet)
                deadline.heard()
            while chunk := connection.socket.read_some(_CHUNK):
                answer.feed(chunk)
            return answer.result()

    def push(self, local: Path, remote: str, deadline_s: float, mode: int = 0o644) -> None:
        with self._service("sync:", Deadline(deadline_s, self._options.clock)) as connection:
            _Sync(connection).push(str(local), remote, mode)

    def pull(self, remote: str, local: Path, deadline_s: float) -> None:
        with (
            received_file(local, self._options.max_file) as sink,
            self._service("sync:", Deadline(deadline_s, self._options.clock)) as connection,
        ):
            sync = _Sync(connection)
            sync._send_str("RECV", remote)
            while (data := sync.next_block()) is not None:
                sink.write(data)

    def close(self) -> None:
        """Nothing is held between calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Sync(Sync):  # type: ignore[misc]
    """pure-python-adb's file service on a connection whose reads are exact."""

    def __init__(self, connection: ServerConnection) -> None:
        super().__init__(_SyncStatus(connection))

    def next_block(self) -> bytes | None:
        """The next piece of a file that is being received; None at its end. Raise `TransportError`."""
        word, size = struct.unpack("<4sI", self.connection.read(8))
        if word == b"DONE":
            return None
        if size > _CHUNK:
            raise TransportFault(f"a sync block of {size} bytes")
        data = bytes(self.connection.read(size))
        if word == b"DATA":
            return data
        raise refusal(word, data)


class _SyncStatus:
    """What `Sync` calls on a connection; the file service answers in another form than the `host:` side."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection: Any = connection

    def read(self, length: int) -> bytes:
        return bytes(self._connection.socket.read(length))

    def write(self, data: bytes) -> None:
        self._connection.socket.write(data)

    def _check_status(self) -> None:
        word, size = struct.unpack("<4sI", self.read(8))
        if word != b"OKAY":
            raise refusal(word, self.read(min(size, _CHUNK)))
