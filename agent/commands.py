"""Carries out the server's commands, one at a time, apart from the sweep."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent import wire
from agent.hands import Hands
from agent.inbox import INTERRUPTED, Inbox, Outcome, Received
from agent.instant import SiteClock
from agent.spool import Entry
from agent.sweep import Reader, Serials

log = logging.getLogger("agent.commands")


class Kind(Protocol):
    """Carries one command out. None: the outcome comes later, by `CommandWorker.finish`.

    It may have `purpose` (whose key must have signed it; that of reads, unless said) and `interrupted(command)` (the
    outcome of one that a former run began; "not now", unless said).
    """

    def __call__(self, command: wire.Command, /) -> Outcome | None: ...


HAND_WAIT_S = 120.0
_BROKEN_PHONE = {"protocol", "too_large", "identity"}


class CommandWorker:
    """One thread. `kinds` is what it knows; anything else is refused."""

    def __init__(
        self, inbox: Inbox, kinds: Mapping[str, Kind], clock: SiteClock, *, on_result: Callable[[], None]
    ) -> None:
        self._inbox = inbox
        self._kinds = kinds
        self._clock = clock
        self._on_result = on_result
        self._woken = threading.Event()
        self._later: set[str] = set()

    def wake(self) -> None:
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Carry out commands as they come, until `stop` is set."""
        while not stop.is_set():
            try:
                self.drain(stop)
            except sqlite3.Error as exc:
                log.error("cannot write the spool; commands wait: %s", exc)  # noqa: TRY400
                stop.wait(10)
                continue
            self._woken.wait()
            self._woken.clear()

    def drain(self, stop: threading.Event) -> None:
        """Answer what was cut off, then carry out all that waits, until `stop` is set. Raise `sqlite3.Error`."""
        if self._inbox.recover(self._cut_off, but=frozenset(self._later)):
            self._on_result()
        while not stop.is_set() and self.step():
            pass

    def step(self) -> bool:
        """Carry out the oldest command; False when there is none. Raise `sqlite3.Error`."""
        received = self._inbox.next()
        if received is None:
            return False
        command = received.command
        outcome = self._refusal(received)
        if outcome is None:
            self._inbox.start(command.id)
            # Noted before the act: it may end in another thread before we are told that it goes on.
            self._later.add(command.id)
            outcome = self._act(command)
        if outcome is not None:
            self.finish(command.id, outcome)
        return True

    def finish(self, command_id: str, outcome: Outcome) -> None:
        """Put the outcome of a command on disk. By any thread. Raise `sqlite3.Error`."""
        try:
            self._inbox.finish(command_id, outcome)
        finally:
            # What could not be written is answered as cut off at the next look.
            self._later.discard(command_id)
        log.info("command id=%s state=%s", command_id, outcome.state)
        self._on_result()

    def _cut_off(self, command: wire.Command) -> Outcome:
        interrupted = getattr(self._kinds.get(command.kind), "interrupted", None)
        return INTERRUPTED if interrupted is None else interrupted(command)

    def _refusal(self, received: Received) -> Outcome | None:
        age_s = self._clock.age_s(received.at)
        if age_s is None or age_s > received.command.expires_in_s:
            return Outcome("expired", {"reason": "expired"})
        kind = self._kinds.get(received.command.kind)
        if kind is None:
            return Outcome("refused", {"reason": "unknown_kind"})
        if received.command.purpose != getattr(kind, "purpose", wire.COMMAND_PURPOSE):
            # Its signature is sound, but of a key that may not ask for this.
            return Outcome("refused", {"reason": "wrong_purpose"})
        return None

    def _act(self, command: wire.Command) -> Outcome | None:
        try:
            return self._kinds[command.kind](command)
        except Exception:
            # The next command must not wait for a person because this one met something unforeseen.
            log.exception("command failed id=%s kind=%s", command.id, command.kind)
            return Outcome("failed", {"reason": "internal"})


def candidates(serial: str, serials: Serials, listed: Sequence[str]) -> list[str]:
    """Where the phone may be: targets at which it was read last, and the adb server's of that name."""
    wanted = [*serials.targets_of(serial), f"server:{serial}"]
    return [target for target in dict.fromkeys(wanted) if target in listed]


@dataclass(frozen=True)
class ReadPhone:
    """Kind `read_phone`: read the named phone now, wherever it was last seen or is listed."""

    reader: Reader
    hands: Hands
    serials: Serials
    targets: Callable[[], Sequence[str]]
    hand_wait_s: float = HAND_WAIT_S

    def __call__(self, command: wire.Command) -> Outcome:
        read: list[Entry] = []
        reason = "not_seen"
        for target in candidates(command.serial, self.serials, self.targets()):
            entry = self._read(target)
            if entry is None:
                reason = "busy"
                continue
            read.append(entry)
            if entry.part == "unreached":
                reason = entry.body["reason"]
            elif entry.body["phone"] == command.serial:
                return Outcome("succeeded", {"reading": True}, tuple(read))
            else:
                reason = "other_phone"
        if reason == "other_phone":
            return Outcome("refused", {"reason": reason}, tuple(read))
        return Outcome("failed" if reason in _BROKEN_PHONE else "not_now", {"reason": reason}, tuple(read))

    def _read(self, target: str) -> Entry | None:
        with self.hands.take(self.serials.hand(target), self.hand_wait_s) as free:
            if not free:
                return None
            entry = self.reader.read(target, self.serials.at(target))
        self.serials.learn(entry)
        return entry
