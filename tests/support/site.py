"""A site that lives on a clock of its own: the gateway's check-ins and beats, and the scheduler's jobs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import Command
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.observers.rules import Stretch
from app.observers.store import SERVER, prove_up
from app.probes import start_probe
from app.probes.model import Probe
from app.rooms import all_jobs
from app.scheduler import run_job
from tests.support.agents import FakeAgent, reading
from tests.support.fleet import Phones

CHECKS = {"server": True, "adb_server": None, "clock": True, "canary": None}


def beat(
    up: bool = True, up_for_s: float = 0.0, age_s: float | None = 0.0, reason: str | None = None
) -> dict[str, Any]:
    checks = CHECKS if up else {**CHECKS, "server": False}
    return {
        "age_s": age_s,
        "up": up,
        "reason": reason if not up else None,
        "checks": checks,
        "up_for_s": up_for_s,
    }


def told(
    outcome: str, reason: str | None, *before: float, up_for_s: float = 3600.0, **changes: Any
) -> dict[str, Any]:
    """The detail of a test's result; `before`: each failed try, in seconds before the result."""
    tries = [
        {"before_s": s, "reason": "unreachable", "checked_before_s": s + 0.2, "up_for_s": up_for_s}
        for s in before
    ]
    return {
        "outcome": outcome, "reason": reason, "checked_before_s": 1.0, "checks": CHECKS, "tries": tries,
    } | changes  # fmt: skip


NOT_REACHED = told("not_reached", "unreachable", 600.0, 480.0, 300.0, 0.0)


@dataclass
class Site:
    """`gateway` reads S1 and S2. `uptime_s`: what those phones say."""

    app: Flask
    clock: FixedClock
    phones: Phones
    gateway: FakeAgent
    up_for_s: float = 0.0
    booted: dict[str, tuple[int, dt.datetime]] = field(default_factory=dict)

    def job(self, *names: str) -> int:
        jobs = {job.name: job for job in all_jobs()}
        return sum(run_job(self.app, jobs[name]) for name in names)

    def wait(self, seconds: float) -> None:
        """Let time go by in which the server is up and nobody says anything."""
        start = self.clock.now()
        end = self.clock.move(seconds)
        self.up_for_s += seconds
        with self.session() as session:
            prove_up(session, SERVER, None, [Stretch(start, end)])

    def live(self, seconds: float, *, read: Sequence[str] = ("S1", "S2"), beats: bool = True) -> None:
        """As `wait`; then the gateway checks in, and the scheduler looks at the site."""
        self.wait(seconds)
        self.job("beat_server")
        self.checkin(read=read, beats=beats)
        self.job("watch_sites")

    def checkin(
        self, *, read: Sequence[str] = (), beats: bool = True, results: Sequence[dict[str, Any]] = ()
    ) -> list[Command]:
        answer = self.gateway.checkin(
            readings=[self.reading(serial) for serial in read],
            beats=[beat(up_for_s=self.up_for_s)] if beats else [],
            results=list(results),
        )
        assert answer.status_code == 200, answer.get_json()
        assert answer.get_json()["rejected"] == []
        return self.gateway.commands(answer)

    def reading(self, serial: str, **changes: Any) -> dict[str, Any]:
        boot, since = self.booted.setdefault(serial, (1, self.clock.now() - dt.timedelta(hours=1)))
        uptime = (self.clock.now() - since).total_seconds()
        n = "12".index(serial[-1]) * 4 + boot if serial[-1] in "12" else boot
        return reading(serial, boot=n, boot_count=40 + boot, age_s=0.0, uptime_s=uptime, **changes)

    def reboot(self, serial: str, at: dt.datetime) -> None:
        self.booted[serial] = (self.booted[serial][0] + 1, at)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.app.app_context():
            opened = begin_write(db.session())
            yield opened
            opened.commit()
            db.session.remove()

    def probes(self, *where: Any) -> list[Probe]:
        with self.app.app_context():
            found = list(db.session().scalars(select(Probe).where(*where).order_by(Probe.planned_at)))
            db.session().expunge_all()
            db.session.remove()
        return found

    def start(self, serial: str = "S1", cause: str = "report") -> uuid.UUID:
        with self.session() as session:
            return start_probe(session, SYSTEM, self.phones[serial], cause, self.clock.now())

    def begin(self, serial: str = "S1", *, read: Sequence[str] = ("S1", "S2")) -> Command:
        """Start a test and let the gateway take it."""
        self.start(serial)
        self.job("send_probes")
        (command,) = [c for c in self.checkin(read=read) if c.kind == "probe"]
        return command

    def report(
        self, command: Command, detail: dict[str, Any], *, age_s: float | None = 0.0, state: str = "succeeded"
    ) -> None:
        self.checkin(results=[{"id": command.id, "state": state, "age_s": age_s, "detail": detail}])


@pytest.fixture
def site(app: Flask, clock: FixedClock, phones: Phones, gateway: FakeAgent) -> Site:
    """Fifteen minutes of quiet life have passed: everybody can be believed."""
    made = Site(app, clock, phones, gateway)
    made.job("beat_server", "watch_sites")
    made.live(15 * 60)
    return made
