"""The agent's SQLite file: one connection, one writer at a time, whole transactions only.

WAL with synchronous=FULL: a commit outlasts a power cut, not only a killed process. An executed command's id
must be on disk before the act, and a gateway on a wall socket loses power more often than it crashes.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AgentError

log = logging.getLogger("agent.spool")

VERSION = 2
_ENTRY = """
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part TEXT NOT NULL CHECK (part IN ('readings', 'unreached', 'results', 'journals', 'beats')),
    series TEXT,
    phone TEXT,
    body TEXT NOT NULL,
    size INTEGER NOT NULL,
    at_s REAL NOT NULL,
    at_boot TEXT NOT NULL,
    batch INTEGER REFERENCES batch (id)
);
CREATE INDEX entry_batch ON entry (batch, id);
CREATE INDEX entry_size ON entry (size);
CREATE INDEX entry_phone ON entry (phone, id) WHERE phone IS NOT NULL;
CREATE TABLE collected (phone TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY (phone, token)) WITHOUT ROWID;
"""
_SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batch (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);
{_ENTRY}
CREATE TABLE content (
    phone TEXT NOT NULL,
    section TEXT NOT NULL,
    tag TEXT NOT NULL,
    data BLOB NOT NULL,
    size INTEGER NOT NULL,
    came_at INTEGER NOT NULL,
    gone_at INTEGER,
    PRIMARY KEY (phone, section, tag)
) WITHOUT ROWID;
CREATE TABLE acknowledged (
    phone TEXT NOT NULL,
    section TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (phone, section)
) WITHOUT ROWID;
CREATE TABLE aside (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE seen (target TEXT PRIMARY KEY, serial TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE command (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'started', 'done')),
    at_s REAL NOT NULL,
    at_boot TEXT NOT NULL,
    result TEXT
);
"""
# SQLite cannot change a CHECK: the table is built anew. Ids go on where they were, because `content` names them.
_FROM_1 = f"""
DROP INDEX entry_batch;
DROP INDEX entry_size;
DROP INDEX entry_phone;
ALTER TABLE entry RENAME TO entry_1;
{_ENTRY}
INSERT INTO entry SELECT * FROM entry_1;
DELETE FROM sqlite_sequence WHERE name = 'entry';
UPDATE sqlite_sequence SET name = 'entry' WHERE name = 'entry_1';
DROP TABLE entry_1;
"""  # noqa: S608 - texts of this module


class SpoolError(AgentError):
    """The spool's file cannot be used."""


class Database:
    """`lock` guards the connection; `transaction()` takes it and is all or nothing."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        try:
            self._connection = _open(path)
        except _Damaged as exc:
            # An agent that refuses to start over a broken card would be blind for ever.
            log.warning("spool damaged (%s); kept as %s.broken, starting a new one", exc, path)
            _keep_broken(path)
            self._connection = _open(path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit at the end, roll back on any error. Raise `sqlite3.Error`, for example on a full disk."""
        with self.lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A commit can fail, too, and leave its transaction open; on a full disk SQLite has ended it already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self.lock:
            self._connection.close()


def _keep_broken(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(path.with_name(path.name + ".broken" + suffix))


class _Damaged(Exception):
    """The file is no SQLite database, or its pages contradict each other."""


def _open(path: Path) -> sqlite3.Connection:
    try:
        # Created with 0600 before SQLite sees it: its -wal and -shm take over the mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as exc:
        raise SpoolError(f"cannot open the spool {path}: {exc}") from exc
    try:
        _prepare(connection)
    except sqlite3.DatabaseError as exc:
        connection.close()
        if isinstance(exc, sqlite3.OperationalError):
            raise SpoolError(f"cannot use the spool {path}: {exc}") from exc
        raise _Damaged(str(exc)) from exc
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -4096")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _Damaged(str(verdict))
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    steps = {0: _SCHEMA, 1: _FROM_1}.get(version)
    if steps is None:
        raise SpoolError(f"the spool was written by another version of the agent (schema {version})")
    connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
