"""Kind `probe`: test whether a phone can be reached, again after some minutes if not, without holding up the others.

A test lives in memory; that it began is on disk. A restart in between ends it as inconclusive: nobody looked.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from agent import wire
from agent.hands import Hands
from agent.inbox import Outcome
from agent.instant import SiteClock
from agent.probes.selfcheck import Check, SelfCheck
from agent.spool import Entry
from agent.sweep import Reader, Serials

log = logging.getLogger("agent.probes")

AT_ONCE = 4
HAND_WAIT_S = 120.0
_MAX_AGAIN, _MAX_AGAIN_S = 6, 1800
_NO_CHECKS: wire.BeatChecks = {"server": None, "adb_server": None, "clock": None, "canary": None}


@dataclass
class _Test:
    """`began`: the first try, on the steady clock; `tries`: those that failed, each with the check before it."""

    command: wire.Command
    again: tuple[float, ...]
    asked: float
    began: float | None = None
    check: Check | None = None
    tries: list[tuple[float, str, Check]] = field(default_factory=list)


class Prober:
    """`finish(command id, outcome)` puts a result on disk. `targets` is the present list of the sweep."""

    def __init__(
        self,
        reader: Reader,
        hands: Hands,
        serials: Serials,
        targets: Callable[[], Sequence[str]],
        check: SelfCheck,
        clock: SiteClock,
        finish: Callable[[str, Outcome], None],
        *,
        hand_wait_s: float = HAND_WAIT_S,
    ) -> None:
        self._reader = reader
        self._hands = hands
        self._serials = serials
        self._targets = targets
        self._check = check
        self._clock = clock
        self._finish = finish
        self._hand_wait_s = hand_wait_s
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, _Test]] = []
        self._running: dict[str, _Test] = {}
        self._order = itertools.count()

    def __call__(self, command: wire.Command) -> Outcome | None:
        """Take a test on; its result comes later. An outcome at once: it cannot be understood."""
        again = command.args.get("again_s")
        if not _sound(again):
            return Outcome("refused", {"reason": "bad_args"})
        now = self._clock.steady()
        test = _Test(command, tuple(float(s) for s in again), now)
        with self._changed:
            self._running[command.id] = test
            self._put(now, test)
        return None

    def interrupted(self, command: wire.Command) -> Outcome:
        """What becomes of a test that a former run of the agent did not end."""
        return _outcome("inconclusive", "interrupted", None, [], self._clock.steady())

    def run(self, stop: threading.Event) -> None:
        """Try what is due, some at once, until `stop` is set."""
        for n in range(1, AT_ONCE):
            # Daemons: a phone that hangs must not keep the agent from ending.
            threading.Thread(target=self._work, args=(stop,), name=f"probe-{n}", daemon=True).start()
        self._work(stop)

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            test = self._next()
            if test is not None:
                self.step(test)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def give_up(self) -> None:
        """End all tests that have not ended: the agent stops."""
        with self._changed:
            left = list(self._running.values())
            self._queue.clear()
        for test in left:
            self._end(test, "inconclusive", "interrupted")

    def try_due(self) -> int:
        """Try all that is due now, one after the other; how many there were."""
        tried = 0
        while self._queue and self._queue[0][0] <= self._clock.steady():
            test = self._next()
            if test is not None:
                self.step(test)
                tried += 1
        return tried

    def _next(self) -> _Test | None:
        """The next test that is due; None when there was none for a while or somebody woke us."""
        with self._changed:
            now = self._clock.steady()
            if self._queue and self._queue[0][0] <= now:
                return heapq.heappop(self._queue)[2]
            wait = min(1.0, self._queue[0][0] - now) if self._queue else 60.0
            self._changed.wait(wait)
            return None

    def _put(self, due: float, test: _Test) -> None:
        heapq.heappush(self._queue, (due, next(self._order), test))
        self._changed.notify_all()

    def step(self, test: _Test) -> None:
        """One try of one test."""
        try:
            self._step(test)
        except sqlite3.Error as exc:
            log.error("cannot write the spool; a test is left to the next start: %s", exc)  # noqa: TRY400
        except Exception:
            log.exception("test failed id=%s", test.command.id)
            self._end(test, "inconclusive", "internal")

    def _step(self, test: _Test) -> None:
        if self._heard(test):
            self._end(test, "reached", "heard")
            return
        test.check = self._check.check()
        if not test.check.up:
            self._end(test, "inconclusive", test.check.reason)
            return
        at = self._clock.steady()
        test.began = at if test.began is None else test.began
        reason, read = self._reach(test.command.serial)
        if reason is None or self._heard(test):
            self._end(test, "reached", None if reason is None else "heard", read)
            return
        test.tries.append((at, reason, test.check))
        if reason != "unreachable":
            # Something answered, or we could not look: whatever the next tries say, it is no proof of silence.
            self._end(test, "inconclusive", reason, read)
        elif len(test.tries) > len(test.again):
            self._end(test, "not_reached", reason)
        else:
            with self._changed:
                self._put(test.began + test.again[len(test.tries) - 1], test)

    def _heard(self, test: _Test) -> bool:
        """Whether the sweep has read this phone since the test was taken on."""
        at = self._serials.read_at(test.command.serial)
        return at is not None and at >= test.asked

    def _reach(self, serial: str) -> tuple[str | None, list[Entry]]:
        """None and the reading when the phone was read; else why not, over all ways to it, and what was read there."""
        reason, read = "no_way", []
        for target in self._ways(serial):
            with self._hands.take(self._serials.hand(target), self._hand_wait_s) as free:
                if not free:
                    reason = "busy"
                    continue
                entry = self._reader.read(target, self._serials.at(target))
            self._serials.learn(entry)
            if entry.part == "readings":
                read.append(entry)
                if entry.body["phone"] == serial:
                    return None, read
            said = "other_phone" if entry.part == "readings" else str(entry.body["reason"])
            # One way that was closed to us is enough for doubt.
            reason = said if reason in ("no_way", "unreachable") else reason
        return reason, read

    def _ways(self, serial: str) -> list[str]:
        """Where the phone was read before and is listed still; one that left its adb server is asked for there."""
        listed = self._targets()
        known = [*self._serials.targets_of(serial), f"server:{serial}"]
        wanted = [target for target in known if target in listed]
        gone = [target for target in self._serials.targets_of(serial) if target.startswith("server:")]
        return list(dict.fromkeys([*wanted, *gone]))

    def _end(self, test: _Test, outcome: str, reason: str | None, read: Sequence[Entry] = ()) -> None:
        with self._changed:
            if self._running.pop(test.command.id, None) is None:
                return
        told = _outcome(outcome, reason, test.check, test.tries, self._clock.steady(), tuple(read))
        self._finish(test.command.id, told)
        log.info(
            "test id=%s outcome=%s reason=%s tries=%d", test.command.id, outcome, reason, len(test.tries)
        )


def _sound(again: Any) -> TypeGuard[list[float]]:
    return (
        isinstance(again, list)
        and 0 < len(again) <= _MAX_AGAIN
        and all(type(s) in (int, float) and 0 < s <= _MAX_AGAIN_S for s in again)
        and again == sorted(again)
    )


def _outcome(
    outcome: str,
    reason: str | None,
    check: Check | None,
    tries: Sequence[tuple[float, str, Check]],
    now: float,
    read: tuple[Entry, ...] = (),
) -> Outcome:
    """The result as the wire has it; all times in seconds before `now`, the result's own instant."""
    told = [
        {
            "before_s": round(now - at, 3),
            "reason": why,
            "checked_before_s": round(now - before.at, 3),
            "up_for_s": round(before.up_for_s, 3),
        }
        for at, why, before in tries
    ]
    detail = {
        "outcome": outcome,
        "reason": reason,
        "checked_before_s": None if check is None else round(now - check.at, 3),
        "checks": _NO_CHECKS if check is None else check.checks,
        "tries": told,
    }
    return Outcome("succeeded", detail, read)
