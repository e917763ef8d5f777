"""Commands that take minutes or hours: each in a thread of its own, its progress reported, begun anew after a kill.

What such a work did so far must be on disk by its own doing: after a restart of the agent it is answered "not now:
interrupted", the server sends the same command again, and the work goes on where it was.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent import wire
from agent.inbox import INTERRUPTED, Outcome
from agent.instant import SiteClock
from agent.spool import Entry, Spool

log = logging.getLogger("agent.longwork")

PROGRESS_EVERY_S = 5.0
"""Progress is told at most so often, so that a work may report each of its steps."""


class WorkStopped(Exception):
    """The agent is being ended: let go of everything; the work is begun again."""


class WorkCalledOff(Exception):
    """This very work is to end: what it has so far is kept, and told of in its last word."""


class Progress(Protocol):
    """`progress(detail)`: tell how far it is. Raise `WorkStopped` when the agent ends, `WorkCalledOff` when this work
    is to.

    `now`: do not wait for the next time that something is told.
    """

    def __call__(self, detail: Mapping[str, Any], *, now: bool = False) -> None: ...


Act = Callable[[wire.Command, Progress], Outcome]


class LongWork:
    """All long works of an agent; at most `concurrency` at once, the others wait.

    `worker_finish(command id, outcome)` puts a result on disk; `on_result` wakes the reporter.
    """

    def __init__(
        self,
        worker_finish: Callable[[str, Outcome], None],
        spool: Spool,
        clock: SiteClock,
        on_result: Callable[[], None],
        concurrency: int = 2,
    ) -> None:
        self._finish = worker_finish
        self._spool = spool
        self._clock = clock
        self._on_result = on_result
        self._free = threading.Semaphore(concurrency)
        self._stopped = threading.Event()
        self._ended = threading.Condition()
        self._running: set[str] = set()
        self._called_off: set[str] = set()

    def kind(self, act: Act, *, purpose: str, waits: bool = True) -> LongKind:
        """A kind of command that is carried out by `act`, signed for `purpose`.

        `waits`: for its turn. One that ends other works must not wait for them.
        """
        return LongKind(self, act, purpose, waits)

    def start(self, command: wire.Command, act: Act, *, waits: bool = True) -> None:
        """Return at once."""
        with self._ended:
            self._running.add(command.id)
        # Daemons: a phone that hangs must not keep the agent from ending.
        work = self._in_turn if waits else self._work
        threading.Thread(target=work, args=(command, act), name=f"long-{command.id}", daemon=True).start()

    def stop(self) -> None:
        """Every work is told to end at its next word of progress."""
        self._stopped.set()

    def call_off(self, command_id: str, seconds: float) -> bool | None:
        """Tell one work to end at its next word of progress; whether its last word is on disk after so many seconds.

        None: it is not at work. One that waits for its turn ends without it.
        """
        with self._ended:
            if command_id not in self._running:
                return None
            self._called_off.add(command_id)
            return self._ended.wait_for(lambda: command_id not in self._running, seconds)

    def called_off(self, command_id: str) -> bool:
        with self._ended:
            return command_id in self._called_off

    @property
    def stopped(self) -> threading.Event:
        """Set once the agent ends: for whoever waits inside a work."""
        return self._stopped

    def join(self, seconds: float) -> bool:
        """Wait for all works; False if some still run after so many seconds."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._running, seconds)

    def progress(self, command_id: str, detail: Mapping[str, Any]) -> None:
        """Spool a result of state `running`, in place of the last one if that is not sent yet."""
        body = {"id": command_id, "state": "running", "detail": dict(detail)}
        entry = Entry("results", body, self._clock.now(), series=f"running {command_id}")
        try:
            self._spool.replace(entry)
        except sqlite3.Error as exc:
            log.warning("progress not kept command=%s: %s", command_id, exc)
            return
        self._on_result()

    def _in_turn(self, command: wire.Command, act: Act) -> None:
        while not self._free.acquire(timeout=1.0):
            if self._stopped.is_set():
                self._left(command.id)
                return
            if self.called_off(command.id):
                # Its own act gives the last word, and ends at its first word of progress.
                self._work(command, act)
                return
        try:
            self._work(command, act)
        finally:
            self._free.release()

    def _work(self, command: wire.Command, act: Act) -> None:
        try:
            outcome = self._outcome(command, act)
            if outcome is not None:
                self._finish(command.id, outcome)
        except sqlite3.Error as exc:
            log.error("result not kept command=%s: %s", command.id, exc)  # noqa: TRY400
        finally:
            self._left(command.id)

    def _left(self, command_id: str) -> None:
        with self._ended:
            self._running.discard(command_id)
            self._called_off.discard(command_id)
            self._ended.notify_all()

    def _outcome(self, command: wire.Command, act: Act) -> Outcome | None:
        """None: it was told to end; the next run of the agent answers for it."""
        told = _Told(self, command.id)
        try:
            return act(command, told)
        except WorkStopped:
            return None
        except WorkCalledOff:
            return Outcome("failed", {"outcome": "cancelled", "reason": "stopped"})
        except Exception as exc:  # noqa: BLE001 - its kind alone: its text could hold a name or a secret
            log.error("long work failed command=%s kind=%s", command.id, type(exc).__name__)  # noqa: TRY400
            return Outcome("failed", {"outcome": "failed", "reason": "internal"})

    def seconds(self) -> float:
        """The steady clock, for pacing."""
        return self._clock.steady()


class _Told:
    """`Progress` of one work."""

    def __init__(self, works: LongWork, command_id: str) -> None:
        self._works = works
        self._command_id = command_id
        self._next = 0.0

    def __call__(self, detail: Mapping[str, Any], *, now: bool = False) -> None:
        if self._works.stopped.is_set():
            raise WorkStopped
        if self._works.called_off(self._command_id):
            raise WorkCalledOff
        seconds = self._works.seconds()
        if now or seconds >= self._next:
            self._next = seconds + PROGRESS_EVERY_S
            self._works.progress(self._command_id, detail)


@dataclass(frozen=True)
class LongKind:
    """A kind whose outcome comes later."""

    works: LongWork
    act: Act
    purpose: str
    waits: bool = True

    def __call__(self, command: wire.Command) -> Outcome | None:
        self.works.start(command, self.act, waits=self.waits)
        return None

    def interrupted(self, command: wire.Command) -> Outcome:
        return INTERRUPTED
