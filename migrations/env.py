"""Alembic's environment: the application's engine, every room's tables, batch mode for SQLite."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal

from alembic import context
from flask import current_app

from app.kernel.db import Base, UtcDateTime


def render_item(kind: str, item: object, _autogen: Any) -> str | Literal[False]:
    # Written as its storage type: a migration must not change when the application's types do.
    return "sa.BigInteger()" if kind == "type" and isinstance(item, UtcDateTime) else False


def run() -> None:
    if context.is_offline_mode():
        raise SystemExit("SQL without a database is not supported: the migrations look at what is there")
    given = context.config.attributes.get("connection")
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() if given is None else nullcontext(given) as plain:
        connection = plain.execution_options(butler_write=True)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
        if given is None:
            connection.commit()


run()
