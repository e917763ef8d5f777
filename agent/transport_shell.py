"""How a command's output travels: shell v2's frames, and the substitute for phones that do not speak it."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from agent.clock import Steady
from agent.errors import OutputTooLarge, TransportFault
from agent.transport import CommandResult

STDOUT, STDERR, EXIT = 1, 2, 3
_STDIN, _CLOSE_STDIN = 0, 4
_MOST_INPUT = 2**16
"""What adbd itself reads at a time."""
FRAME_HEADER = struct.Struct("<BI")
OTHER_FRAMES = frozenset({0, 4, 5})
SERVICE_V2 = "shell,v2,raw"
FALLBACK_SERVICES = ("exec", "shell")
"""`exec` is free of a terminal's CRLF but missing before Android 5; `shell` is always there."""


def input_frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A command's standard input as shell v2's frames, and its end."""
    for chunk in chunks:
        for start in range(0, len(chunk), _MOST_INPUT):
            block = memoryview(chunk)[start : start + _MOST_INPUT]
            yield FRAME_HEADER.pack(_STDIN, len(block)) + block
    yield FRAME_HEADER.pack(_CLOSE_STDIN, 0)


class ShellStream:
    """Collects one command's output. `feed` raw bytes as they come, ask `result` at the end of the stream."""

    def __init__(self, limit: int, clock: Steady) -> None:
        self._limit = limit
        self._clock = clock
        self._kept = 0
        self._first: float | None = None
        self._opened = clock()

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raise `OutputTooLarge` or `TransportFault`."""
        raise NotImplementedError

    def result(self) -> CommandResult:
        """The whole answer. Raise `TransportFault` (`dropped`) when its end is missing."""
        raise NotImplementedError

    def partial(self) -> CommandResult:
        """What came so far."""
        raise NotImplementedError

    def _count(self, size: int) -> None:
        if self._first is None:
            self._first = self._clock()
        self._kept += size
        if self._kept > self._limit:
            raise OutputTooLarge(f"more than {self._limit} bytes of output")

    def _made(self, stdout: bytes, stderr: bytes, exit_code: int | None) -> CommandResult:
        return CommandResult(stdout, stderr, exit_code, self._opened, self._first)


class V2Stream(ShellStream):
    """Frames of a 1-byte id and a little-endian 32-bit length."""

    def __init__(self, limit: int, clock: Steady) -> None:
        super().__init__(limit, clock)
        self._pending = bytearray()
        self._out: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray()}
        self._exit: int | None = None

    def feed(self, data: bytes) -> None:
        self._count(len(data))
        pending = self._pending
        pending += data
        at = 0
        while len(pending) - at >= FRAME_HEADER.size:
            kind, size = FRAME_HEADER.unpack_from(pending, at)
            if size > self._limit:
                raise OutputTooLarge(f"a frame of {size} bytes")
            end = at + FRAME_HEADER.size + size
            if end > len(pending):
                break
            self._take(kind, pending[at + FRAME_HEADER.size : end])
            at = end
        del pending[:at]

    def _take(self, kind: int, payload: bytearray) -> None:
        if kind in self._out:
            self._out[kind] += payload
        elif kind == EXIT and len(payload) == 1:
            self._exit = payload[0]
        elif kind not in OTHER_FRAMES:
            raise TransportFault(f"no shell frame has id {kind}")

    def result(self) -> CommandResult:
        if self._exit is None:
            raise TransportFault("the stream ended before the command's exit code", reason="dropped")
        return self._made(bytes(self._out[STDOUT]), bytes(self._out[STDERR]), self._exit)

    def partial(self) -> CommandResult:
        out = {kind: bytes(taken) for kind, taken in self._out.items()}
        if len(self._pending) > FRAME_HEADER.size and self._pending[0] in out:
            # A whole snapshot may be one frame: what has come of it counts.
            out[self._pending[0]] += bytes(self._pending[FRAME_HEADER.size :])
        return self._made(out[STDOUT], out[STDERR], None)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A command that prints its own exit code behind its output, after a mark that it cannot foresee."""

    command: str
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __str__(self) -> str:
        # In a subshell, so that an `exit` inside does not swallow the mark; on lines of its own, so that a
        # comment at the end does not either.
        return f"(\n{self.command}\n)\necho {self.mark}:$?"


class PlainStream(ShellStream):
    """The output of a `Wrapped` command;
    a terminal's CRLF is turned back where the mark's own line shows one.
    """

    def __init__(self, limit: int, clock: Steady, wrapped: Wrapped) -> None:
        super().__init__(limit, clock)
        self._mark = wrapped.mark.encode() + b":"
        self._out = bytearray()

    def feed(self, data: bytes) -> None:
        self._count(len(data))
        self._out += data

    def result(self) -> CommandResult:
        output, mark, tail = bytes(self._out).rpartition(self._mark)
        code = tail.rstrip(b"\r\n")
        if not mark or not code.isdigit():
            raise TransportFault("the stream ended before the command's exit code", reason="dropped")
        if tail.endswith(b"\r\n"):
            output = mend_crlf(output)
        return self._made(output, b"", int(code))

    def partial(self) -> CommandResult:
        return self._made(mend_crlf(bytes(self._out)), b"", None)


def mend_crlf(output: bytes) -> bytes:
    """Undo a terminal's newline mapping. Exact: what the command itself wrote as CRLF arrives as CR CR LF."""
    return output.replace(b"\r\n", b"\n")
