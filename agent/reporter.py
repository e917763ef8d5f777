"""Reports what is spooled and takes commands in, at the server's pace."""

from __future__ import annotations

import gzip
import logging
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from agent import wire
from agent.batches import Batch, Batches
from agent.boxes import Boxes
from agent.client import Client, ServerAway, ServerRefused
from agent.errors import AgentError
from agent.pins import KeyPins
from agent.state import Identity

log = logging.getLogger("agent.report")

BACKOFF_FIRST_S = 2.0
BACKOFF_CAP_S = 300.0
INTERVAL_LEAST_S, INTERVAL_MOST_S = 5, 3600
_FINAL = {"bad_signature", "unknown_agent", "agent_revoked"}


class AgentStopped(AgentError):
    """The server does not take this agent any more; a person must look. Trying on would only fill its log."""


class Reporter:
    """One thread's loop. `wake` may be called by any thread; `tried` is set when the first try has ended."""

    def __init__(
        self,
        batches: Batches,
        client: Client,
        identity: Identity,
        *,
        status: Callable[[], wire.AgentState],
        on_commands: Callable[[], None],
        on_answer: Callable[[], None] = lambda: None,
        pins: KeyPins | None = None,
        boxes: Boxes | None = None,
    ) -> None:
        self._batches = batches
        self._client = client
        self._agent_id = identity.agent_id
        self._pins = pins or KeyPins(identity)
        self._boxes = boxes or Boxes()
        self._status = status
        self._on_commands = on_commands
        self._on_answer = on_answer
        self._woken = threading.Event()
        self.tried = threading.Event()
        self._rejected: set[str] = set()
        self.interval_s = pace_s(identity.interval_s)

    def wake(self) -> None:
        """Check in at once: somebody waits for this. All else goes at the server's pace."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Check in until `stop` is set. Raise `AgentStopped`."""
        failures = 0
        while not stop.is_set():
            try:
                self._try(stop)
            except (ServerAway, sqlite3.Error) as exc:
                delay = max(backoff_s(failures), getattr(exc, "retry_after_s", 0.0))
                failures += 1
                log.warning("check-in failed, kept failures=%d next_s=%.0f: %s", failures, delay, exc)
                stop.wait(delay)
                continue
            if failures:
                log.info("server is back after failures=%d", failures)
            failures = 0
            self._woken.wait(self.interval_s * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, not a secret
            self._woken.clear()

    def _try(self, stop: threading.Event) -> None:
        try:
            self.drain(stop)
        finally:
            self.tried.set()

    def drain(self, stop: threading.Event) -> None:
        """Check in, and go on while others wait. Raise `ServerAway` (all is kept), `AgentStopped`."""
        while self.check_in() and not stop.is_set():
            pass

    def check_in(self) -> bool:
        """One exchange; True when more waits to be sent. Raise `ServerAway`, `AgentStopped`."""
        batch = self._batches.next()
        body = gzip.compress(self._batches.body(batch, self._status()), 6, mtime=0)
        try:
            answer = checked_answer(self._client.post(wire.CHECKIN_PATH, body, packed=True), batch)
        except ServerRefused as exc:
            return self._refused(batch, exc)
        self._pins.learn(answer.get("danger_key"))
        commands = self._commands(answer["commands"])
        self._batches.acknowledge(batch, answer, commands)
        self.interval_s = pace_s(answer["interval_s"])
        self._on_answer()
        if commands:
            self._on_commands()
        self._tell_rejected(answer["rejected"])
        log.info("checked in entries=%d more=%s commands=%d", batch.size, batch.more, len(commands))
        return batch.more

    def _refused(self, batch: Batch, refusal: ServerRefused) -> bool:
        """Take a refused batch out of the way, or raise when the batch is not what is wrong.

        True: go on at once. After a batch was set aside the next waits for its turn: a server that can read
        none of them must not eat the whole spool in a second.
        """
        if refusal.code in _FINAL:
            raise AgentStopped(str(refusal)) from refusal
        if batch.row is None:
            raise ServerAway(f"an empty check-in was refused: {refusal}") from refusal
        if refusal.status == 413:
            if self._batches.halve(batch):
                log.warning("batch too large entries=%d; halved", batch.size)
                return True
        elif refusal.code not in {"bad_body", "bad_gzip"}:
            raise ServerAway(str(refusal)) from refusal
        self._batches.set_aside(batch, str(refusal))
        log.error("batch set aside, not counted batch=%s entries=%d: %s", batch.uuid, batch.size, refusal)
        return False

    def _tell_rejected(self, rejected: list[wire.Rejected]) -> None:
        """Say it when the reasons change; a phone that nobody has registered is refused at every reading."""
        counts = Counter(str(entry.get("code")) for entry in rejected)
        if rejected and counts.keys() != self._rejected:
            told = " ".join(f"{code}={n}" for code, n in sorted(counts.items()))
            log.warning("server did not count %.300s; the first: %.300s", told, rejected[0].get("detail"))
        self._rejected = set(counts)

    def _commands(self, envelopes: list[wire.CommandEnvelope]) -> list[wire.Command]:
        """The commands that are the server's and ours; nothing else is even stored, nor what is sealed in them."""
        found: list[wire.Command] = []
        refused: list[wire.WireError] = []
        for envelope in envelopes:
            try:
                command = wire.open_command(envelope, self._pins.keys, self._agent_id, self._client.nonce)
                found.append(self._boxes.put(command))
            except wire.WireError as exc:
                refused.append(exc)
        if refused:
            log.warning("commands refused without an answer: %d; the first: %s", len(refused), refused[0])
        return found


def pace_s(wanted: int) -> float:
    """Seconds between check-ins, as the server wants them within our limits: it may be wrong, too."""
    return float(min(max(wanted, INTERVAL_LEAST_S), INTERVAL_MOST_S))


def backoff_s(failures: int) -> float:
    """Full jitter: anything up to the doubled limit, so that many agents do not come back at once."""
    limit = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2 ** min(failures, 16))
    return random.uniform(0.0, limit)  # noqa: S311 - jitter, not a secret


def checked_answer(answer: dict[str, Any], batch: Batch) -> wire.CheckinAnswer:
    """An answer that may be acted on. Raise `ServerAway`: then the batch is sent again."""
    try:
        if answer["batch"] != batch.uuid:
            raise ValueError("it answers another batch")
        wire.unb64(answer["hmac_key"], 32)
        if type(answer["interval_s"]) is not int:
            raise ValueError("interval_s is no integer")
        for name in ("rejected", "want", "commands"):
            if not isinstance(answer[name], list) or not all(isinstance(i, dict) for i in answer[name]):
                raise ValueError(f"{name} is no list of objects")
        if not all(isinstance(name, str) for w in answer["want"] for name in (w["phone"], *w["sections"])):
            raise ValueError("want is malformed")
    except (KeyError, ValueError, TypeError) as exc:
        raise ServerAway(f"the server's answer is not what docs/wire.md says: {exc}") from exc
    return cast(wire.CheckinAnswer, answer)
