"""An application on a real database, SQLite and PostgreSQL alike. Each test finds an empty database of its own.

To build an application, or a database, costs more than most tests: both are built once a worker, and emptied between.
"""

from __future__ import annotations

import copy
import datetime as dt
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app import bootstrap, create_app
from app.bootstrap import build_runtime, flask_config
from app.kernel.clock import FixedClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.logs import configure_logs
from app.people import make_token, password_service
from app.people.model import RoleGrant, User
from app.policy import PolicyFiles
from app.registry.model import Company, District, Employee, Grid, Post, ServiceCentre
from app.runtime import EXTENSION
from app.settings import ROOT, load_settings
from app.tables import load_tables
from tests.support import postgres

START = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
BASE_URL = "http://127.0.0.1"


def create_tables(url: str) -> None:
    load_tables()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    Base.metadata.create_all(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _sqlite_file() -> Iterator[Path]:
    """In memory where the machine has such a place: each commit waits for the disk otherwise."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        dir=memory if memory.is_dir() else None, prefix="butler-test-"
    ) as folder:
        yield Path(folder) / "butler.db"


@pytest.fixture(scope="session")
def _postgres() -> Iterator[postgres.Reused]:
    with postgres.database(postgres.template("app", create_tables)) as url, postgres.Reused(url) as reused:
        yield reused


@pytest.fixture
def sqlite_url(_sqlite_file: Path, _sqlite_template: Path) -> str:
    """An empty SQLite with all tables, for what does not depend on the database. Always of one name, so that the
    application that was built for it serves again."""
    for old in _sqlite_file.parent.glob("butler.db*"):
        old.unlink()
    shutil.copy(_sqlite_template, _sqlite_file)
    return f"sqlite:///{_sqlite_file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database with all tables; tests that use it run on both kinds."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    reused: postgres.Reused = request.getfixturevalue("_postgres")
    reused.empty()
    return reused.url


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For a test whose statements others send to both databases already."""


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters: how long a hash takes is the library's business."""
    quick = partial(PasswordHasher, time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(password_service, "PasswordHasher", quick)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture(scope="session")
def _built() -> dict[tuple[object, ...], Flask]:
    """Applications by their database and what else is looked at while one is built."""
    return {}


@pytest.fixture(scope="session")
def _policy_files() -> PolicyFiles:
    """The product's own, read and checked once a worker: to parse them takes longer than most tests."""
    return PolicyFiles(ROOT / "policies")


@pytest.fixture(autouse=True)
def _policies_read_once(monkeypatch: pytest.MonkeyPatch, _policy_files: PolicyFiles) -> None:
    def read(directory: Path) -> PolicyFiles:
        if directory != ROOT / "policies":
            return PolicyFiles(directory)
        own = copy.copy(_policy_files)
        own._policies, own._overlaid = copy.deepcopy(_policy_files._policies), {}
        return own

    monkeypatch.setattr(bootstrap, "PolicyFiles", read)


@pytest.fixture
def make_app(
    tmp_path: Path, clock: FixedClock, _built: dict[tuple[object, ...], Flask]
) -> Iterator[Callable[..., Flask]]:
    """`make_app(url, **settings)`: an application with keys of its own, closed after the test.

    One that was built before serves again, with this test's settings, keys and clock. `fresh=True`: one that no other
    test has; `routes="name"`: one that only tests of that name have, which give it more routes.
    """
    made: list[Flask] = []
    settings_seen: list[dict[str, str]] = []

    def make(url: str, *, init: bool = True, fresh: bool = False, routes: str = "", **environ: str) -> Flask:
        settings = load_settings(
            {"BUTLER_ENV": "test", "DATABASE_URL": url, "BUTLER_VAR_DIR": str(tmp_path / "var"), **environ}
        )
        runtime = build_runtime(settings, clock)
        if environ not in settings_seen:
            settings_seen.append(environ)
        # Two of one test with different settings are two, for both may be in use.
        key = (url, routes, settings.trusted_proxies, settings_seen.index(environ))
        app = None if fresh else _built.get(key)
        if app is None:
            app = create_app(runtime)
            if not fresh:
                _built[key] = app
        else:
            configure_logs(settings.log_level)
            settings.var_dir.mkdir(parents=True, exist_ok=True)
            app.config.from_mapping(flask_config(settings))
            app.extensions[EXTENSION] = runtime
            app.test_client_class = None
        app.testing = False  # errors become answers, as for a real caller
        made.append(app)
        if not init:
            return app
        with app.app_context():
            session = begin_write(db.session())
            initialise(session, KeyStore(settings.key_dir, may_create=True), clock.now())
            session.commit()
            db.session.remove()
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                # Not kept for the next test: two that remember where they wrote last change the order of rows.
                engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask], database_url: str) -> Flask:
    return make_app(database_url)


@pytest.fixture
def session(app: Flask, request: pytest.FixtureRequest) -> Iterator[Session]:
    """A writing session inside an application context; commit it yourself where others must see it."""
    if "org" in request.fixturenames:
        request.getfixturevalue(
            "org"
        )  # it writes too: asked for after this session it would wait for its end
    with app.app_context():
        opened = begin_write(db.session())
        yield opened
        opened.rollback()
        db.session.remove()


class Caller(FlaskClient):
    """A test client that calls by loopback and gives each POST a new Idempotency-Key unless told otherwise."""

    token: str | None = None
    user_id: uuid.UUID | None = None

    def open(self, *args: object, **kwargs: object):  # type: ignore[no-untyped-def]
        kwargs.setdefault("base_url", BASE_URL)
        headers = dict(kwargs.pop("headers", None) or {})  # type: ignore[call-overload]
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if kwargs.get("method") == "POST":
            headers.setdefault("Idempotency-Key", uuid.uuid4().hex)
        return super().open(*args, headers=headers, **kwargs)


@pytest.fixture
def anonymous(app: Flask) -> Caller:
    app.test_client_class = Caller
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def client(app: Flask) -> Caller:
    """Calls with the access token: the admin."""
    app.test_client_class = Caller
    caller: Caller = app.test_client()  # type: ignore[assignment]
    caller.token = app.extensions["butler"].access_token
    return caller


@dataclass(frozen=True)
class Org:
    """The ids of two centres of one district, the first with a grid, a post and two employees."""

    district: uuid.UUID
    centre: uuid.UUID
    other_centre: uuid.UUID
    grid: uuid.UUID
    post: uuid.UUID
    zhang: uuid.UUID
    li: uuid.UUID


@pytest.fixture
def org(app: Flask, clock: FixedClock) -> Org:
    """A small organisation, committed."""
    stamp = {"created_at": clock.now(), "updated_at": clock.now()}
    with app.app_context():
        session = begin_write(db.session())

        def add(row):  # type: ignore[no-untyped-def]
            session.add(row)
            session.flush()
            return row.id

        company = add(Company(name="示例物业", **stamp))
        district = add(District(company_id=company, code="HD", name="华东大区", **stamp))
        centre = add(ServiceCentre(district_id=district, code="C1", name="锦绣花园", **stamp))
        other = add(ServiceCentre(district_id=district, code="C2", name="翠湖天地", **stamp))
        grid = add(Grid(centre_id=centre, code="G1", name="一号片区", **stamp))
        post = add(Post(centre_id=centre, grid_id=grid, code="P1", name="一号片区管家", **stamp))
        zhang = add(Employee(centre_id=centre, number="E001", name="张三", **stamp))
        li = add(Employee(centre_id=centre, number="E002", name="李四", **stamp))
        session.commit()
        db.session.remove()
    return Org(district, centre, other, grid, post, zhang, li)


@pytest.fixture
def as_user(app: Flask, clock: FixedClock, request: pytest.FixtureRequest) -> Callable[..., Caller]:
    """`as_user("lead", org.centre)`: a caller of his own, signed in by a token; a role without a centre holds in the
    whole company. More rights: `rights=[("butler", centre)]`; `employee=` who he is. `caller.user_id` is he.

    Beside the `session` fixture, which has the only write lock, he is written and committed through it.
    """
    shared: Session | None = request.getfixturevalue("session") if "session" in request.fixturenames else None

    def make(
        role: str,
        centre: uuid.UUID | None = None,
        *,
        rights: Sequence[tuple[str, uuid.UUID | None]] = (),
        employee: uuid.UUID | None = None,
        name: str = "",
        read_only: bool = False,
    ) -> Caller:
        held = [(role, centre), *rights]
        login = f"{role}-{uuid.uuid4().hex[:8]}"
        user = {"login": login, "name": name or login, "employee_id": employee}
        app.test_client_class = Caller
        caller: Caller = app.test_client()  # type: ignore[assignment]
        with ExitStack() as stack:
            if shared is None:
                stack.enter_context(app.app_context())
            writer = shared or begin_write(db.session())
            caller.user_id, caller.token = _add_user(writer, user, held, read_only, clock.now())
            writer.commit()
            if shared is None:
                db.session.remove()
            else:
                begin_write(shared)
        return caller

    return make


def _add_user(
    session: Session,
    values: dict[str, Any],
    held: Sequence[tuple[str, uuid.UUID | None]],
    read_only: bool,
    now: dt.datetime,
) -> tuple[uuid.UUID, str]:
    user = User(**values, created_at=now, updated_at=now)
    session.add(user)
    session.flush()
    session.add_all(RoleGrant(user_id=user.id, role=r, centre_id=c, valid_from=now) for r, c in held)
    roles, until = [r for r, _ in held], now + dt.timedelta(days=3650)
    _, token = make_token(
        session, user.id, name="test", roles=roles, read_only=read_only, expires_at=until, now=now
    )
    return user.id, token
