"""When each phone of a site is due: plain values, no thread, no clock of its own."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

FAILURES_BEFORE_BACKOFF = 3
BACKOFF_CAP_S = 300.0


@dataclass
class _Slot:
    due: float
    failures: int = 0
    began: float | None = None


class Schedule:
    """Every target is due one interval after its last try began, with jitter.

    A target that failed several times in a row is tried ever less often, up to every 5 minutes: nothing is lost by
    that, since the first reading after the gap proves its whole boot.
    """

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def set_targets(self, targets: Iterable[str], now: float) -> None:
        """New targets are due at once; one that is gone is forgotten when its try has ended."""
        wanted = dict.fromkeys(targets)
        for target in [t for t, slot in self._slots.items() if t not in wanted and slot.began is None]:
            del self._slots[target]
        for target in wanted:
            self._slots.setdefault(target, _Slot(now))

    def due(self, now: float, workers: int) -> list[str]:
        """What to begin now, with `workers` in all, some of them at work.

        Targets that failed last time may hold no more than half of the workers: each holds one until its deadline.
        """
        running = [slot for slot in self._slots.values() if slot.began is not None]
        free = workers - len(running)
        free_for_failed = max(1, workers // 2) - sum(slot.failures > 0 for slot in running)
        waiting = [(s.failures, s.due, t) for t, s in self._slots.items() if s.began is None and s.due <= now]
        chosen: list[str] = []
        for failures, _, target in sorted(waiting):
            if len(chosen) >= free:
                break
            if failures:
                if free_for_failed <= 0:
                    break
                free_for_failed -= 1
            chosen.append(target)
        return chosen

    def begin(self, target: str, now: float) -> None:
        self._slots[target].began = now

    def end(self, target: str, *, reached: bool, interval_s: float) -> None:
        """A try is over; its target is due again an interval, or a back-off, after the try began."""
        slot = self._slots[target]
        assert slot.began is not None
        slot.failures = 0 if reached else slot.failures + 1
        wait = interval_s * 2 ** min(max(0, slot.failures - FAILURES_BEFORE_BACKOFF), 10)
        wait = min(wait, max(interval_s, BACKOFF_CAP_S))
        slot.due = slot.began + wait * random.uniform(0.9, 1.1)  # noqa: S311 - jitter, not a secret
        slot.began = None

    def next_due(self) -> float | None:
        """The earliest instant at which something becomes due; None: nothing waits."""
        return min((slot.due for slot in self._slots.values() if slot.began is None), default=None)

    @property
    def running(self) -> int:
        return sum(slot.began is not None for slot in self._slots.values())
