"""Reads the phones of a site, many at once, each on its own deadline and its own schedule."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.clock import Steady, steady
from agent.hands import Hands
from agent.schedule import Schedule
from agent.spool import Entry

log = logging.getLogger("agent.sweep")

CONCURRENCY = 16
_LOOK_S = 1.0
"""How often the list of targets is looked at anew."""
_ROUND_S = 3.0
"""How long a round may wait for phones that hang."""


class Reader(Protocol):
    """`agent.reading.PhoneReader`, as far as the sweep needs it."""

    def read(self, target: str, known_serial: str | None = None) -> Entry: ...

    def unreached(self, target: str, known_serial: str | None, reason: str) -> Entry: ...


class Serials:
    """Which phone was last read at which target. For any number of threads."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self._known = dict(known or {})
        self._read_at: dict[str, float] = {}

    def at(self, target: str) -> str | None:
        return self._known.get(target)

    def targets_of(self, serial: str) -> list[str]:
        return [target for target, known in list(self._known.items()) if known == serial]

    def hand(self, target: str) -> str:
        """The name under which the phone at `target` is taken in hand: its serial once that is known."""
        return self._known.get(target, target)

    def learn(self, entry: Entry) -> None:
        if entry.part == "readings":
            self._known[entry.body["target"]] = entry.body["phone"]
            self._read_at[entry.body["phone"]] = entry.at.seconds

    def read_at(self, serial: str) -> float | None:
        """When this phone was read last, on the steady clock; None: not since the agent began."""
        return self._read_at.get(serial)


@dataclass
class Sweeper:
    """`targets` gives the present list, `interval_s` the pace, `keep` puts entries on disk.

    `on_round` is called when phones were tried since the last call and none is at work, or some seconds after the
    first of them: a phone that hangs must not hold back what was read of the others.
    """

    reader: Reader
    keep: Callable[[Sequence[Entry]], None]
    targets: Callable[[], Sequence[str]]
    interval_s: Callable[[], float]
    serials: Serials = field(default_factory=Serials)
    hands: Hands = field(default_factory=Hands)
    concurrency: int = CONCURRENCY
    clock: Steady = steady
    on_round: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._schedule = Schedule()
        self._jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[str, bool] | None] = queue.SimpleQueue()
        self._reasons: dict[str, str] = {}
        self._workers = 0
        self._tally = [0, 0]
        self._first_end = 0.0

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set; `wake` makes it look at once. Phones that hang do not hold it up."""
        try:
            while not stop.is_set():
                self._step()
                self._collect(self._wait_s())
        finally:
            self._release()

    def once(self) -> None:
        """Try every target once and return when all have ended."""
        try:
            waiting = list(dict.fromkeys(self.targets()))
            self._schedule.set_targets(waiting, self.clock())
            while waiting or self._schedule.running:
                ready = waiting[: self.concurrency - self._schedule.running]
                waiting = waiting[len(ready) :]
                self._begin(ready)
                self._collect(None)
        finally:
            self._release()

    def wake(self) -> None:
        self._ended.put(None)

    def _step(self) -> None:
        now = self.clock()
        self._schedule.set_targets(self.targets(), now)
        self._begin(self._schedule.due(now, self.concurrency))
        overdue = now - self._first_end >= _ROUND_S
        if any(self._tally) and (overdue or not self._schedule.running):
            log.debug("round ended read=%d unreached=%d targets=%d", *self._tally, len(self._schedule))
            self._tally = [0, 0]
            self.on_round()

    def _wait_s(self) -> float:
        due = self._schedule.next_due()
        if due is None or self._schedule.running >= self.concurrency:
            return _LOOK_S
        return min(_LOOK_S, max(0.01, due - self.clock()))

    def _begin(self, targets: Sequence[str]) -> None:
        for target in targets:
            self._schedule.begin(target, self.clock())
            if self._workers < min(self.concurrency, self._schedule.running):
                self._workers += 1
                # Daemons: a phone that hangs must not keep the agent from ending.
                threading.Thread(target=self._work, name=f"sweep-{self._workers}", daemon=True).start()
            self._jobs.put(target)

    def _collect(self, wait_s: float | None) -> None:
        """Note what ended; wait for the first at most `wait_s` seconds (None: until one comes)."""
        try:
            ended = self._ended.get(timeout=wait_s) if wait_s is not None else self._ended.get()
            while True:
                if ended is not None:
                    target, reached = ended
                    if not any(self._tally):
                        self._first_end = self.clock()
                    self._tally[not reached] += 1
                    self._schedule.end(target, reached=reached, interval_s=self.interval_s())
                ended = self._ended.get_nowait()
        except queue.Empty:
            return

    def _release(self) -> None:
        for _ in range(self._workers):
            self._jobs.put(None)
        self._workers = 0

    def _work(self) -> None:
        while (target := self._jobs.get()) is not None:
            reached = False
            try:
                reached = self._read(target)
            except sqlite3.Error as exc:
                log.error("cannot write the spool; the reading is lost target=%s: %s", target, exc)  # noqa: TRY400
            finally:
                self._ended.put((target, reached))

    def _try(self, target: str) -> Entry:
        serial = self.serials.at(target)
        try:
            return self.reader.read(target, serial)
        except Exception:
            # Whatever a phone makes of itself must not end this thread: the others need it.
            log.exception("reading failed target=%s", target)
            return self.reader.unreached(target, serial, "protocol")

    def _read(self, target: str) -> bool:
        with self.hands.take(self.serials.hand(target)) as free:
            if not free:
                return True
            entry = self._try(target)
        self.serials.learn(entry)
        self.keep([entry])
        reason = str(entry.body.get("reason", ""))
        if self._reasons.get(target) != reason:
            self._reasons[target] = reason
            if reason:
                log.warning(
                    "phone not reached target=%s serial=%s reason=%s", target, entry.body["phone"], reason
                )
            else:
                log.info("phone read target=%s serial=%s", target, entry.body["phone"])
        return entry.part == "readings"
