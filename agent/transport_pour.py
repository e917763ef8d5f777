"""A command's output handed on as it comes: nothing of it is kept but its end and what was said on stderr."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.clock import Deadline, Steady
from agent.errors import OutputTooLarge, TransportFault
from agent.transport import CommandResult
from agent.transport_shell import EXIT, FRAME_HEADER, OTHER_FRAMES, STDERR, STDOUT, ShellStream

Sink = Callable[[bytes], None]
_MOST_STDERR = 2**16
_TAIL = 64
"""Longer than the mark's line can be."""


class IdleDeadline(Deadline):
    """Passes at its end, or `idle_s` seconds after the last sign of life."""

    __slots__ = ("_heard", "_idle_s")

    def __init__(self, seconds: float, idle_s: float, clock: Steady) -> None:
        super().__init__(seconds, clock)
        self._idle_s = idle_s
        self._heard = clock()

    def heard(self) -> None:
        """Something came, or went out."""
        self._heard = self._clock()

    def left(self) -> float:
        return min(super().left(), self._heard + self._idle_s - self._clock())


class PouredV2(ShellStream):
    """Shell v2's frames; those of stdout go to `sink` in pieces, however long a frame says that it is."""

    def __init__(self, sink: Sink, clock: Steady) -> None:
        super().__init__(_MOST_STDERR, clock)
        self._sink = sink
        self._header = bytearray()
        self._kind = 0
        self._due = 0
        self._said = bytearray()
        self._exit: int | None = None

    def feed(self, data: bytes) -> None:
        if self._first is None:
            self._first = self._clock()
        view = memoryview(data)
        while view:
            if self._due:
                piece = view[: self._due]
                self._due -= len(piece)
                self._take(bytes(piece))
            else:
                piece = view[: FRAME_HEADER.size - len(self._header)]
                self._header += piece
                self._begin()
            view = view[len(piece) :]

    def _begin(self) -> None:
        if len(self._header) < FRAME_HEADER.size:
            return
        self._kind, self._due = FRAME_HEADER.unpack(self._header)
        self._header.clear()
        if self._kind not in {STDOUT, STDERR, EXIT} | OTHER_FRAMES:
            raise TransportFault(f"no shell frame has id {self._kind}")

    def _take(self, piece: bytes) -> None:
        if self._kind == STDOUT:
            self._sink(piece)
        elif self._kind == EXIT and len(piece) == 1 and not self._due:
            self._exit = piece[0]
        elif self._kind == STDERR:
            self._said += piece
            if len(self._said) > self._limit:
                raise OutputTooLarge(f"more than {self._limit} bytes on stderr")

    def result(self) -> CommandResult:
        if self._exit is None:
            raise TransportFault("the stream ended before the command's exit code", reason="dropped")
        return self._made(b"", bytes(self._said), self._exit)

    def partial(self) -> CommandResult:
        return self._made(b"", bytes(self._said), None)


@dataclass(frozen=True, slots=True)
class QuietWrapped:
    """As `Wrapped`, for phones that mix what is said on stderr into the output: here it is not said at all."""

    command: str
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __str__(self) -> str:
        return f"(\n{self.command}\n) 2>/dev/null\necho {self.mark}:$?"


class PouredPlain(ShellStream):
    """The output of a `QuietWrapped` command by `exec:`, which is raw; the mark's line at its end is kept back."""

    def __init__(self, sink: Sink, clock: Steady, wrapped: QuietWrapped) -> None:
        super().__init__(_TAIL, clock)
        self._sink = sink
        self._mark = wrapped.mark.encode() + b":"
        self._tail = b""

    def feed(self, data: bytes) -> None:
        if self._first is None:
            self._first = self._clock()
        held = self._tail + data
        if len(held) > _TAIL:
            self._sink(held[:-_TAIL])
        self._tail = held[-_TAIL:]

    def result(self) -> CommandResult:
        output, mark, end = self._tail.rpartition(self._mark)
        code = end.rstrip(b"\r\n")
        if not mark or not code.isdigit():
            raise TransportFault("the stream ended before the command's exit code", reason="dropped")
        if output:
            self._sink(output)
        return self._made(b"", b"", int(code))

    def partial(self) -> CommandResult:
        return self._made(b"", b"", None)
