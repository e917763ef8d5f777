"""Work on a phone in turns: the phone is taken in hand anew for each, so that others reach it in between, and a cable
that was pulled ends a turn and not the work.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Literal

from agent.clock import Steady
from agent.errors import TransportError
from agent.identity import NotAtHand
from agent.longwork import Progress, WorkStopped
from agent.transport import Transport

TURN_S = 30.0
PATIENCE_S = 300.0
"""So long a phone may be away before the order is given back as "not now"."""
_WAIT_FIRST_S, _WAIT_MOST_S = 0.2, 15.0
_RATE_S, _STEP_S = 15.0, 0.5
_LOOK_S = 0.5
Stage = Literal[
    "identity", "space", "listing", "reading", "writing", "verifying", "people", "tap_needed", "manifest"
]
Phone = Callable[[], AbstractContextManager[Transport]]
"""Opens the phone and makes sure that it is the named one. Raise `NotAtHand`, `TransportError`."""


class GaveUp(Exception):
    """A phone stays away; `reason` is a code. What was done is kept."""

    def __init__(self, reason: str, *, first: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.first = first


class TurnOver(Exception):
    """In the middle of a stream: enough for this turn. Never leaves this package."""


class Turn:
    """How long this turn still lasts, and whether anything came of it."""

    def __init__(self, clock: Steady, seconds: float, telling: Telling) -> None:
        self._clock = clock
        self._until = clock() + seconds
        self.telling = telling

    @property
    def over(self) -> bool:
        return self._clock() >= self._until

    def moved(self, size: int) -> None:
        """Bytes went through. Raise `TurnOver`, and what ends the work."""
        self.telling.moved(size)
        if self.over:
            raise TurnOver


@dataclass
class Telling:
    """Progress of one stage at a time, told on. `done_*` and `total_*` are of the stage."""

    progress: Progress
    clock: Steady
    stage: Stage = "identity"
    note: str | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    done_files: int = 0
    total_files: int = 0
    steps: int = 0
    _past: deque[tuple[float, int]] = field(default_factory=deque)

    def begin(self, stage: Stage, total_bytes: int = 0, total_files: int = 0) -> None:
        self.stage, self.note = stage, None
        self.done_bytes = self.done_files = 0
        self.total_bytes, self.total_files = total_bytes, total_files
        self._past.clear()
        self.tell(now=True)

    def moved(self, size: int) -> None:
        """More bytes of the stage. Raise what ends the work."""
        self.done_bytes += size
        self.steps += 1
        self.note = None
        self.tell()

    def had(self, size: int) -> None:
        """Bytes of the stage that were moved before; it is no step forward."""
        self.done_bytes += size
        self.tell()

    def ended(self, files: int = 1) -> None:
        """More files of the stage."""
        self.done_files += files
        self.steps += 1
        self.tell()

    def say(self, note: str | None) -> None:
        """A code that says what is waited for."""
        if note != self.note:
            self.note = note
            self.tell(now=True)

    def wait(self, stopped: threading.Event, seconds: float) -> None:
        """Let so many seconds pass. Raise what ends the work, soon after it was told to."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            if stopped.wait(min(left, _LOOK_S)):
                raise WorkStopped
            self.tell()

    def tell(self, *, now: bool = False) -> None:
        rate = self._rate()
        left = max(0, self.total_bytes - self.done_bytes)
        detail = {
            "stage": self.stage,
            "done_bytes": min(self.done_bytes, self.total_bytes),
            "total_bytes": self.total_bytes,
            "done_files": self.done_files,
            "total_files": self.total_files,
            "rate_bps": rate,
            "left_s": left // rate if rate else None,
            "note": self.note,
        }
        self.progress(detail, now=now)

    def _rate(self) -> int | None:
        """Bytes a second over the last seconds; None where there is too little to say so."""
        now = self.clock()
        if not self._past or now - self._past[-1][0] >= _STEP_S:
            self._past.append((now, self.done_bytes))
        while now - self._past[0][0] > _RATE_S:
            self._past.popleft()
        seconds = now - self._past[0][0]
        return int((self.done_bytes - self._past[0][1]) / seconds) if seconds >= 1 else None


@dataclass
class Turns:
    """`stopped` is set when the agent ends. `met`: both phones were at hand, so that one that is away may come back."""

    telling: Telling
    clock: Steady
    stopped: threading.Event
    turn_s: float = TURN_S
    patience_s: float = PATIENCE_S
    first_wait_s: float = _WAIT_FIRST_S
    met: bool = False

    def work(self, phone: Phone, step: Callable[[Transport, Turn], bool]) -> None:
        """Give `step` the phone, turn after turn, until it says True: nothing is left.

        `step` is begun anew after each error of the phone's. Raise `GaveUp` when nothing came of it for long.
        """
        wait, since, steps = self.first_wait_s, self.clock(), self.telling.steps
        while True:
            opened = False
            try:
                with phone() as transport, suppress(TurnOver):
                    opened = True
                    if step(transport, Turn(self.clock, self.turn_s, self.telling)):
                        return
                continue
            except (NotAtHand, TransportError) as exc:
                reason = exc.reason
            if self.telling.steps != steps:
                wait, since, steps = self.first_wait_s, self.clock(), self.telling.steps
            first = not (opened or self.met)
            if first or self.clock() - since > self.patience_s:
                raise GaveUp(reason, first=first)
            self.telling.say(reason)
            self.telling.wait(self.stopped, wait)
            wait = min(_WAIT_MOST_S, wait * 2)
