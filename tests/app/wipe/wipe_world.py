"""A phone that waits to be destroyed, its data moved, at a gateway that reads it; an open escrow; people who act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent import wire
from app.audit import AuditRow
from app.commands import Command, expire_commands, tell_ended
from app.escrow import keeping
from app.hardware import order_disposal
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.readings.model import PhoneKnown
from app.runtime import command_hooks
from app.tasks import Task
from app.transfer import deciding
from app.transfer.opening import Wanted, open_transfer
from app.transfer.tools import Tools as TransferTools
from app.wipe import asking, drafting, guiding, releasing, store, timing
from app.wipe.hook import tools
from app.wipe.model import Wipe, WipeStep
from app.wipe.rails import Look, blockers
from tests.support.agents import FakeAgent, reading, with_sections
from tests.support.fleet import IMEIS

TAG, SIX, IMEI = "GJ-0000", IMEIS["S1"][-6:], IMEIS["S1"]
ANDROID = "a1b2c3d4e5f60718"
CHECKED = {item: drafting.Answer("yes") for item in ("accounts", "frp", "sd", "sim", "backup", "label")} | {
    "esim": drafting.Answer("not_applicable")
}


def identity(**changes: Any) -> dict[str, Any]:
    return {
        "serial": "S1", "model": "M1", "brand": "Xiaomi", "manufacturer": "Xiaomi", "android_release": "13", "sdk": 33,
        "fingerprint": "x/y", "security_patch": "2026-05-01", "android_id": ANDROID, "imei": [IMEI],
        "build_type": "user",
    } | changes  # fmt: skip


def setup(lock: str = "none") -> dict[str, Any]:
    return {
        "device_provisioned": True, "user_setup_complete": True, "adb_wifi": False, "developer_options": True,
        "unknown_sources": [], "lock_screen": lock,
    }  # fmt: skip


@dataclass
class World:
    """`ask`, `approve`, `arm`, `release` bring a wipe of S1 one state further each; `to(state)` all at once."""

    app: Any
    clock: Any
    phones: Any
    gateway: FakeAgent
    centre: uuid.UUID
    id: uuid.UUID = field(default_factory=uuid.uuid4)

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

    def act(self, what: Any, by: Principal, **named: Any) -> Any:
        """A service function of this room, in a transaction of its own; the wipe's id as it came out of it."""
        takes_tools = what in (
            asking.request, asking.approve, releasing.release, guiding.begin_guided,
        )  # fmt: skip
        with self.writing() as session:
            given = (session, by, tools()) if takes_tools else (session, by)
            return what(*given, self.id, **named, now=self.clock.now()).id

    def refused(self, what: Any, by: Principal, **named: Any) -> str:
        with pytest.raises(DomainError) as told:
            self.act(what, by, **named)
        return told.value.code

    def read_phone(self, lock: str = "none", boot: int = 1, **changes: Any) -> list[wire.Command]:
        """A fresh reading of S1 by the gateway; the commands that it is given."""
        entry = with_sections(reading("S1", boot=boot), identity=identity(**changes), setup=setup(lock))
        answer = self.gateway.checkin(readings=[entry])
        assert answer.status_code == 200, answer.text
        return self.gateway.commands(answer)

    def known_for_long(self) -> None:
        """Gateways have read S1, as it is now, for a month."""
        with self.writing() as session:
            row = session.get_one(PhoneKnown, self.phones["S1"])
            row.since = self.clock.now() - dt.timedelta(days=30)

    def open(self, phone: str = "S1") -> uuid.UUID:
        with self.writing() as session:
            row = drafting.open_wipe(
                session, self.who("it"), tools(), self.phones[phone], now=self.clock.now()
            )
            self.id = row.id
        return self.id

    def fill(self, **changes: Any) -> None:
        draft = drafting.Draft(**{"reason": "合约到期", "checklist": CHECKED, **changes})
        self.act(drafting.fill, self.who("it"), draft=draft, version=self.row().version)

    def ask(self, by: Principal | None = None, tag: str = TAG, six: str = SIX) -> None:
        self.act(asking.request, by or self.who("it", "u-asker"), typed_tag=tag, typed_imei6=six)

    def approve(self, by: Principal | None = None, **more: Any) -> None:
        self.act(asking.approve, by or self.who("lead"), **more)

    def arm(self) -> None:
        self.clock.move(4 * 3600 + 1)
        with self.writing() as session:
            timing.arm(session, self.clock.now())

    def release(
        self, by: Principal | None = None, tag: str = TAG, six: str = SIX, imei: str | None = None
    ) -> None:
        who = by or self.who("it")
        self.act(releasing.release, who, typed_tag=tag, typed_imei6=six, imei_typed=imei)

    def guide(self, by: Principal | None = None, **more: Any) -> None:
        given = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None, "photo": None, **more}
        self.act(guiding.begin_guided, by or self.who("it"), **given)

    def to(self, state: str) -> Wipe:
        """Bring a new wipe of S1 to one of draft requested approved armed queued delivered acknowledged silent."""
        steps: list[tuple[str, Any]] = [
            ("draft", lambda: (self.open(), self.fill())), ("requested", self.ask), ("approved", self.approve),
            ("armed", self.arm), ("queued", lambda: (self.read_phone(), self.release())),
            ("delivered", self.lease),
        ]  # fmt: skip
        for name, step in steps:
            step()
            if name == state:
                return self.row()
        if state == "silent":
            self.tell("failed", outcome="unknown", reason="dropped")
        elif state == "acknowledged":
            self.tell("succeeded", outcome="accepted")
        return self.row()

    def lease(self, **reading_changes: Any) -> wire.Command:
        found = [c for c in self.read_phone(**reading_changes) if c.kind == "wipe_phone"]
        assert len(found) == 1, found
        return found[0]

    def offered(self) -> list[wire.Command]:
        """What of the wipe the gateway is given now."""
        return [c for c in self.read_phone() if c.kind == "wipe_phone"]

    def tell(self, state: str, command_id: str | None = None, age_s: float = 1.0, **detail: Any) -> list[Any]:
        """The gateway's word on the wipe's last command; what of it was rejected."""
        known = command_id or str(self.row().command_id)
        result = {"id": known, "state": state, "age_s": age_s, "detail": detail}
        answer = self.gateway.checkin(results=[result])
        assert answer.status_code == 200, answer.text
        rejected: list[Any] = answer.get_json()["rejected"]
        return rejected

    def look(self, when: Look, by: str = "u-it") -> list[str]:
        with self.writing() as session:
            row = store.by_id(session, self.id)
            assert row is not None
            return [one.code for one in blockers(session, tools(), row, when, self.clock.now(), by=by)]

    def sweep(self, seconds: float = 0) -> None:
        """Time passes; the queue's and this room's jobs run."""
        self.clock.move(seconds)
        with self.writing() as session:
            now = self.clock.now()
            expire_commands(session, now, lambda c: tell_ended(c, command_hooks(), session, now))
        for job in (timing.arm, timing.lapse):
            with self.writing() as session:
                job(session, self.clock.now())
        for slow in (timing.note_silence, timing.give_up):
            with self.writing() as session:
                slow(session, tools(), self.clock.now())

    def row(self) -> Wipe:
        with self.app.app_context():
            found = db.session().get_one(Wipe, self.id)
            db.session().expunge_all()
            db.session.remove()
        return found

    @property
    def state(self) -> str:
        return str(self.row().state)

    def command(self) -> Command:
        with self.app.app_context():
            found = db.session().get_one(Command, self.row().command_id)
            db.session().expunge_all()
            db.session.remove()
        return found

    def steps(self) -> list[str]:
        with self.app.app_context():
            query = select(WipeStep.step).where(WipeStep.wipe_id == self.id)
            found = list(db.session().scalars(query.order_by(WipeStep.at, WipeStep.id)))
            db.session.remove()
        return found

    def trail(self) -> list[str]:
        with self.app.app_context():
            query = select(AuditRow.action).where(AuditRow.object == f"wipe:{self.id}").order_by(AuditRow.seq)
            found = [action.removeprefix("wipe.") for action in db.session().scalars(query)]
            db.session.remove()
        return found

    def tasks(self) -> set[str]:
        with self.app.app_context():
            query = select(Task.key).where(Task.key.startswith("wipe:"), Task.state == "open")
            found = {key.rpartition(":")[2] for key in db.session().scalars(query)}
            db.session.remove()
        return found


def waive_transfer(world: World, phone: str = "S1") -> uuid.UUID:
    """Nothing is to be moved off the phone: asked for by one, granted by another."""
    here = world.app.extensions["butler"]
    with world.writing() as session:
        now = world.clock.now()
        made = open_transfer(
            session, world.who("it"), TransferTools(here.policies, here.blobs, here.keys),
            Wanted(old_id=world.phones[phone], new_id=None, reason="没有资料"), now,
        )  # fmt: skip
        deciding.ask_waiver(session, world.who("it"), made.id, reason="没有资料", now=now)
        transfer_id = uuid.UUID(str(made.id))
    with world.writing() as session:
        deciding.decide_waiver(session, world.who("lead"), transfer_id, grant=True, now=world.clock.now())
    return transfer_id


def dispose(world: World, phone: str = "S1", cause: str = "contract_end") -> uuid.UUID:
    with world.writing() as session:
        row = order_disposal(
            session, world.who("lead"), world.phones[phone], cause=cause, reason="合约到期换机", source="test:1",
            now=world.clock.now(),
        )  # fmt: skip
        return uuid.UUID(str(row.id))


@pytest.fixture
def world(app: Any, clock: Any, phones: Any, gateway: FakeAgent, org: Any) -> World:
    made = World(app, clock, phones, gateway, org.centre)
    with made.writing() as session:
        keeping.set_up(session, app.extensions["butler"].vault, None, clock.now())
    made.read_phone()
    dispose(made)
    waive_transfer(made)
    return made


def ago(world: World, **span: float) -> dt.datetime:
    now: dt.datetime = world.clock.now()
    return now - dt.timedelta(**span)
