"""Batches of the spool: cut once, sent under one id until the server has answered, then gone.

What a batch holds never changes between tries; only ages do, they are counted anew at each sending. Whatever
the answer brings (commands, wanted sections, the installation's key) is stored in the transaction that
deletes the batch, so that a kill at any point either repeats the whole exchange or none of it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from agent import wire
from agent.inbox import receive
from agent.instant import Instant, SiteClock
from agent.spool import Part, Spool, forget_contents

log = logging.getLogger("agent.report")

MAX_ENTRIES = wire.MAX_READINGS
MAX_BYTES = 2 * 2**20
"""Of JSON before packing: far below the server's limits, so that the agent itself stays small."""
MAX_ASIDE = 20
HMAC_KEY = "hmac_key"


@dataclass(frozen=True)
class Batch:
    """`row` is None for a check-in that carries nothing; `more`: others wait behind it."""

    uuid: str
    row: int | None
    size: int
    more: bool = False


class Batches:
    """The spool's way out. Used by one thread."""

    def __init__(self, spool: Spool, clock: SiteClock, *, max_entries: int = MAX_ENTRIES) -> None:
        self._db = spool.database
        self._clock = clock
        self._max_entries = max_entries

    def next(self) -> Batch:
        """The batch that was cut and not yet answered, else a new one, which may be empty."""
        with self._db.transaction() as db:
            row = db.execute("SELECT id, uuid FROM batch ORDER BY id LIMIT 1").fetchone()
            if row is None:
                wanted = self._choose(db)
                if not wanted:
                    return Batch(str(uuid.uuid4()), None, 0)
                row = _cut(db, wanted)
            (size,) = db.execute("SELECT count(*) FROM entry WHERE batch = ?", (row[0],)).fetchone()
            more = db.execute("SELECT 1 FROM entry WHERE batch IS NOT ? LIMIT 1", (row[0],)).fetchone()
            return Batch(row[1], row[0], size, more is not None)

    def body(self, batch: Batch, agent: wire.AgentState) -> bytes:
        """The check-in's JSON as it is to be sent now."""
        parts: dict[str, list[str]] = {part: [] for part in get_args(Part)}
        with self._db.transaction() as db:
            (total,) = db.execute("SELECT count(*) FROM entry").fetchone()
            known = _Known(db)
            for part, body, at_s, at_boot in db.execute(
                "SELECT part, body, at_s, at_boot FROM entry WHERE batch = ? ORDER BY id", (batch.row,)
            ).fetchall():
                age = self._clock.age_s(Instant(at_s, at_boot))
                parts[part].append(_with_age(body, age, known.sections(body) if part == "readings" else ()))
        state = {**agent, "spooled": total - batch.size}
        lists = ",".join(f'"{name}":[{",".join(texts)}]' for name, texts in parts.items())
        head = f'"schema":{wire.SCHEMA},"batch":"{batch.uuid}","agent":{json.dumps(state)}'
        return f"{{{head},{lists}}}".encode()

    def acknowledge(self, batch: Batch, answer: wire.CheckinAnswer, commands: Iterable[wire.Command]) -> None:
        """The server has this batch: drop it, and keep what the answer brought."""
        with self._db.transaction() as db:
            for phone, section, tag in _tags(db, batch):
                db.execute("INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?)", (phone, section, tag))
            for wanted in answer["want"]:
                db.executemany(
                    "DELETE FROM acknowledged WHERE phone = ? AND section = ?",
                    [(wanted["phone"], section) for section in wanted["sections"]],
                )
            _delete(db, batch)
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (HMAC_KEY, answer["hmac_key"]))
            receive(db, commands, self._clock.now())

    def halve(self, batch: Batch) -> bool:
        """Make two batches of one that was too large; False when it holds a single entry."""
        if batch.size < 2:
            return False
        with self._db.transaction() as db:
            ids = [r[0] for r in db.execute("SELECT id FROM entry WHERE batch = ? ORDER BY id", (batch.row,))]
            for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                _cut(db, half)
            db.execute("DELETE FROM batch WHERE id = ?", (batch.row,))
        return True

    def set_aside(self, batch: Batch, why: str) -> None:
        """Take a batch that the server cannot read out of the way; a person finds the last `MAX_ASIDE`."""
        with self._db.transaction() as db:
            rows = db.execute(
                "SELECT part, body, at_s, at_boot FROM entry WHERE batch = ? ORDER BY id", (batch.row,)
            ).fetchall()
            kept = [{"part": p, "body": json.loads(b), "at_s": s, "at_boot": boot} for p, b, s, boot in rows]
            db.execute(
                "INSERT INTO aside (uuid, why, body) VALUES (?, ?, ?)",
                (batch.uuid, why, json.dumps(kept, ensure_ascii=False)),
            )
            db.execute(
                "DELETE FROM aside WHERE id <= (SELECT max(id) FROM aside) - ?",
                (MAX_ASIDE,),
            )
            _delete(db, batch)

    def hmac_key(self) -> bytes | None:
        """The installation's key for names of accounts, as the server last gave it."""
        with self._db.transaction() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (HMAC_KEY,)).fetchone()
        return wire.unb64(row[0], 32) if row else None

    def _choose(self, db: sqlite3.Connection) -> list[int]:
        """Ids of the next batch's entries: results first, someone waits for them; then the oldest."""
        known = _Known(db)
        ids: list[int] = []
        size = 0
        for entry_id, part, body, entry_size in db.execute(
            "SELECT id, part, body, size FROM entry WHERE batch IS NULL "
            "ORDER BY part <> 'results', id LIMIT ?",
            (self._max_entries,),
        ):
            size += entry_size
            if part == "readings":
                size += sum(len(text) for _, text in known.sections(body))
            if ids and size > MAX_BYTES:
                break
            ids.append(entry_id)
        return ids


class _Known:
    """Which section texts the server has, as the readings of one batch are gone through in their order."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._tags: dict[tuple[str, str], str] = {}

    def sections(self, body: str) -> list[tuple[str, str]]:
        """Name and JSON text of each section of this reading that the server lacks."""
        reading = json.loads(body)
        phone = reading["phone"]
        acknowledged = dict(
            self._db.execute("SELECT section, tag FROM acknowledged WHERE phone = ?", (phone,)).fetchall()
        )
        found = []
        for section, tag in reading["tags"].items():
            if self._tags.get((phone, section), acknowledged.get(section)) == tag:
                continue
            self._tags[phone, section] = tag
            (data,) = self._db.execute(
                "SELECT data FROM content WHERE phone = ? AND section = ? AND tag = ?", (phone, section, tag)
            ).fetchone()
            found.append((section, zlib.decompress(data).decode()))
        return found


def _with_age(body: str, age_s: float | None, sections: Sequence[tuple[str, str]]) -> str:
    """An entry as it travels. The stored texts are JSON already; parsing all package lists would cost."""
    age = "null" if age_s is None else f"{age_s:.3f}"
    inner = ",".join(f'"{name}":{text}' for name, text in sections)
    data = f',"sections":{{{inner}}}' if sections else ""
    return f'{body[:-1]},"age_s":{age}{data}}}'


def _cut(db: sqlite3.Connection, ids: Sequence[int]) -> tuple[int, str]:
    name = str(uuid.uuid4())
    row = db.execute("INSERT INTO batch (uuid) VALUES (?)", (name,)).lastrowid
    assert row is not None
    db.executemany("UPDATE entry SET batch = ? WHERE id = ?", [(row, i) for i in ids])
    return row, name


def _delete(db: sqlite3.Connection, batch: Batch) -> None:
    db.execute("DELETE FROM entry WHERE batch = ?", (batch.row,))
    db.execute("DELETE FROM batch WHERE id = ?", (batch.row,))
    forget_contents(db)


def _tags(db: sqlite3.Connection, batch: Batch) -> list[tuple[str, str, str]]:
    """Phone, section and tag of every section that the batch's readings name, in their order."""
    found = []
    for (body,) in db.execute(
        "SELECT body FROM entry WHERE batch = ? AND part = 'readings' ORDER BY id", (batch.row,)
    ):
        reading = json.loads(body)
        found += [(reading["phone"], section, tag) for section, tag in reading["tags"].items()]
    return found
