"""A real, throw-away PostgreSQL for the tests: one server a pytest run, as many databases as tests ask for.

The first test that needs it starts it; xdist's workers share it. It listens on a unix socket in a private
directory only, so runs beside each other never meet on a port. `postgres_server.py` keeps it and ends it
when pytest itself ends, however that happens.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support import tools

# Not BUTLER_…: the server refuses such names unless they are its own settings.
RUN_VARIABLE = "PYTEST_SHARED_SERVER"
USER = "butler"
_ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0
_THROW_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
"""
_STOP_S = 60.0


@dataclass(frozen=True)
class Server:
    """A running server. URLs are `postgresql://butler@/NAME?host=SOCKET_DIRECTORY`."""

    directory: str

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.directory}"


def begin_run(place: Path | None) -> None:
    """Called once by pytest's own process: makes the directory that all workers share, in `place` if given."""
    directory = tempfile.mkdtemp(prefix="butler-pg-", dir=place)
    # The server's user must get through to its data directory below.
    Path(directory).chmod(0o755)
    os.environ[RUN_VARIABLE] = f"{os.getpid()}:{directory}"


def end_run() -> None:
    """Stops the server if one was started, and removes what it left."""
    _, directory = _run()
    state = directory / "server.json"
    if state.exists():
        # The keeper removes the directory.
        os.kill(int(json.loads(state.read_text())["keeper"]), signal.SIGTERM)
        _wait(lambda: not state.exists(), _STOP_S, "PostgreSQL did not stop")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    del os.environ[RUN_VARIABLE]


def server() -> Server:
    """The run's server, started now if need be. Skips where the machine has no PostgreSQL (in CI: fails)."""
    binaries = tools.need("postgresql").parent
    controller, directory = _run()
    with _locked("start"):
        if not (directory / "server.json").exists():
            _start(binaries, controller, directory)
    return Server(str(directory))


@contextmanager
def database(template: str | None = None) -> Iterator[str]:
    """The URL of a new database, a copy of `template` if given; dropped at the end even when in use."""
    running = server()
    name = f"t_{uuid.uuid4().hex[:16]}"
    with _admin(running) as connection:
        _create(connection, name, template)
    try:
        yield running.url(name)
    finally:
        with _admin(running) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Reused:
    """One database for test after test, emptied between. A context.

    It keeps its connection, with a prepared question which tables hold something: to connect and to plan that anew
    takes longer than most tests. Its tables are those that it had at first.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> Reused:
        self._connection = psycopg.connect(self.url, autocommit=True)
        # No triggers, so no foreign keys: the order does not matter.
        self._connection.execute("SET session_replication_role = replica")
        rows = self._connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        self._filled = " UNION ALL ".join(f"SELECT '{n}' WHERE EXISTS (SELECT 1 FROM {n})" for (n,) in rows)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._connection.close()

    def empty(self) -> None:
        """Delete every row. Whoever is in the middle of something there is thrown out; who is idle may stay."""
        self._connection.execute(_THROW_OUT)
        filled = [name for (name,) in self._connection.execute(self._filled.encode(), prepare=True)]
        if filled:
            # TRUNCATE would make new files for each table.
            self._connection.execute(
                "; ".join(f"DELETE FROM {name}" for name in filled).encode(), prepare=False
            )


def template(key: str, build: Callable[[str], None]) -> str:
    """The name of the template database `key`, built once a run by `build(url)`.

    `build` must leave no connection open: PostgreSQL copies only a database that nobody uses.
    """
    running = server()
    name = f"template_{key}"
    with _locked(name), _admin(running) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            # Built under another name: a build that fails half way must not be taken for the template.
            draft = f"draft_{uuid.uuid4().hex[:12]}"
            _create(connection, draft, None)
            build(running.url(draft))
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
    return name


def _create(connection: psycopg.Connection, name: str, template: str | None) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    # template0, not template1: the former never has somebody connected.
    parts = (sql.Identifier(name), sql.Identifier(template or "template0"))
    connection.execute(statement.format(*parts))


def _admin(running: Server) -> psycopg.Connection:
    return psycopg.connect(running.url("postgres"), autocommit=True)


def _run() -> tuple[int, Path]:
    value = os.environ.get(RUN_VARIABLE)
    if value is None:
        raise RuntimeError("tests.support.plugin is not loaded: run pytest from the repository's root")
    pid, directory = value.split(":", 1)
    return int(pid), Path(directory)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    with (_run()[1] / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(binaries: Path, controller: int, directory: Path) -> None:
    log = directory / "keeper.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.support.postgres_server"]
        keeper = subprocess.Popen(
            [*command, str(binaries), str(controller), str(directory)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A Ctrl-C meant for pytest must not end the server before the tests have closed their databases.
            start_new_session=True,
        )

    def ready() -> bool:
        if keeper.poll() is not None:
            pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}", pytrace=False)
        return (directory / "server.json").exists()

    _wait(ready, _START_S, "PostgreSQL did not start")
    # The keeper outlives this worker on purpose; without this, Popen warns that it still runs.
    keeper.returncode = 0


def _wait(done: Callable[[], bool], limit_s: float, complaint: str) -> None:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} within {limit_s:.0f} s")
        time.sleep(0.02)
