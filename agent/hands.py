"""Which phones are being read or worked on right now, so that no phone is taken twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Hands:
    """A set of phones in hand, by whatever name the callers agree on. For any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: set[str] = set()

    @contextmanager
    def take(self, name: str, wait_s: float = 0.0) -> Iterator[bool]:
        """Hold `name` inside the block; False when another still holds it after `wait_s` seconds."""
        with self._changed:
            got = self._changed.wait_for(lambda: name not in self._held, wait_s)
            if got:
                self._held.add(name)
        try:
            yield got
        finally:
            if got:
                with self._changed:
                    self._held.discard(name)
                    self._changed.notify_all()
