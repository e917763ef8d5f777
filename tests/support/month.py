"""A service centre's month over the real check-in and API, on a clock of its own: phones of known lives and their
gateway, which can be killed; the server, which can be restarted; the people at their desks.

Times are texts of Shanghai, "11-03 22:30". What the world knows of a phone's life stays here: the server only ever
learns what a gateway could have read.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from agent.wire import Command
from app.fleet.service import make_code
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.jobs import Job
from app.kernel.tenancy import SYSTEM
from app.observers.rules import Stretch
from app.observers.store import SERVER, prove_up
from app.people import make_token
from app.people.model import RoleGrant, User
from app.rooms import all_jobs
from app.scheduler import run_job
from tests.app.conftest import Caller
from tests.support.agents import FakeAgent, reading
from tests.support.site import beat

_ZONE = dt.timezone(dt.timedelta(hours=8))
_CONTACTS = (9, 17)
_SINCE = "2026-05-01T00:00:00+08:00"
_OF_THE_MINUTE = {"beat_server", "watch_sites", "send_probes", "weigh_failed_probes", "settle_incidents"}
_OUTSIDE = {"plan_probes", "prune_commands", "prune_agent_requests", "prune_sightings", "prune_sign_in"}
"""Jobs that this month does without: tests of reach are started by hand, and nothing is old enough to be pruned."""


def at(text: str) -> dt.datetime:
    return dt.datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=_ZONE)


@dataclass
class Boot:
    """`orderly`: the phone's own shutdown ended it, and the journal wrote its mark."""

    id: str
    count: int
    start: dt.datetime
    end: dt.datetime | None = None
    orderly: bool = False


@dataclass
class Phone:
    serial: str
    name: str
    handset: str
    employee: str
    post: str
    grid: str
    number: str
    boots: list[Boot]
    away: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def off(self, start: dt.datetime, end: dt.datetime, *, orderly: bool = True) -> None:
        """It is off in that span, the last one of its life so far."""
        last = self.boots[-1]
        last.end, last.orderly = start, orderly
        self.boots.append(Boot(str(uuid.uuid4()), last.count + 1, end))

    def running(self, now: dt.datetime) -> Boot | None:
        return next((b for b in self.boots if b.start <= now and (b.end is None or now < b.end)), None)

    def within_reach(self, now: dt.datetime) -> Boot | None:
        return None if any(start <= now < end for start, end in self.away) else self.running(now)


@dataclass
class World:
    """`make_app` and `url` make the server anew over the same database and keys."""

    make_app: Callable[..., Flask]
    url: str
    clock: FixedClock
    app: Flask
    phones: dict[str, Phone] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    users: dict[str, uuid.UUID] = field(default_factory=dict)
    centre: str = ""
    up_since: dt.datetime | None = None
    gateway: FakeAgent = field(init=False)
    last_batch: dict[str, Any] = field(default_factory=dict)
    sent_at: dt.datetime | None = None

    # --- people -----------------------------------------------------------------------------------------------------

    def call(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """What the API answers this person; fails on anything but success."""
        self.app.test_client_class = Caller
        caller: Caller = self.app.test_client()  # type: ignore[assignment]
        caller.token = self.tokens[who]
        answer = caller.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.status_code, answer.get_data(as_text=True))
        return answer.get_json()

    def get(self, path: str, who: str = "admin") -> Any:
        return self.call(who, "GET", path)

    def post(self, path: str, body: Any, who: str = "admin", **headers: str) -> Any:
        return self.call(who, "POST", path, body, **headers)

    def user(self, name: str, role: str, employee: str | None = None) -> None:
        now = self.clock.now()
        with self.session() as session:
            person = None if employee is None else uuid.UUID(employee)
            row = User(login=name, name=name, employee_id=person, created_at=now, updated_at=now)
            session.add(row)
            session.flush()
            centre = uuid.UUID(self.centre)
            session.add(RoleGrant(user_id=row.id, role=role, centre_id=centre, valid_from=now))
            until = now + dt.timedelta(days=365)
            _, self.tokens[name] = make_token(
                session, row.id, name="test", roles=[role], read_only=False, expires_at=until, now=now
            )
            self.users[name] = row.id

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.app.app_context():
            opened = begin_write(db.session())
            yield opened
            opened.commit()
            db.session.remove()

    # --- server and gateway -----------------------------------------------------------------------------------------

    def restart_server(self) -> None:
        """Another process over the same database and keys; nothing is kept in memory."""
        self.app = self.make_app(self.url, init=False)
        self.gateway.app = self.app

    def jobs(self, *, all_of_them: bool = True) -> None:
        """A round of the scheduler."""
        for job in all_jobs():
            due = job.name in _OF_THE_MINUTE or (all_of_them and job.name not in _OUTSIDE)
            if isinstance(job, Job) and due:
                run_job(self.app, job)

    def enrol(self) -> None:
        with self.session() as session:
            code = make_code(
                session,
                SYSTEM,
                uuid.UUID(self.centre),
                url="http://127.0.0.1:8000",
                command_key=self.app.extensions["butler"].keys.public_key("agent-reads"),
                name=None,
                handset_id=None,
                hours=24,
                now=self.clock.now(),
            )
        self.gateway = FakeAgent(self.app, self.clock.now)
        assert self.gateway.enrol(code.code.token).status_code == 201
        self.up_since = self.clock.now()

    def contact(self, results: Sequence[dict[str, Any]] = (), *, all_jobs_too: bool = True) -> list[Command]:
        """The gateway reads whom it reaches and checks in; the scheduler does its round."""
        now, readings, journals = self.clock.now(), [], []
        for phone in self.phones.values():
            boot = phone.within_reach(now)
            if boot is not None:
                readings.append(_reading(phone, boot, now))
                phone.read.add(boot.id)
                journals += _journals(phone, boot)
        up_for = 0.0 if self.up_since is None else (now - self.up_since).total_seconds()
        parts = {"readings": readings, "journals": journals, "results": list(results)}
        self.last_batch = {**parts, "beats": [beat(up_for_s=up_for)], "batch": str(uuid.uuid4())}
        self.sent_at = now
        answer = self.gateway.checkin(**self.last_batch)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json()["rejected"] == []
        self.jobs(all_of_them=all_jobs_too)
        return self.gateway.commands(answer)

    def killed_and_sent_again(self) -> None:
        """The gateway was killed before it noted the answer: it sends the batch again; and once more as a new one, of
        which only the ages are counted anew.
        """
        assert self.sent_at is not None
        older = (self.clock.now() - self.sent_at).total_seconds()
        aged = {
            part: [{**entry, "age_s": entry["age_s"] + older} for entry in self.last_batch[part]]
            for part in ("readings", "journals", "beats", "results")
        }
        for batch in (self.last_batch["batch"], str(uuid.uuid4())):
            answer = self.gateway.checkin(**aged, batch=batch)
            assert answer.status_code == 200

    def go(self, end: dt.datetime) -> None:
        """Time goes by until then, with the gateway's contacts of each day."""
        day = self.clock.now().astimezone(_ZONE).date()
        for hour in (h for n in itertools.count() for h in _hours(day + dt.timedelta(days=n))):
            if hour >= end:
                break
            if hour > self.clock.now():
                self.clock.set(hour)
                self.contact(all_jobs_too=hour.hour == _CONTACTS[-1])
        self.clock.set(end)

    def live(self, minutes: int, results: Sequence[dict[str, Any]] = ()) -> list[Command]:
        """Some minutes in which the server is up without a break and hears its gateway; the last answer's commands."""
        commands: list[Command] = []
        for _ in range(-(-minutes // 5)):
            start = self.clock.now()
            end = self.clock.move(300)
            with self.session() as session:
                prove_up(session, SERVER, None, [Stretch(start, end)])
            commands = self.contact(results, all_jobs_too=False)
            results = ()
        return commands


def _hours(day: dt.date) -> list[dt.datetime]:
    return [dt.datetime.combine(day, dt.time(hour), _ZONE) for hour in _CONTACTS]


def _reading(phone: Phone, boot: Boot, now: dt.datetime) -> dict[str, Any]:
    uptime = (now - boot.start).total_seconds()
    return reading(phone.serial, boot_id=boot.id, boot_count=boot.count, age_s=0.0, uptime_s=uptime)


def _journals(phone: Phone, boot: Boot) -> list[dict[str, Any]]:
    """What the phone's file holds of boots that are over, told once."""
    told = []
    for over in phone.boots:
        if over.end is None or over.end > boot.start or over.id in phone.told:
            continue
        phone.told.add(over.id)
        uptime = (over.end - over.start).total_seconds()
        told.append(
            {
                "phone": phone.serial,
                "target": "tcp:10.0.0.1:5555",
                "age_s": 0.0,
                "boot_id": over.id,
                "boot_count": over.count,
                "first_uptime_s": 60.0,
                "last_uptime_s": max(uptime - (1 if over.orderly else 30), 60.0),
                "lines": 10,
                "end": "shutdown" if over.orderly else "open",
                "grade": "gateway",
                "last": {"battery_percent": 40, "charging": False, "airplane_mode": False, "sim": "LOADED"},
            }
        )
    return told


def settle_in(world: World, people: Sequence[str]) -> None:
    """A centre with a post, a phone and a number for each of these people, and its gateway."""
    company = world.post("/companies", {"name": "示例物业"})["id"]
    district = world.post("/districts", {"company_id": company, "code": "HD", "name": "华东大区"})["id"]
    centre = {"district_id": district, "code": "C1", "name": "锦绣花园"}
    world.centre = world.post("/centres", centre)["id"]
    for number, name in enumerate(people, start=1):
        world.phones[name] = _hand_out(world, number, name)
    world.enrol()


def _hand_out(world: World, number: int, name: str) -> Phone:
    centre = {"centre_id": world.centre}
    made = {
        "grid": world.post("/grids", {**centre, "code": f"G{number}", "name": f"{number}号片区"})["id"],
        "employee": world.post("/employees", {**centre, "number": f"E{number}", "name": name})["id"],
        "number": world.post("/numbers", {**centre, "e164": f"+861380013800{number}"})["id"],
    }
    post = {**centre, "grid_id": made["grid"], "code": f"P{number}", "name": f"{number}号片区管家"}
    made["post"] = world.post("/posts", post)["id"]
    serial = f"SN-{number:04}"
    handset = {**centre, "asset_tag": f"GJ-{number}", "serial": serial, "brand": "Xiaomi", "model": "M1"}
    made["handset"] = world.post("/handsets", handset)["id"]
    since = {"post_id": made["post"], "valid_from": _SINCE}
    world.post("/post-holdings", {**since, "employee_id": made["employee"]})
    for thing in ("handset", "number"):
        world.post("/kit-assignments", {**since, f"{thing}_id": made[thing]})
    boot = Boot(str(uuid.uuid4()), 40, world.clock.now() - dt.timedelta(days=3))
    return Phone(serial=serial, name=name, boots=[boot], **made)
