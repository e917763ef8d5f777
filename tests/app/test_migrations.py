"""The migrations make exactly the tables that the code maps, can go back, and do so on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from app.kernel.db import Base, db
from tests.support import postgres

MIGRATIONS = str(Path(__file__).resolve().parents[2] / "migrations")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request, tmp_path, make_app: Callable[..., Flask]) -> Iterator[Flask]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'empty.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres.database())
        app = make_app(url, init=False)
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def _differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_up_makes_what_the_code_maps(empty_app):
    upgrade(MIGRATIONS)
    assert _differences() == []


def test_down_leaves_nothing_and_up_works_again(empty_app):
    upgrade(MIGRATIONS)
    downgrade(MIGRATIONS, revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade(MIGRATIONS)
    assert _differences() == []


def test_there_is_one_line_of_migrations():
    assert len(ScriptDirectory(MIGRATIONS).get_heads()) == 1
