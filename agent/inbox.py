"""Commands on disk: received, started before the act, done with their result."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from agent import wire
from agent.database import Database
from agent.instant import Instant, SiteClock
from agent.spool import Entry, insert

log = logging.getLogger("agent.commands")

ResultState = Literal["succeeded", "failed", "not_now", "expired", "refused"]
MAX_KEPT = 10_000
"""Executed ids that are remembered; a server gives a command up long before so many others were run."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `entries` are readings to report with it."""

    state: ResultState
    detail: dict[str, Any]
    entries: tuple[Entry, ...] = ()


INTERRUPTED = Outcome("not_now", {"reason": "interrupted"})


@dataclass(frozen=True)
class Received:
    command: wire.Command
    at: Instant


def receive(db: sqlite3.Connection, commands: Iterable[wire.Command], now: Instant) -> None:
    """Take commands in within the caller's transaction.

    An id that was seen is not acted on twice: its stored result is reported again. Only `not_now` (nothing
    was done, or it was cut off and may be repeated) lets the same id run again.
    """
    waiting = _waiting_results(db)
    for command in commands:
        row = db.execute("SELECT state, result FROM command WHERE id = ?", (command.id,)).fetchone()
        if row is None:
            db.execute(
                "INSERT INTO command (id, body, state, at_s, at_boot) VALUES (?, ?, 'received', ?, ?)",
                (command.id, json.dumps(asdict(command)), now.seconds, now.boot),
            )
        elif row[0] == "done" and command.id not in waiting:
            waiting.add(command.id)
            _seen_again(db, command, json.loads(row[1]), now)


def _seen_again(db: sqlite3.Connection, command: wire.Command, result: dict[str, Any], now: Instant) -> None:
    if result["state"] == "not_now":
        db.execute(
            "UPDATE command SET state = 'received', at_s = ?, at_boot = ?, body = ? WHERE id = ?",
            (now.seconds, now.boot, json.dumps(asdict(command)), command.id),
        )
        return
    log.info("command %s came again; its stored result is reported again", command.id)
    insert(db, [Entry("results", result, now)])


def _waiting_results(db: sqlite3.Connection) -> set[str]:
    """Ids of commands whose result is still to be reported."""
    rows = db.execute("SELECT body FROM entry WHERE part = 'results'").fetchall()
    return {json.loads(body)["id"] for (body,) in rows}


class Inbox:
    """The command worker's side of the table."""

    def __init__(self, database: Database, clock: SiteClock) -> None:
        self._db = database
        self._clock = clock

    def next(self) -> Received | None:
        """The oldest command that was received and not yet started."""
        with self._db.transaction() as db:
            row = db.execute(
                "SELECT body, at_s, at_boot FROM command WHERE state = 'received' ORDER BY seq LIMIT 1"
            ).fetchone()
        return None if row is None else Received(_command(row[0]), Instant(row[1], row[2]))

    def start(self, command_id: str) -> None:
        """Return when it is on disk that the act begins."""
        with self._db.transaction() as db:
            db.execute("UPDATE command SET state = 'started' WHERE id = ?", (command_id,))

    def left_s(self, command: wire.Command) -> float:
        """Seconds until a received command expires; 0 when that is not known, after a restart of the gateway."""
        with self._db.transaction() as db:
            row = db.execute("SELECT at_s, at_boot FROM command WHERE id = ?", (command.id,)).fetchone()
        age_s = None if row is None else self._clock.age_s(Instant(row[0], row[1]))
        return 0.0 if age_s is None else command.expires_in_s - age_s

    def tell(self, command_id: str, detail: dict[str, Any]) -> None:
        """Return when it is on disk that the act has come this far; the server is told as of any result."""
        result = {"id": command_id, "state": "running", "detail": detail}
        with self._db.transaction() as db:
            insert(db, [Entry("results", result, self._clock.now())])

    def finish(self, command_id: str, outcome: Outcome) -> None:
        """Store the result and what it read, and spool both, in one transaction."""
        result = {"id": command_id, "state": outcome.state, "detail": outcome.detail}
        with self._db.transaction() as db:
            db.execute(
                "UPDATE command SET state = 'done', result = ? WHERE id = ?", (json.dumps(result), command_id)
            )
            insert(db, [*outcome.entries, Entry("results", result, self._clock.now())])
            db.execute(
                "DELETE FROM command WHERE state = 'done' AND seq <= (SELECT max(seq) FROM command) - ?",
                (MAX_KEPT,),
            )

    def recover(
        self, answer: Callable[[wire.Command], Outcome] | None = None, but: Collection[str] = ()
    ) -> Sequence[str]:
        """Answer what a former run began and did not end; return the ids.

        `answer` gives the outcome (otherwise "not now: interrupted"); `but` are those that are at work.
        """
        with self._db.transaction() as db:
            rows = db.execute("SELECT id, body FROM command WHERE state = 'started' ORDER BY seq").fetchall()
        left = [(command_id, body) for command_id, body in rows if command_id not in but]
        for command_id, body in left:
            self.finish(command_id, answer(_command(body)) if answer else INTERRUPTED)
        return [command_id for command_id, _ in left]


def _command(text: str) -> wire.Command:
    raw = json.loads(text)
    return wire.Command(**{**raw, "imei": tuple(raw["imei"])})
