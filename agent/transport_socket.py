"""A TCP socket on which nothing outlasts its deadline: the ground of both transports."""

from __future__ import annotations

import contextlib
import socket

from agent.clock import Deadline
from agent.errors import Timeout, TransportFault, Unreachable


class DeadlineSocket:
    """Connected on creation, with TCP_NODELAY (each small write would else wait 40 ms for an
    acknowledgement).

    `deadline` may be exchanged between calls; each call is bound by the one that is set then.
    """

    def __init__(self, host: str, port: int, deadline: Deadline, *, what: str) -> None:
        self.deadline = deadline
        self._what = what
        try:
            self._socket = socket.create_connection((host, port), timeout=max(0.001, deadline.left()))
        except TimeoutError as exc:
            raise Unreachable(f"{what}: no answer to connect in {deadline.seconds:g} s") from exc
        except OSError as exc:
            raise Unreachable(f"{what}: {exc.strerror or exc}") from exc
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def peer(self) -> str:
        """The address on the other side."""
        with contextlib.suppress(OSError):
            return str(self._socket.getpeername()[0])
        return ""

    def read_some(self, most: int) -> bytes:
        """Between 1 and `most` bytes; empty at the end of the stream. Raise `Timeout`, `TransportFault`."""
        self._arm()
        try:
            return self._socket.recv(most)
        except TimeoutError as exc:
            raise self._late() from exc
        except OSError as exc:
            raise TransportFault(f"{self._what}: {exc.strerror or exc}", reason="dropped") from exc

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes. Raise `Timeout`, `TransportFault`."""
        data = self.read_some(size)
        if len(data) == size:
            return data
        parts = bytearray(data)
        while len(parts) < size:
            data = self.read_some(min(size - len(parts), 2**20)) if data else b""
            if not data:
                raise TransportFault(f"{self._what}: the connection ended", reason="dropped")
            parts += data
        return bytes(parts)

    def write(self, data: bytes) -> None:
        """All of `data`. Raise `Timeout`, `TransportFault`."""
        self._arm()
        try:
            self._socket.sendall(data)
        except TimeoutError as exc:
            raise self._late() from exc
        except OSError as exc:
            raise TransportFault(f"{self._what}: {exc.strerror or exc}", reason="dropped") from exc

    def close(self) -> None:
        self._socket.close()

    def _arm(self) -> None:
        left = self.deadline.left()
        if left <= 0:
            raise self._late()
        try:
            self._socket.settimeout(left)
        except OSError as exc:
            raise TransportFault(f"{self._what}: closed", reason="dropped") from exc

    def _late(self) -> Timeout:
        return Timeout(f"{self._what}: no answer in {self.deadline.seconds:g} s")
