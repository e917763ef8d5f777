"""The database as one stream of bytes and back: SQLite by its online backup, PostgreSQL by its own tools."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import make_url

from app.kernel.errors import Unavailable

_TABLES = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
    "postgresql": "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = %s",
}
_ANY = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
}


@dataclass(frozen=True)
class Facts:
    """What a database says of itself; `size` and `head` of the audit trail, `revision` of its tables."""

    empty: bool
    revision: str | None = None
    size: int = 0
    head: str = ""


def kind_of(url: str) -> str:
    return make_url(url).get_backend_name()


def facts_of(url: str) -> Facts:
    """Raise `Unavailable` when it cannot be asked."""
    if kind_of(url) == "sqlite":
        path = sqlite_path(url)
        if not path.exists():
            return Facts(empty=True)
        with closing(sqlite3.connect(path)) as connection:
            return _facts(connection, "sqlite")
    with _postgres(url) as connection:
        return _facts(connection, "postgresql")


def _facts(connection: Any, kind: str) -> Facts:
    def scalar(query: str, *values: str) -> Any:
        row = connection.execute(query, values).fetchone()
        return row[0] if row else None

    if not scalar(_ANY[kind]):
        return Facts(empty=True)
    there = {table for table in ("alembic_version", "audit_head") if scalar(_TABLES[kind], table)}
    revision = scalar("SELECT version_num FROM alembic_version") if "alembic_version" in there else None
    size = scalar("SELECT size FROM audit_head") if "audit_head" in there else None
    head = scalar("SELECT hash FROM audit_head") if "audit_head" in there else None
    return Facts(False, revision, size or 0, bytes(head).hex() if head else "")


def sqlite_path(url: str) -> Path:
    return Path(make_url(url).database or "")


def dump(url: str, out: BinaryIO, scratch: Path) -> Facts:
    """Write a consistent copy while the server works. `scratch`: a folder on this machine for the plain copy."""
    return _dump_sqlite(url, out, scratch) if kind_of(url) == "sqlite" else _dump_postgres(url, out)


def _dump_sqlite(url: str, out: BinaryIO, scratch: Path) -> Facts:
    copy = scratch / "copy.db"
    with closing(sqlite3.connect(sqlite_path(url))) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without neighbours
        facts = _facts(target, "sqlite")
    with copy.open("rb") as plain:
        shutil.copyfileobj(plain, out)
    copy.unlink()
    return facts


def _dump_postgres(url: str, out: BinaryIO) -> Facts:
    with _postgres(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]
        facts = _facts(connection, "postgresql")
        command = [
            tool("pg_dump"),
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
        ]
        with _running(command, url, stdout=subprocess.PIPE) as process:
            shutil.copyfileobj(process.stdout, out)
    return facts


def load(url: str, source: BinaryIO, *, replace: bool) -> None:
    """Put a dump in place, all or nothing. Raise `Unavailable` when it is not whole; the old one then stands."""
    if kind_of(url) == "sqlite":
        _load_sqlite(sqlite_path(url), source)
        return
    command = [tool("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    command += ["--clean", "--if-exists"] if replace else []
    command += [f"--dbname={_environment(url)['PGDATABASE']}"]
    with _running(command, url, stdin=subprocess.PIPE) as process:
        shutil.copyfileobj(source, process.stdin)
        process.stdin.close()


def _load_sqlite(path: Path, source: BinaryIO) -> None:
    """What stood there is kept beside it, with what was not yet written back into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.restoring")
    with fresh.open("wb") as out:
        shutil.copyfileobj(source, out)
        out.flush()
        os.fsync(out.fileno())
    with closing(sqlite3.connect(fresh)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise Unavailable("恢复出的数据库不完整 / the restored database is not whole")
    aside = path.with_name(f"{path.name}.before-restore")
    for ending in ("-shm", "-wal", ""):
        old = path.with_name(path.name + ending)
        if old.exists():
            old.replace(aside.with_name(aside.name + ending))
    fresh.replace(path)


def tool(name: str) -> str:
    """Where a tool of PostgreSQL is. Raise `Unavailable` when it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise Unavailable(
            f"找不到 {name}，请安装 postgresql-client / {name} is missing: install postgresql-client"
        )
    return found


def _environment(url: str) -> dict[str, str]:
    """Connection as libpq's own variables: a password among the arguments would be in the process list."""
    found = make_url(url)
    host = found.host or str(found.query.get("host", ""))
    values = {"PGHOST": host, "PGPORT": found.port, "PGUSER": found.username, "PGPASSWORD": found.password}
    values["PGDATABASE"] = found.database
    if "sslmode" in found.query:
        values["PGSSLMODE"] = str(found.query["sslmode"])
    return {name: str(value) for name, value in values.items() if value}


@contextmanager
def _running(command: list[str], url: str, **pipes: int) -> Iterator[Any]:
    with tempfile.TemporaryFile() as errors:
        environment: Mapping[str, str] = {**os.environ, **_environment(url)}
        process = subprocess.Popen(command, env=environment, stderr=errors, **pipes)  # type: ignore[call-overload]
        try:
            yield process
        except BrokenPipeError:  # it ended early; its own words say why
            pass
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            code = process.wait()
        if code:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise Unavailable(f"{Path(command[0]).name}: {said[-1] if said else code}")


@contextmanager
def _postgres(url: str) -> Iterator[Any]:
    import psycopg

    plain = url.replace("postgresql+psycopg://", "postgresql://")
    try:
        connection = psycopg.connect(plain)
    except psycopg.Error:
        raise Unavailable("连不上数据库 / the database does not answer") from None
    with connection:
        yield connection
