"""The migrations make exactly the tables that the code maps, can go back, and do so on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, Table, event, insert, inspect, text
from sqlalchemy.exc import IntegrityError

from app.compliance import rejudge
from app.kernel.db import Base, begin_write, db
from tests.app.conftest import START
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


def _put(table: str, **given: object) -> None:
    """A row of a table as it is now; what is not given and must be is empty."""
    found = Table(table, MetaData(), autoload_with=db.engine, resolve_fks=False)
    empty = {int: 0, str: "", dict: {}, bytes: b""}
    row = {
        c.name: empty[c.type.python_type]
        for c in found.columns
        if not (c.nullable or c.server_default is not None or c.name in given or c.name == "id")
    }
    with db.engine.begin() as connection:
        connection.execute(insert(found).values(**row, **given))


def _said(table: str) -> list[tuple[object, ...]]:
    with db.engine.connect() as connection:
        order = text(f"SELECT status, findings, policy_version FROM {table} ORDER BY policy_version")
        return [tuple(row) for row in connection.execute(order)]


def test_verdicts_from_before_there_was_grace_go_up_are_judged_and_come_down(empty_app):
    upgrade(MIGRATIONS, revision="0007")
    company, district, centre, handset = (
        uuid.uuid4().hex if db.engine.name == "sqlite" else uuid.uuid4() for _ in range(4)
    )
    _put("company", id=company, name="C")
    _put("district", id=district, company_id=company, code="D")
    _put("service_centre", id=centre, district_id=district, code="S")
    _put("handset", id=handset, centre_id=centre, serial="S1", asset_tag="A1", specification={})
    old = '[{"code":"app_forbidden","subject":"a.b","status":"fail","evidence":{},"first_seen":1}]'
    verdict = {
        "handset_id": handset,
        "centre_id": centre,
        "status": "fail",
        "findings": old,
        "policy_version": 1,
    }
    _put("compliance_verdict", **verdict)
    _put("compliance_change", at=1, **verdict)
    upgrade(MIGRATIONS)
    assert _said("compliance_verdict") == _said("compliance_change") == [("fail", old, 1)]
    session = begin_write(db.session())
    assert rejudge(session, empty_app.extensions["butler"].policies, START) == 1
    session.commit()
    [(status, findings, _)] = _said("compliance_verdict")
    assert (status, "never_read" in str(findings)) == ("unknown", True)
    assert [row[0] for row in _said("compliance_change")] == ["fail", "unknown"]
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE compliance_verdict SET status = 'grace'"))
    downgrade(MIGRATIONS, revision="0007")
    assert [row[0] for row in _said("compliance_verdict")] == ["unknown"], (
        "it never said of grace that it passes"
    )
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("UPDATE compliance_verdict SET status = 'grace'"))
    upgrade(MIGRATIONS)
    assert _differences() == []
    assert [row[0] for row in _said("compliance_change")] == ["fail", "unknown"]


def _transfer() -> tuple[object, dict[str, object]]:
    """A running transfer with two steps: the id of its new phone, and what another of the same phones is given."""
    company, district, centre, old, new, transfer = (
        uuid.uuid4().hex if db.engine.name == "sqlite" else uuid.uuid4() for _ in range(6)
    )
    _put("company", id=company, name="C")
    _put("district", id=district, company_id=company, code="D")
    _put("service_centre", id=centre, district_id=district, code="S")
    for handset, name in ((old, "1"), (new, "2")):
        _put(
            "handset", id=handset, centre_id=centre, serial=f"S{name}", asset_tag=f"A{name}", specification={}
        )
    given: dict[str, object] = {"centre_id": centre, "old_id": old, "new_id": new, "parts": []}
    _put("transfer", id=transfer, state="running", copy="kept", **given)
    for _ in range(2):
        step = uuid.uuid4().hex if db.engine.name == "sqlite" else uuid.uuid4()
        _put("transfer_step", id=step, centre_id=centre, transfer_id=transfer)
    return new, given


def test_transfers_with_all_that_hangs_on_them_go_up_can_be_stopped_and_come_down(empty_app):
    upgrade(MIGRATIONS, revision="0008")
    new, given = _transfer()

    def now(state: str | None = None) -> list[tuple[object, ...]]:
        with db.engine.begin() as connection:
            if state:
                connection.execute(text(f"UPDATE transfer SET state = '{state}'"))
            steps = "(SELECT count(*) FROM transfer_step s WHERE s.transfer_id = t.id)"
            return [
                tuple(row) for row in connection.execute(text(f"SELECT state, copy, {steps} FROM transfer t"))
            ]

    with pytest.raises(IntegrityError):
        now("stopping")
    upgrade(MIGRATIONS)
    assert _differences() == []
    assert now() == [("running", "kept", 2)]
    assert now("stopping") == [("stopping", "kept", 2)]
    with pytest.raises(IntegrityError):
        _put("transfer", id=new, state="stopped", copy="none", **given)
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM transfer"))
    downgrade(MIGRATIONS, revision="0008")
    assert now() == [("failed", "kept", 2)]
    with pytest.raises(IntegrityError):
        now("stopped")
    upgrade(MIGRATIONS)
    assert _differences() == []
    assert now() == [("failed", "kept", 2)]


class _Killed(Exception):
    """In the middle of a migration."""


def _in_it() -> list[Any]:
    """The version, and what of transfers there is."""
    with db.engine.connect() as connection:
        rows = [
            connection.execute(text(f"SELECT * FROM {name}")).all()
            for name in ("alembic_version", "transfer", "transfer_step")
        ]
    found = inspect(db.engine)
    names = [sorted(str(one["name"]) for one in found.get_indexes("transfer"))]
    checks = [sorted((str(c["name"]), c["sqltext"]) for c in found.get_check_constraints("transfer"))]
    return [rows, names, checks]


def test_transfers_lose_nothing_where_a_migration_is_ended_at_any_of_its_commands(empty_app):
    """SQLite makes the table anew: a server killed between that and its rows would have lost them all."""
    upgrade(MIGRATIONS, revision="0008")
    _transfer()
    before, left = _in_it(), 0

    def kill(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise _Killed

    for commands in range(1, 100):
        left = commands
        event.listen(db.engine, "after_cursor_execute", kill)
        try:
            upgrade(MIGRATIONS, revision="0009")
        except _Killed:
            db.engine.dispose()
            assert _in_it() == before
            continue
        finally:
            event.remove(db.engine, "after_cursor_execute", kill)
        break
    assert commands > 10
    assert _in_it()[0][1:] != before[0][1:], "it has columns more"
    assert _differences() == []
