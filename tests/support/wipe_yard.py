"""A yard of simulated phones, two gateways and a server on one clock, and the truth about every phone.

The server is the real application on a real SQLite file; the gateways are the real agent (`wipe_gateway`); between them
lies a line on which anything may happen (`wipe_line`). `Yard` has what people may do; `Ledger` keeps what they really
did, whatever becomes of the database.
"""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.clock import steady
from agent.simulator.fleet import Fleet
from app.audit import trail_size
from app.commands import expire_commands, tell_ended
from app.escrow import Filed, file_secret, keeping
from app.fleet import make_code
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, Principal
from app.readings.store import save_known
from app.registry import Company, District, Handset, ServiceCentre
from app.registry.model import HandsetImei
from app.runtime import command_hooks
from app.wipe import asking, drafting, releasing, timing
from app.wipe.hook import tools
from app.wipe.model import Wipe
from tests.agent.wipe_rig import wipeable
from tests.app.wipe.wipe_world import CHECKED, dispose, waive_transfer
from tests.support.agents import FakeAgent
from tests.support.wipe_gateway import Gateway
from tests.support.wipe_line import Answer, Line, Sent, plain_orders, to_server

PIN = "73915462"
PHONES, MOVED = 4, (0, 1)
"""Phones 0 and 1 wait to be erased; 2's data was not moved; 3 is registered nowhere."""
EXPIRY = dt.timedelta(minutes=15)


@dataclass
class Release:
    """One order that somebody at the phone gave."""

    phone: int
    at: dt.datetime
    wipe: uuid.UUID
    approved: bool
    cancelled: dt.datetime | None = None
    left: dt.datetime | None = None
    used: bool = False


@dataclass
class Ledger:
    """`approved`: by wipe, whether another person than who asked said yes. `wrong`: what should never have been."""

    approved: dict[uuid.UUID, bool] = field(default_factory=dict)
    asked_by: dict[uuid.UUID, str] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    right: int = 0
    wrong: list[str] = field(default_factory=list)

    def note_left(self, command_id: str, now: dt.datetime) -> None:
        release = self.releases.get(command_id)
        if release is None:
            self.wrong.append("an order left that nobody released")
        elif release.left is None:
            release.left = now
            if release.cancelled is not None:
                self.wrong.append(f"an order of phone {release.phone} left after it was taken back")

    def note_erased(self, phone: int, now: dt.datetime) -> None:
        mine = [one for one in self.releases.values() if one.phone == phone and not one.used]
        fits = [one for one in mine if one.left is not None and one.at <= now < one.at + EXPIRY]
        if phone not in MOVED or not fits:
            self.wrong.append(f"phone {phone} was erased without an order of its own that holds")
            return
        fits[0].used = True
        if not fits[0].approved:
            self.wrong.append(f"phone {phone} was erased without another person's approval")
        self.right += 1


class Yard:
    """`begin()` gives a run: everything as on the first day. Each act of people says whether the server took it."""

    def __init__(
        self, app: Flask, database: Path, clock: FixedClock, folder: Path, checkpoints: Path
    ) -> None:
        self.app, self.database, self.clock, self.folder = app, database, clock, folder
        self.checkpoints, self.day = checkpoints, folder / "first-day.db"
        self.states = [wipeable(index) for index in range(PHONES)]
        self.first_imeis = [state.identity.imeis[0] for state in self.states]
        self.first_serials = [state.identity.serial for state in self.states]
        self.centre = uuid.UUID(int=0)
        self.phones: dict[str, uuid.UUID] = {}

    # --- the first day ----------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Register, enrol, file, order: once."""
        times = {"created_at": self.clock.now(), "updated_at": self.clock.now()}
        stamp = {**times, "specification": {}}
        here = self.app.extensions["butler"]
        with self.writing() as session:
            keeping.set_up(session, here.vault, None, self.clock.now())
            company = Company(name="示例物业", **times)
            session.add(company)
            session.flush()
            district = District(company_id=company.id, code="HD", name="华东大区", **times)
            session.add(district)
            session.flush()
            place = ServiceCentre(district_id=district.id, code="C1", name="锦绣花园", **times)
            session.add(place)
            session.flush()
            self.centre = centre = place.id
            for index, state in enumerate(self.states[:3]):
                row = Handset(
                    centre_id=centre, asset_tag=f"GJ-{index:04}", serial=state.identity.serial, brand="Xiaomi",
                    model="M1", **stamp,
                )  # fmt: skip
                row.imeis.append(HandsetImei(imei=state.identity.imeis[0], slot=1))
                session.add(row)
                session.flush()
                self.phones[str(index)] = row.id
                lock = Filed("handset", row.id, "screen_lock", PIN, in_force=True)
                file_secret(
                    session, SYSTEM, lock, vault=here.vault, policies=here.policies, now=self.clock.now()
                )
        for index in range(3):
            dispose(self, str(index))  # type: ignore[arg-type]
        for index in MOVED:
            waive_transfer(self, str(index))  # type: ignore[arg-type]
        self.agents = [self.enrol(), self.enrol()]
        self.start = self.clock.now()
        self.close_database()
        shutil.copy(self.database, self.day)

    def enrol(self) -> FakeAgent:
        agent = FakeAgent(self.app, self.clock.now)
        with self.writing() as session:
            key = self.app.extensions["butler"].keys.public_key("agent-reads")
            code = make_code(
                session, SYSTEM, self.centre, url="http://127.0.0.1:8000", command_key=key, name=None,
                handset_id=None, hours=24, now=self.clock.now(),
            )  # fmt: skip
        assert agent.enrol(code.code.token).status_code == 201
        return agent

    # --- a run ------------------------------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[Yard]:
        self.clock.set(self.start)
        self.restore(self.day)
        for kept in self.checkpoints.glob("*"):
            kept.unlink()
        self.ledger = Ledger()
        self.states = [wipeable(index) for index in range(PHONES)]
        self.fleet = Fleet(self.states)
        self.erased = [0] * PHONES
        self.wipes: dict[int, uuid.UUID] = {}
        self._know()
        run = self.folder / uuid.uuid4().hex
        run.mkdir()
        with self.fleet:
            self.targets = [f"tcp:127.0.0.1:{port}" for port in self.fleet.ports]
            self.lines = [Line(self.carry) for _ in self.agents]
            self.gateways = [
                Gateway(agent, line, run / str(number), lambda: self.targets, self.clock.now)
                for number, (agent, line) in enumerate(zip(self.agents, self.lines, strict=True))
            ]
            try:
                yield self
            finally:
                for gateway in self.gateways:
                    gateway.close()
        shutil.rmtree(run)

    def _know(self) -> None:
        """The phones were read for weeks before they are to be erased."""
        long_ago = self.clock.now() - dt.timedelta(days=30)
        with self.writing() as session:
            for index in range(3):
                told = self.states[index].identity.android_id
                row = {"handset_id": self.phones[str(index)], "centre_id": self.centre, "android_id": told}
                save_known(session, [row | {"since": long_ago, "replaced": False}])

    def carry(self, sent: Sent) -> Answer:
        """To the server and back; what leaves is noted."""
        answer = to_server(self.app, sent)
        for order in plain_orders(answer):
            if order["kind"] == "wipe_phone":
                self.ledger.note_left(order["id"], self.clock.now())
        return answer

    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)
        for gateway in self.gateways:
            gateway.box.steady.now += seconds

    def settle(self) -> None:
        """Every phone that was told to erase itself has done so; what was erased is held against the ledger."""
        end = steady() + 10
        while any(device.resets_due for device in self.fleet.devices):
            assert steady() < end, "a phone never came back"
        for index, state in enumerate(self.states):
            for _ in range(state.resets - self.erased[index]):
                self.ledger.note_erased(index, self.clock.now())
            self.erased[index] = state.resets

    # --- people -----------------------------------------------------------------------------------------------------

    def who(self, role: str, user: str = "") -> Principal:
        rights = frozenset({(role, self.centre)})
        return Principal(user or f"u-{role}", frozenset({role}), frozenset({self.centre}), rights=rights)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def people(self, act: Callable[[Session], Any]) -> Any:
        """What they did; None when the server did not take it."""
        try:
            with self.writing() as session:
                return act(session)
        except DomainError:
            return None

    def open(self, phone: int) -> None:
        handset, now = self.phones[str(phone)], self.clock.now()
        draft = drafting.Draft(reason="合约到期", checklist=CHECKED)

        def act(session: Session) -> uuid.UUID:
            row = drafting.open_wipe(session, self.who("it"), tools(), handset, now=now)
            drafting.fill(session, self.who("it"), row.id, draft, version=row.version, now=now)
            return row.id

        found = self.people(act)
        if found is not None:
            self.wipes[phone] = found

    def ask(self, phone: int) -> None:
        by = self.who("it", "u-asker")
        tag, six, _ = self.names(phone)
        self.people(
            lambda s: asking.request(
                s, by, tools(), self.wipes[phone], typed_tag=tag, typed_imei6=six, now=self.clock.now()
            )
        )

    def names(self, phone: int) -> tuple[str, str, str]:
        imei = self.first_imeis[phone]
        return f"GJ-{phone:04}", imei[-6:], imei

    def approve(self, phone: int, by: str = "u-lead") -> None:
        wipe = self.wipes[phone]
        if self.people(
            lambda s: asking.approve(s, self.who("lead", by), tools(), wipe, now=self.clock.now())
        ):
            self.ledger.approved[wipe] = by != "u-asker"

    def arm(self) -> None:
        with self.writing() as session:
            timing.arm(session, self.clock.now())

    def release(self, phone: int, typed: str | None = None, tag: str | None = None) -> None:
        """By who stands at the phone. `typed`: what he says that its screen shows."""
        wipe, now = self.wipes[phone], self.clock.now()
        own_tag, six, imei = self.names(phone)

        def act(session: Session) -> str:
            row = releasing.release(
                session, self.who("it"), tools(), wipe, typed_tag=tag or own_tag, typed_imei6=six,
                imei_typed=imei if typed is None else typed, now=now,
            )  # fmt: skip
            return str(row.command_id)

        command = self.people(act)
        if command is not None:
            approved = self.ledger.approved.get(wipe, False)
            self.ledger.releases[command] = Release(phone, now, wipe, approved)

    def take_back(self, phone: int, how: str) -> None:
        """`cancel`, `withdraw` or `recall`, as far as the server lets it."""
        wipe, now = self.wipes[phone], self.clock.now()
        acts: dict[str, Callable[[Session], Any]] = {
            "cancel": lambda s: asking.cancel(s, self.who("lead"), wipe, reason="弄错了", now=now),
            "withdraw": lambda s: asking.withdraw(s, self.who("lead"), wipe, now=now),
            "recall": lambda s: releasing.recall(s, self.who("it"), wipe, now=now),
        }
        if self.people(acts[how]) is not None:
            if how == "withdraw":
                self.ledger.approved[wipe] = False
            for release in self.ledger.releases.values():
                if release.wipe == wipe and release.left is None:
                    release.cancelled = now

    def sweep(self) -> None:
        """The jobs of the queue and of the room."""
        with self.writing() as session:
            now = self.clock.now()
            expire_commands(session, now, lambda c: tell_ended(c, command_hooks(), session, now))
        with self.writing() as session:
            timing.lapse(session, self.clock.now())
        with self.writing() as session:
            timing.note_silence(session, tools(), self.clock.now())

    # --- the database as a file --------------------------------------------------------------------------------------

    def state(self, phone: int) -> str:
        with self.app.app_context():
            found = db.session.scalar(select(Wipe.state).where(Wipe.id == self.wipes.get(phone)))
            db.session.remove()
        return str(found)

    def copy(self) -> Path:
        self.close_database()
        place = self.folder / f"copy-{uuid.uuid4().hex}.db"
        shutil.copy(self.database, place)
        return place

    def restore(self, place: Path) -> None:
        self.close_database()
        for name in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + name).unlink(missing_ok=True)
        shutil.copy(place, self.database)

    def keep_checkpoint(self) -> None:
        """What the hourly job leaves in the folder elsewhere: its name says how long the trail was."""
        with self.app.app_context():
            size = trail_size(db.session())
            db.session.remove()
        (self.checkpoints / f"checkpoint-{size:012}.json").write_text("{}")

    def close_database(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def founded(make_app: Callable[..., Flask], url: str, clock: FixedClock, folder: Path) -> Yard:
    """A yard on an empty SQLite database."""
    kept = folder / "kept"
    kept.mkdir()
    app = make_app(url, BUTLER_CHECKPOINT_DIR=str(kept))
    made = Yard(app, Path(url.removeprefix("sqlite:///")), clock, folder, kept)
    made.found()
    return made
