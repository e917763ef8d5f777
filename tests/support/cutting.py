"""A TCP proxy that cuts its connections off after so many bytes: a cable that somebody pulls."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

NextCut = Callable[[], int | None]


class CuttingProxy:
    """In front of `target`, a port on this machine. `next_cut` gives for each connection the byte, in both directions
    together, at which it is reset; None: it lasts.
    """

    def __init__(self, target: int, next_cut: NextCut) -> None:
        self.target = target
        self._next_cut = next_cut
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self.target), 5)
                except OSError:
                    here.close()
                    continue
                for end in (here, there):
                    end.settimeout(None)
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open |= {here, there}
                pair = _Pair(self, here, there, self._next_cut())
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=pair.carry, args=(one, other), daemon=True).start()

    def pull(self) -> None:
        """Reset all that is connected now."""
        for end in list(self._open):
            reset(end)
        self._open.clear()

    def close(self) -> None:
        # A listener that is only closed goes on accepting while its thread waits in it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.pull()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Pair:
    def __init__(
        self, proxy: CuttingProxy, here: socket.socket, there: socket.socket, left: int | None
    ) -> None:
        self._proxy = proxy
        self._ends = (here, there)
        self._left = left
        self._lock = threading.Lock()

    def carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(2**16):
                allowed = self._allowed(len(data))
                other.sendall(data[:allowed])
                if allowed < len(data):
                    self._proxy.cuts += 1
                    break
        for end in self._ends:
            reset(end)

    def _allowed(self, size: int) -> int:
        with self._lock:
            if self._left is None:
                return size
            allowed = min(size, self._left)
            self._left -= allowed
            return allowed


def reset(end: socket.socket) -> None:
    """End a connection at once."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()


def random_cuts(rng: object, least: int, most: int, lasting: int) -> Iterator[int | None]:
    """After `lasting` connections that last, cuts at random bytes for ever."""
    for _ in range(lasting):
        yield None
    while True:
        yield rng.randint(least, most)  # type: ignore[attr-defined]
