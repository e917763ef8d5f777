"""What this room's tests begin with is made once a worker; on PostgreSQL, which has no file to copy, each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from tests.app.remedy.remedy_world import WORLD, Home, World, populated
from tests.support.fleet import Phones, enroller, gateway, registered, rows
from tests.support.kept import Kept

__all__ = ["enroller", "gateway", "rows"]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def app(make_app: Callable[..., Flask], database_url: str, kept: Kept, tmp_path: Path) -> Flask:
    if not kept.has(WORLD, database_url):
        return make_app(database_url)
    kept.bring_back(WORLD, database_url, tmp_path / "var")
    return make_app(database_url, init=False)


@pytest.fixture
def org(database_url: str, kept: Kept, request: pytest.FixtureRequest) -> Any:
    known = kept.value(WORLD, database_url)
    return request.getfixturevalue("org") if known is None else known.org


@pytest.fixture
def phones(app: Flask, clock: FixedClock, org: Any, database_url: str, kept: Kept) -> Phones:
    known = kept.value(WORLD, database_url)
    return registered(app, clock, org) if known is None else known.phones


@pytest.fixture
def world(
    app: Flask, clock: FixedClock, database_url: str, kept: Kept, tmp_path: Path, request: pytest.FixtureRequest
) -> World:  # fmt: skip
    home = Home(kept, database_url, tmp_path / "var")
    known: World | None = kept.value(WORLD, database_url)
    if known is not None:
        gateway = replace(known.gateway, app=app, now=clock.now)
        return replace(known, app=app, clock=clock, gateway=gateway, versions=dict(known.versions), home=home)
    phones, gateway, org = (request.getfixturevalue(name) for name in ("phones", "gateway", "org"))
    made = populated(World(app, clock, phones, gateway, org, home))
    home.keep(WORLD, replace(made, versions=dict(made.versions)))
    return made
