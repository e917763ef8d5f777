"""The database: base class, column types, write transactions. SQLite by default, PostgreSQL by another URL."""

from __future__ import annotations

import datetime as dt
import sqlite3
import uuid
from typing import Any, ClassVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Connection, Dialect, Engine, MetaData, Uuid, event
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from app.kernel.ids import new_id

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
BUSY_TIMEOUT_MS = 15_000


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An instant as whole microseconds since 1970 UTC, the same on every database.

    SQLite drops a datetime's offset without a word, so no native type is used; a naive value raises `ValueError`.
    """

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        return dt.datetime

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else from_us(value)


def to_us(instant: dt.datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no place in the database")
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> dt.datetime:
    return _EPOCH + us * _MICROSECOND


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {dt.datetime: UtcDateTime(), uuid.UUID: Uuid()}


class Identified:
    """A row that the outside can name."""

    id: Mapped[uuid.UUID] = mapped_column(Uuid(), primary_key=True, default=new_id)


class Versioned:
    """A row that people edit: updates name the version they saw (`If-Match`), a stale one is refused."""

    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)

_WRITE = "butler_write"
_PATIENCE = "butler_patience_ms"


def begin_write(session: Session, *, patience_ms: int = BUSY_TIMEOUT_MS) -> Session:
    """Open the session's transaction as a writer; call before the first query.

    On SQLite it is `BEGIN IMMEDIATE`: a reader that turns writer half-way loses to any other writer at once
    ("database is locked"), while a writer from the start waits its turn: at most `patience_ms`, then it raises
    `OperationalError`.
    """
    session.connection(execution_options={_WRITE: True, _PATIENCE: patience_ms})
    return session


def insert_into(session: Session, table: Any) -> Any:
    """The database's own INSERT, the one with ON CONFLICT; SQLite and PostgreSQL know the same clauses."""
    return (pg_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert)(table)


def prepare_engine(engine: Engine) -> None:
    """Hang the SQLite settings on an engine; does nothing on other databases."""
    if engine.dialect.name != "sqlite" or event.contains(engine, "begin", _sqlite_begin):
        return
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)


def _sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would otherwise begin transactions by its own ideas, deferred, and only before some statements.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_WRITE, False):
        connection.exec_driver_sql("BEGIN")
        return
    patience = options.get(_PATIENCE, BUSY_TIMEOUT_MS)
    if patience == BUSY_TIMEOUT_MS:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(patience)}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
