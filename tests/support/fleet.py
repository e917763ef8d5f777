"""Fixtures of the rooms that agents speak to: registered phones and an enrolled gateway."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.fleet.service import make_code
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from app.registry import Handset, HandsetImei
from tests.support.agents import FakeAgent

IMEIS = {"S1": "490154203237518", "S2": "356938035643809", "F1": "353918057997632"}


@dataclass(frozen=True)
class Phones:
    """S1 and S2 belong to the gateway's centre, F1 to the other one; S1 and F1 have an IMEI on file."""

    centre: uuid.UUID
    other_centre: uuid.UUID
    ids: dict[str, uuid.UUID]

    def __getitem__(self, serial: str) -> uuid.UUID:
        return self.ids[serial]


@pytest.fixture
def phones(app: Flask, clock: FixedClock, org: Any) -> Phones:
    return registered(app, clock, org)


def registered(app: Flask, clock: FixedClock, org: Any) -> Phones:
    centres = {"S1": org.centre, "S2": org.centre, "F1": org.other_centre}
    stamp = {"created_at": clock.now(), "updated_at": clock.now(), "specification": {}}
    ids = {}
    with app.app_context():
        session = begin_write(db.session())
        for n, (serial, centre) in enumerate(centres.items()):
            row = Handset(
                centre_id=centre, asset_tag=f"GJ-{n:04}", serial=serial, brand="Xiaomi", model="M1", **stamp
            )
            if serial != "S2":
                row.imeis.append(HandsetImei(imei=IMEIS[serial], slot=1))
            session.add(row)
            session.flush()
            ids[serial] = row.id
        session.commit()
        db.session.remove()
    return Phones(org.centre, org.other_centre, ids)


@dataclass(frozen=True)
class Enroller:
    """`code()` makes a token; `gateway()` an enrolled agent of the first centre."""

    app: Flask
    clock: FixedClock
    phones: Phones

    def code(self, *, centre: uuid.UUID | None = None, **changes: Any) -> str:
        with self.app.app_context():
            session = begin_write(db.session())
            made = make_code(
                session,
                SYSTEM,
                centre or self.phones.centre,
                **{
                    "url": "http://127.0.0.1:8000",
                    "command_key": self.app.extensions["butler"].keys.public_key("agent-reads"),
                    "name": None,
                    "handset_id": None,
                    "hours": 24,
                    "now": self.clock.now(),
                    **changes,
                },
            )
            session.commit()
            db.session.remove()
        return made.code.token

    def agent(self) -> FakeAgent:
        return FakeAgent(self.app, self.clock.now)

    def gateway(self, *, centre: uuid.UUID | None = None) -> FakeAgent:
        agent = self.agent()
        assert agent.enrol(self.code(centre=centre)).status_code == 201
        return agent

    def self_agent(self, serial: str) -> FakeAgent:
        agent = self.agent()
        code = self.code(handset_id=self.phones[serial])
        assert agent.enrol(code, kind="self").status_code == 201
        return agent

    def ref(self, agent: FakeAgent, *, kind: str = "gateway") -> AgentRef:
        return AgentRef(uuid.UUID(agent.agent_id), self.phones.centre, kind)


@pytest.fixture
def enroller(app: Flask, clock: FixedClock, phones: Phones) -> Enroller:
    return Enroller(app, clock, phones)


@pytest.fixture
def gateway(enroller: Enroller) -> FakeAgent:
    return enroller.gateway()


@pytest.fixture
def rows(app: Flask) -> Callable[..., list[Any]]:
    """`rows(Model)`: every row, as the database has it now."""

    def read(model: Any, *where: Any) -> list[Any]:
        with app.app_context():
            found = list(db.session().scalars(select(model).where(*where)))
            db.session().expunge_all()
            db.session.remove()
        return found

    return read


def seconds_before(clock: FixedClock, seconds: float) -> dt.datetime:
    return clock.now() - dt.timedelta(seconds=seconds)
