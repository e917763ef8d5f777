"""Whether this agent could see a phone if it were there: its way to the server, adb server, clock, a canary phone."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent import wire
from agent.errors import AgentError
from agent.instant import SiteClock
from agent.spool import Entry
from agent.transport import TransportOptions, open_transport

log = logging.getLogger("agent.probes")

TICK_S = 60.0
BEAT_S = 180.0
"""A beat is spooled this often, and at once when what it says changes."""
PAUSE_S = 30.0
"""A tick that comes later than this was slept through, or the machine stood still."""
_CANARY_S = 10.0
_CANARY_SAYS = b"butler"


@dataclass(frozen=True)
class Check:
    """One self-check. `at`: on the steady clock; `up_for_s`: for how long it has passed without a break."""

    at: float
    reason: str | None
    checks: wire.BeatChecks
    up_for_s: float

    @property
    def up(self) -> bool:
        return self.reason is None


class SelfCheck:
    """`run` ticks in a thread of its own; `check` may be called by any thread, and spools a beat each time.

    `pace_s`: the present time between check-ins; `adb_up`: None where no adb server is used; `canary`: None without
    one.
    """

    def __init__(
        self,
        clock: SiteClock,
        keep: Callable[[Sequence[Entry]], None],
        *,
        pace_s: Callable[[], float],
        adb_up: Callable[[], bool | None] = lambda: None,
        canary: Callable[[], bool] | None = None,
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._pace_s = pace_s
        self._adb_up = adb_up
        self._canary = canary
        self._lock = threading.Lock()
        self._ticked_at = clock.steady()
        self._answered_at: float | None = None
        self._up_since: float | None = None
        self._told: tuple[str | None, float] | None = None

    def answered(self) -> None:
        """The server has answered a check-in just now."""
        self._answered_at = self._clock.steady()

    def run(self, stop: threading.Event) -> None:
        """Look at ourselves every minute, until `stop` is set."""
        while not stop.is_set():
            try:
                self.tick()
            except sqlite3.Error as exc:
                log.error("cannot write the spool; a beat is lost: %s", exc)  # noqa: TRY400
            stop.wait(TICK_S * random.uniform(0.9, 1.0))  # noqa: S311 - jitter, not a secret

    def tick(self) -> None:
        """One look; its beat is spooled when it is due or says something new. Raise `sqlite3.Error`."""
        with self._lock:
            check = self._look()
            told = self._told
            if told is None or told[0] != check.reason or check.at - told[1] >= BEAT_S:
                self._spool(check)
            self._ticked_at = self._clock.steady()

    def check(self) -> Check:
        """One look whose beat is spooled in any case: a test rests on it. Raise `sqlite3.Error`."""
        with self._lock:
            check = self._look()
            self._spool(check)
        return check

    def _spool(self, check: Check) -> None:
        body = {
            "up": check.up,
            "reason": check.reason,
            "checks": check.checks,
            "up_for_s": round(check.up_for_s, 3),
        }
        series = f"beat {check.reason or 'up'}"
        self._keep([Entry("beats", body, self._clock.at(check.at), series=series)])
        if self._told is None or self._told[0] != check.reason:
            log.info("self-check %s", "passed" if check.up else f"failed: {check.reason}")
        self._told = (check.reason, check.at)

    def _look(self) -> Check:
        now = self._clock.steady()
        checks: wire.BeatChecks = {
            "server": self._answered_at is not None
            and now - self._answered_at <= 3 * self._pace_s() + PAUSE_S,
            "adb_server": self._adb_up(),
            "clock": 0 <= now - self._ticked_at <= TICK_S + PAUSE_S,
            "canary": None if self._canary is None else self._canary(),
        }
        reason = _reason(checks)
        at = self._clock.steady()
        if reason is not None:
            self._up_since = None
        elif self._up_since is None:
            self._up_since = at
        return Check(at, reason, checks, 0.0 if self._up_since is None else at - self._up_since)


def _reason(checks: wire.BeatChecks) -> str | None:
    """The code of what failed; `network` when neither the server nor the canary answers."""
    if checks["server"] is False and checks["canary"] is False:
        return "network"
    failed = (name for name, passed in checks.items() if passed is False)
    return next(failed, None)


def canary_at(target: str, options: TransportOptions) -> Callable[[], bool]:
    """A canary: whether the phone at `target`, which stays at the site, answers now."""

    def answers() -> bool:
        try:
            with open_transport(target, options) as transport:
                return _CANARY_SAYS in transport.run(f"echo {_CANARY_SAYS.decode()}", _CANARY_S).stdout
        except AgentError as exc:
            log.debug("the canary does not answer: %s", exc)
            return False

    return answers
