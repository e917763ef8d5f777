"""The agent's clocks: the only module of the agent that looks at a clock.

`Steady` is a function that gives seconds since an arbitrary start, never set back, counting on while the
machine sleeps. With a clock that stops in sleep a gateway that slept would date its readings too late.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Steady = Callable[[], float]

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def steady() -> float:
    """CLOCK_BOOTTIME in seconds; on systems without one the monotonic clock (macOS and Windows)."""
    if _BOOTTIME is None:
        return time.monotonic()
    return time.clock_gettime(_BOOTTIME)


def wall() -> float:
    """This machine's idea of the time, epoch seconds. Only for signatures and logs:
    readings carry ages instead.
    """
    return time.time()


class Deadline:
    """An instant on a steady clock by which something must be done."""

    __slots__ = ("_at", "_clock", "seconds")

    def __init__(self, seconds: float, clock: Steady = steady) -> None:
        self.seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def left(self) -> float:
        """Seconds that remain; 0 or less: it has passed."""
        return self._at - self._clock()
