"""A link's one-way delay without a thread or a task per phone."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class DelayLine(Generic[T]):
    """Hands items to `sink` after `delay()` seconds, never out of order; at once when the delay is 0.

    One timer for the head of the queue, not one per item: asyncio does not promise the order of equal timers.
    """

    def __init__(self, delay: Callable[[], float], sink: Callable[[T], None]) -> None:
        self._delay = delay
        self._sink = sink
        self._queue: deque[tuple[float, T]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, item: T) -> None:
        """Send one item along the line."""
        delay = self._delay()
        if delay <= 0 and not self._queue:
            self._sink(item)
            return
        loop = asyncio.get_running_loop()
        self._queue.append((loop.time() + delay, item))
        if self._timer is None:
            self._timer = loop.call_at(self._queue[0][0], self._deliver)

    def close(self) -> None:
        """Forget what is still on the way."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _deliver(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time() + 1e-4
        while self._queue and self._queue[0][0] <= now:
            self._sink(self._queue.popleft()[1])
        if self._queue and self._timer is None:
            self._timer = loop.call_at(self._queue[0][0], self._deliver)
