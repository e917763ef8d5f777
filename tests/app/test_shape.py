"""A database of another shape is named, with the command that mends it; it is never called busy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.kernel import schema
from app.kernel.db import begin_write, db
from app.settings import ROOT
from app.shape import fault_at_start
from tests.app.conftest import create_tables
from tests.support import postgres

HEAD = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Do = Callable[..., None]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, _sqlite_template: Path) -> Iterator[str]:
    """One of its own: what is done to its tables must not meet the next test."""
    if request.param == "postgresql":
        with postgres.database(postgres.template("app", create_tables)) as url:
            yield url
        return
    shutil.copy(_sqlite_template, tmp_path / "own.db")
    yield f"sqlite:///{tmp_path}/own.db"


@pytest.fixture
def app(make_app: Any, database_url: str) -> Flask:
    """One that nobody asked yet: a right shape is looked at once only."""
    made: Flask = make_app(database_url, fresh=True)
    return made


@pytest.fixture
def do(app: Flask) -> Do:
    def run(*statements: str) -> None:
        with app.app_context():
            session = begin_write(db.session())
            for statement in statements:
                session.execute(text(statement))
            session.commit()
            db.session.remove()

    return run


def at(revision: str) -> tuple[str, str]:
    return (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )


def ready(app: Flask) -> tuple[int, str]:
    answer = app.test_client().get("/readyz", base_url="http://127.0.0.1")
    return answer.status_code, answer.json.get("code", "")


def test_the_last_migration_is_known() -> None:
    known, head = schema._known(ROOT / "migrations" / "versions")
    assert head == HEAD
    assert len(known) == int(HEAD)


@ONE_DATABASE
def test_right(app: Flask, do: Do) -> None:
    do(*at(HEAD))
    assert (fault_at_start(app), ready(app)) == (None, (200, ""))
    do("ALTER TABLE handset DROP COLUMN supplier")
    assert ready(app) == (200, ""), "it is looked at once"


def test_a_migration_waits(app: Flask, do: Do) -> None:
    do(*at("0001"))
    assert ready(app) == (503, "schema_old")
    assert "flask --app wsgi db upgrade" in str(fault_at_start(app))
    do(f"UPDATE alembic_version SET version_num = '{HEAD}'")
    assert ready(app) == (200, ""), "mended while it runs"


def test_a_column_is_not_there(app: Flask, do: Do, client: Any) -> None:
    do(*at(HEAD), "ALTER TABLE handset DROP COLUMN supplier")
    assert "handset.supplier" in str(fault_at_start(app))
    assert ready(app) == (503, "schema_old")
    answer = client.get("/api/v1/handsets")
    assert (answer.status_code, answer.json["code"]) == (503, "schema_old")
    assert "Retry-After" not in answer.headers


@ONE_DATABASE
def test_a_newer_database_will_do(app: Flask, do: Do) -> None:
    """It is upgraded before the programs are."""
    do(*at("9999"), "ALTER TABLE handset ADD COLUMN later INTEGER")
    assert ready(app) == (200, "")


def test_an_empty_one(make_app: Any, tmp_path: Path) -> None:
    empty = make_app(f"sqlite:///{tmp_path}/empty.db", init=False, fresh=True)
    assert "db upgrade" in str(fault_at_start(empty))
    assert ready(empty) == (503, "schema_old")


def test_one_that_is_away_is_no_fault_of_shape(make_app: Any) -> None:
    away = make_app("postgresql://127.0.0.1:9/none", init=False, fresh=True)
    assert fault_at_start(away) is None
    assert ready(away) == (503, "database_unavailable")


@ONE_DATABASE
def test_the_scheduler_does_not_start(app: Flask, do: Do) -> None:
    do(*at("0001"))
    done = app.test_cli_runner().invoke(args=["scheduler", "run"])
    assert (done.exit_code, "db upgrade" in done.output) == (1, True)
