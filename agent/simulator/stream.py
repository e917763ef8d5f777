"""One OPEN stream, with ADB's stop-and-wait: one WRTE each way until its OKAY."""

import asyncio
import inspect
from collections.abc import Awaitable, Iterator
from typing import TYPE_CHECKING, Protocol

from agent.simulator import protocol
from agent.simulator.faults import FaultKind, FaultPoint, is_fault

if TYPE_CHECKING:
    from agent.simulator.connection import AdbConnection


class Sink(Protocol):
    """What a service does with the client's side of its stream."""

    def receive(self, data: bytes) -> Awaitable[None] | None:
        """Take bytes; the client's next WRTE waits until an awaitable that is returned has ended."""

    def closed(self) -> None:
        """The client closed the stream, or the connection is gone."""


class Stream:
    """The phone's end of a stream: bytes out in messages of at most the agreed payload, one at a time."""

    def __init__(self, connection: "AdbConnection", local_id: int, remote_id: int) -> None:
        self.local_id = local_id
        self.remote_id = remote_id
        self._connection = connection
        self._sink: Sink | None = None
        self._pending = bytearray()
        self._source: Iterator[bytes] = iter(())
        self._unacknowledged = False
        self._finishing = False
        self._open = True
        self._silent = False
        self._taking = False
        self._sent = 0
        self._drained = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, sink: Sink | None = None) -> None:
        """Answer OPEN with OKAY; `sink` gets what the client writes (without one it is thrown away)."""
        self._sink = sink
        self._connection.send(protocol.OKAY, self.local_id, self.remote_id)

    def write(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self._pending += data
        self._pump()

    def write_all(self, source: Iterator[bytes]) -> None:
        """Queue an iterator's bytes, read only as fast as the client takes them."""
        self._source = source
        self._pump()

    async def drain(self) -> None:
        """Wait until all that was written is acknowledged, or the stream is closed."""
        if self._open and (self._pending or self._unacknowledged):
            self._drained.clear()
            await self._drained.wait()

    def end_with(self, data: bytes) -> None:
        """Queue the last bytes and close after them."""
        self._finishing = True
        self.write(data)

    def finish(self) -> None:
        """Close after the last byte; like adbd, without waiting for that byte's OKAY."""
        self._finishing = True
        self._pump()

    def peer_ready(self) -> None:
        """The client's OKAY."""
        self._unacknowledged = False
        self._pump()

    def peer_wrote(self, data: bytes) -> None:
        """The client's WRTE: hand it on, then OKAY; an answer comes after that OKAY, as adbd sends it."""
        self._taking = True
        taken = self._sink.receive(data) if self._sink is not None else None
        self._taking = False
        if taken is not None and inspect.isawaitable(taken):
            task = asyncio.ensure_future(self._acknowledge_after(taken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._acknowledge()
            self._pump()

    def peer_closed(self) -> None:
        """The client's CLSE, answered with ours, or the end of the connection."""
        if self._open:
            self._end()

    async def _acknowledge_after(self, taken: Awaitable[None]) -> None:
        await taken
        self._acknowledge()

    def _acknowledge(self) -> None:
        if self._open:
            self._connection.send(protocol.OKAY, self.local_id, self.remote_id)

    def _pump(self) -> None:
        if not self._open or self._unacknowledged or self._silent or self._taking:
            return
        self._refill()
        if self._pending:
            chunk = bytes(self._pending[: self._connection.max_payload])
            del self._pending[: len(chunk)]
            if not self._send_chunk(chunk):
                return
        if not self._pending and self._finishing and self._exhausted():
            self._connection.forget(self)
            self._end()
        elif not self._pending and not self._unacknowledged:
            self._drained.set()

    def _refill(self) -> None:
        while len(self._pending) < self._connection.max_payload:
            part = next(self._source, b"")
            if not part:
                return
            self._pending += part

    def _exhausted(self) -> bool:
        self._refill()
        return not self._pending

    def _send_chunk(self, chunk: bytes) -> bool:
        """Send one WRTE, or as much of it as the phone's fault lets through; False when nothing more may
        follow.
        """
        fault = self._connection.device.fault
        hangs = is_fault(fault, FaultKind.HANG, FaultPoint.OUTPUT)
        limited = fault is not None and (hangs or fault.kind is FaultKind.DROP)
        allowed = chunk[: max(0, fault.after_bytes - self._sent)] if fault is not None and limited else chunk
        self._unacknowledged = True
        if allowed:
            self._sent += len(allowed)
            self._connection.send(protocol.WRTE, self.local_id, self.remote_id, allowed)
        if len(allowed) == len(chunk):
            return True
        self._silent = True
        if not hangs:
            self._connection.hang_up()
        return False

    def _end(self) -> None:
        self._open = False
        self._pending.clear()
        self._source = iter(())
        self._drained.set()
        if self._sink is not None:
            self._sink.closed()
        self._connection.send(protocol.CLSE, self.local_id, self.remote_id)
