"""What waits to be reported, on disk: readings, phones that were not reached, results of commands, what phones wrote
down themselves, and the agent's own beats.

Bounded: when it is full, readings between two others of the same phone and boot go first. They prove nothing
that those two do not: one boot id is one run. Results of commands and journals are never dropped: a phone forgets its
journal once it is here.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from agent.database import Database
from agent.instant import Instant

log = logging.getLogger("agent.spool")

Part = Literal["readings", "unreached", "results", "journals", "beats"]


@dataclass(frozen=True)
class Entry:
    """One element of a check-in, without its age. `body` is its JSON object as `agent/wire.py` types it.

    `series` names entries of which those between two others may be dropped first; None: not so.
    `contents` are the canonical JSON texts of a reading's sections, for those whose tag is in the body.
    `journals` came with this reading and are written with it or not at all; `collected` names the files of the
    phone that may be removed there from then on (None: they were not read).
    """

    part: Part
    body: dict[str, Any]
    at: Instant
    series: str | None = None
    contents: dict[str, bytes] = field(default_factory=dict)
    journals: tuple[Entry, ...] = ()
    collected: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Limits:
    rows: int = 50_000
    bytes: int = 64 * 2**20


@dataclass
class _Ticket:
    entries: Sequence[Entry]
    done: bool = False
    error: sqlite3.Error | None = None


class Spool:
    """Entries in, by any thread. They leave through `agent/batches.py`."""

    def __init__(self, database: Database, limits: Limits | None = None) -> None:
        self.database = database
        self._limits = limits or Limits()
        self._waiting: list[_Ticket] = []
        self._waiting_lock = threading.Lock()
        self._room = _Room(0, 0)
        self.dropped = 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Return when the entries are on disk. Raise `sqlite3.Error`: then none of them is.

        Threads that come together share one commit: each commit waits for the disk.
        """
        ticket = _Ticket(entries)
        with self._waiting_lock:
            self._waiting.append(ticket)
        with self.database.lock:
            if not ticket.done:
                self._write_waiting()
        if ticket.error is not None:
            raise ticket.error

    def replace(self, entry: Entry) -> None:
        """Add an entry in place of those of its series that no batch holds yet. Raise `sqlite3.Error`."""
        with self.database.transaction() as db:
            db.execute(
                "DELETE FROM entry WHERE part = ? AND series = ? AND batch IS NULL",
                (entry.part, entry.series),
            )
            insert(db, [entry])

    def _write_waiting(self) -> None:
        with self._waiting_lock:
            tickets, self._waiting = self._waiting, []
        try:
            with self.database.transaction() as db:
                self.dropped += self._write(db, [entry for ticket in tickets for entry in ticket.entries])
        except sqlite3.Error as exc:
            # Nothing of it holds, not even what was measured in between.
            self._room = _Room(0, 0)
            for ticket in tickets:
                ticket.error = exc
        finally:
            for ticket in tickets:
                ticket.done = True

    def _write(self, db: sqlite3.Connection, entries: Sequence[Entry]) -> int:
        """Insert entries, make room if there may be too little, and return how many went for it."""
        size = insert(db, entries)
        rows = sum(1 + len(entry.journals) for entry in entries)
        self._room = _Room(self._room.rows - rows, self._room.bytes - size)
        if min(self._room) >= 0:
            return 0
        dropped = _make_room(db, self._limits)
        self._room = _room_left(db, self._limits)
        return dropped

    def count(self) -> int:
        """Entries that wait, those of a cut batch included."""
        with self.database.transaction() as db:
            return int(db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def serials(self) -> dict[str, str]:
        """Serial of the phone that was last read at each target."""
        with self.database.transaction() as db:
            return dict(db.execute("SELECT target, serial FROM seen").fetchall())

    def collected(self, serial: str) -> list[str]:
        """The files of this phone's journal that are on this disk, so that the phone may remove them."""
        with self.database.transaction() as db:
            rows = db.execute("SELECT token FROM collected WHERE phone = ? ORDER BY token", (serial,))
            return [token for (token,) in rows]


def insert(db: sqlite3.Connection, entries: Iterable[Entry]) -> int:
    """Write entries within the caller's transaction; return the bytes that they take."""
    taken = 0
    for entry in entries:
        text = json.dumps(entry.body, separators=(",", ":"), ensure_ascii=False)
        phone = entry.body["phone"] if entry.part == "readings" else None
        size = len(text.encode())
        row = db.execute(
            "INSERT INTO entry (part, series, phone, body, size, at_s, at_boot) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.part, entry.series, phone, text, size, entry.at.seconds, entry.at.boot),
        ).lastrowid
        taken += size
        if phone is not None:
            db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (entry.body["target"], phone))
            taken += _keep_contents(db, row, phone, entry)
            if entry.collected is not None:
                db.execute("DELETE FROM collected WHERE phone = ?", (phone,))
                db.executemany("INSERT INTO collected VALUES (?, ?)", {(phone, t) for t in entry.collected})
        if entry.journals:
            taken += insert(db, entry.journals)
    return taken


def _keep_contents(db: sqlite3.Connection, row: int | None, phone: str, entry: Entry) -> int:
    """Store each section's text once per tag, with the entries between which the phone had it; return their bytes.

    `came_at` is the first entry with that tag, `gone_at` the first later one with another.
    """
    taken = 0
    latest = dict(
        db.execute(
            "SELECT section, tag FROM content WHERE phone = ? AND gone_at IS NULL", (phone,)
        ).fetchall()
    )
    for section, tag in entry.body["tags"].items():
        if latest.get(section) == tag:
            continue
        db.execute(
            "UPDATE content SET gone_at = ? WHERE phone = ? AND section = ? AND gone_at IS NULL",
            (row, phone, section),
        )
        db.execute(
            "INSERT INTO content VALUES (?, ?, ?, ?, ?, ?, NULL) "
            "ON CONFLICT (phone, section, tag) DO UPDATE SET gone_at = NULL",
            (phone, section, tag, packed := zlib.compress(entry.contents[section]), len(packed), row),
        )
        taken += len(packed)
    return taken


def forget_contents(db: sqlite3.Connection) -> None:
    """Delete section texts that no waiting reading needs; a phone's latest stays: the server may want it."""
    db.execute(
        "DELETE FROM content WHERE gone_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry "
        "WHERE entry.phone = content.phone AND entry.id >= came_at AND entry.id < gone_at)"
    )


# Readings and failed probes between two of their series that no cut batch holds, oldest first; then, when
# those do not suffice, the oldest of whatever may go.
_BETWEEN = """
SELECT id FROM (
    SELECT id, batch, lag(id) OVER w AS before, lead(id) OVER w AS after
    FROM entry WHERE series IS NOT NULL WINDOW w AS (PARTITION BY part, series ORDER BY id)
) WHERE batch IS NULL AND before IS NOT NULL AND after IS NOT NULL ORDER BY id LIMIT ?
"""
_OLDEST = (
    "SELECT id FROM entry WHERE batch IS NULL AND part NOT IN ('results', 'journals') ORDER BY id LIMIT ?"
)


def _make_room(db: sqlite3.Connection, limits: Limits) -> int:
    """Drop entries until a tenth is free again; return how many went."""
    rows, size = _measure(db)
    if rows <= limits.rows and size <= limits.bytes:
        return 0
    dropped = 0
    for query in (_BETWEEN, _OLDEST):
        while (excess := rows - limits.rows * 9 // 10) > 0 or size > limits.bytes * 9 // 10:
            # By bytes in small steps: how much a reading frees depends on which section texts go with it.
            gone = db.execute(query, (max(excess, rows // 50, 1),)).fetchall()
            if not gone:
                break
            db.executemany("DELETE FROM entry WHERE id = ?", gone)
            forget_contents(db)
            dropped += len(gone)
            rows, size = _measure(db)
    if dropped:
        log.warning("spool full: dropped=%d entries, oldest first, no results, no journals", dropped)
    return dropped


class _Room(NamedTuple):
    """How much may come before the spool is measured again: a measurement reads all of it."""

    rows: int
    bytes: int


_MEASURE = _Room(1_000, 2**20)
"""The longest step between two measurements: results of commands are written past `Spool.add`."""


def _room_left(db: sqlite3.Connection, limits: Limits) -> _Room:
    rows, size = _measure(db)
    return _Room(min(limits.rows - rows, _MEASURE.rows), min(limits.bytes - size, _MEASURE.bytes))


def _measure(db: sqlite3.Connection) -> tuple[int, int]:
    rows, size = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM entry").fetchone()
    contents = db.execute("SELECT coalesce(sum(size), 0) FROM content").fetchone()[0]
    return rows, size + contents
