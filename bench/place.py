"""A database of its own kind, an application on it, and the company that it serves: what measurements begin with."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session


@contextmanager
def database(name: str, folder: Path) -> Iterator[str | None]:
    """Its URL, with all tables; None where the machine has no such database."""
    from app.kernel.db import Base
    from app.tables import load_tables
    from tests.support import postgres, tools

    def tables(url: str) -> None:
        load_tables()
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        Base.metadata.create_all(engine)
        engine.dispose()

    if name == "sqlite":
        url = f"sqlite:///{folder / 'bench.db'}"
        tables(url)
        yield url
        return
    if tools.find("postgresql") is None:
        yield None
        return
    postgres.begin_run(None)
    try:
        with postgres.database() as url:
            tables(url)
            yield url
    finally:
        postgres.end_run()


def application(url: str, folder: Path, now: dt.datetime) -> Flask:
    from app import create_app
    from app.bootstrap import build_runtime
    from app.kernel.clock import FixedClock
    from app.settings import load_settings

    environ = {"BUTLER_ENV": "test", "DATABASE_URL": url, "BUTLER_VAR_DIR": str(folder / "var")}
    return create_app(build_runtime(load_settings(environ), FixedClock(now)))


def added(session: Session, row: Any) -> uuid.UUID:
    """Its id."""
    session.add(row)
    session.flush()
    found: uuid.UUID = row.id
    return found


def service_centre(session: Session, now: dt.datetime) -> uuid.UUID:
    """One, of one district."""
    from app.registry import Company, District, ServiceCentre

    stamp = {"created_at": now, "updated_at": now}
    company = added(session, Company(name="示例物业", **stamp))
    district = added(session, District(company_id=company, code="HD", name="华东", **stamp))
    return added(session, ServiceCentre(district_id=district, code="C1", name="锦绣花园", **stamp))
