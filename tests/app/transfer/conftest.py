"""An open escrow, an old phone S1 and its successor S2 at one gateway, and people who act."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import shutil
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from agent import wire
from app.audit import AuditRow
from app.commands import expire_commands
from app.escrow import keeping
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.runtime import command_hooks
from app.tasks import Task
from app.transfer import deciding, running
from app.transfer.jobs import JOBS
from app.transfer.model import Transfer
from app.transfer.opening import Wanted, open_transfer
from app.transfer.tools import Tools
from app.transfer.wire_schemas import line_of
from tests.support.agents import FakeAgent, reading
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows"]

MANIFEST_PATH = "/api/v1/agent/manifest"
FILES = 3


@pytest.fixture
def one_database(_sqlite_template, _sqlite_file):
    """One kind is enough for what happens in one transaction after the other."""
    for old in _sqlite_file.parent.glob("butler.db*"):
        old.unlink()
    shutil.copy(_sqlite_template, _sqlite_file)
    return f"sqlite:///{_sqlite_file}"


@pytest.fixture
def photo():
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "#3a3").save(out, "JPEG")
    return out.getvalue()


def person(role, centre, user):
    return Principal(user, frozenset({role}), frozenset({centre}))


def entry(number: int, state: str = "verified", part: str = "files", **more: Any) -> dict[str, Any]:
    return {
        "part": part, "path": f"/sdcard/DCIM/IMG_{number}.jpg", "size": 10, "mtime": 1_700_000_000,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(), "state": state,
        "reason": None if state == "verified" else "hash",
    } | more  # fmt: skip


def manifest_sha(entries: list[dict[str, Any]]) -> str:
    return hashlib.sha256(b"".join(map(line_of, entries))).hexdigest()


@dataclass
class World:
    app: Any
    clock: Any
    phones: Any
    gateway: FakeAgent
    centre: uuid.UUID
    photo: bytes
    id: uuid.UUID | None = None

    def who(self, role: str, user: str = "") -> Principal:
        return person(role, self.centre, user or f"u-{role}")

    @property
    def here(self) -> Any:
        return self.app.extensions["butler"]

    @property
    def tools(self) -> Tools:
        return Tools(self.here.policies, self.here.blobs, self.here.keys)

    @contextmanager
    def writing(self):
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def open(self, by: Principal | None = None, **more: Any) -> uuid.UUID:
        with self.writing() as session:
            wanted = Wanted(
                **{"old_id": self.phones["S1"], "new_id": self.phones["S2"], "reason": "换机", **more}
            )
            row = open_transfer(session, by or self.who("it"), self.tools, wanted, self.clock.now())
            self.id = row.id
            return row.id

    def start(self, by: Principal | None = None) -> None:
        with self.writing() as session:
            running.start(session, by or self.who("it"), self.tools, self.id, self.clock.now())

    def act(self, what: Any, by: Principal, *args: Any, **named: Any) -> None:
        with self.writing() as session:
            what(session, by, *args, self.id, **named, now=self.clock.now())

    def refused(self, what: Any, *args: Any, **named: Any) -> str:
        with pytest.raises(DomainError) as told:
            what(*args, **named)
        return told.value.code

    def lease(self, agent: FakeAgent | None = None, phone: str = "S1") -> list[wire.Command]:
        agent = agent or self.gateway
        return agent.commands(agent.checkin(readings=[reading(phone)]))

    def begin(self) -> wire.Command:
        """Opened, started, taken by the gateway."""
        if self.id is None:
            self.open()
        self.start()
        [command] = self.lease()
        return command

    def key(self, command: wire.Command, agent: FakeAgent | None = None) -> str:
        agent = agent or self.gateway
        box = command.args["sealed"]
        return wire.open_box(
            box, agent.sealed, command=command.id, agent=command.agent, serial=command.serial
        )["key"]

    def tell(self, command: wire.Command, state: str, agent: FakeAgent | None = None, **detail: Any) -> Any:
        result = {"id": command.id, "state": state, "age_s": 1.0, "detail": detail}
        answer = (agent or self.gateway).checkin(results=[result])
        assert answer.status_code == 200, answer.text
        return answer.get_json()["rejected"]

    def pages(self, command, entries, pages: list[int] | None = None, **changes: Any) -> list[Any]:
        """Hand in a manifest in pages of at most 5,000; `pages` picks some, in that order."""
        parts = [entries[i : i + 5000] for i in range(0, len(entries), 5000)] or [[]]
        answers = []
        for number in range(len(parts)) if pages is None else pages:
            body = {
                "schema": 1, "command": command.id, "transfer": str(self.id), "page": number, "pages": len(parts),
                "sha256": manifest_sha(entries), "entries": parts[number],
            } | changes  # fmt: skip
            answers.append(self.gateway.post(MANIFEST_PATH, body, pack=True))
        return answers

    def final(self, command, entries=None, outcome: str = "verified", manifest: bool = True, **changes: Any):
        """The gateway's manifest and its last word: all that is asked for, verified."""
        entries = [entry(i) for i in range(FILES)] if entries is None else entries
        if manifest:
            assert all(a.status_code == 200 for a in self.pages(command, entries))
        return self.tell(command, "succeeded", **detail(entries, outcome, **changes))

    def row(self) -> Transfer:
        with self.app.app_context():
            found = db.session().get_one(Transfer, self.id)
            db.session().expunge_all()
            db.session.remove()
        return found

    @property
    def state(self) -> str:
        return str(self.row().state)

    def wechat(self, outcome: str = "yes", by: Principal | None = None, **more: Any) -> None:
        now = self.clock.now()
        given = {
            "began_at": now - dt.timedelta(hours=1), "finished_at": now, "before": 12, "after": 12,
            "photos": (self.photo,), "words": "" if outcome == "yes" else "有三个群没有过来",
        } | more  # fmt: skip
        with self.writing() as session:
            deciding.record_wechat(
                session, by or self.who("it"), self.tools, self.id, deciding.Wechat(outcome, **given), now
            )

    def run_jobs(self) -> int:
        touched = 0
        with self.writing() as session:
            expire_commands(
                session,
                self.clock.now(),
                lambda c: (h := command_hooks().get(c.kind)) and h.ended(session, c, self.clock.now()),
            )
        for job in JOBS:
            with self.writing() as session:
                touched += job.run(session, self.clock.now())
        return touched

    def trail(self) -> list[str]:
        with self.app.app_context():
            query = (
                select(AuditRow.action).where(AuditRow.object == f"transfer:{self.id}").order_by(AuditRow.seq)
            )
            found = [action.removeprefix("transfer.") for action in db.session().scalars(query)]
            db.session.remove()
        return found

    def tasks(self) -> list[str]:
        with self.app.app_context():
            query = select(Task.key).where(Task.key.startswith("transfer."), Task.state == "open")
            found = sorted(key.split(".")[1].split(":")[0] for key in db.session().scalars(query))
            db.session.remove()
        return found


def detail(entries: list[dict[str, Any]], outcome: str = "verified", **changes: Any) -> dict[str, Any]:
    files = [e for e in entries if e["part"] == "files"]
    by = {
        state: sum(e["state"] == state for e in files)
        for state in ("verified", "differs", "failed", "skipped")
    }
    part = {"outcome": "verified", "found": 5, "moved": 5, "verified": 5, "differs": 0, "reason": None}
    return {
        "outcome": outcome, "reason": None if outcome == "verified" else "differs",
        "files": {"found": len(files), "moved": len(files), "bytes": 10 * len(files), **by},
        "parts": [{"name": name, **part} for name in ("contacts", "calls", "messages")],
        "copy": "destroyed" if outcome == "verified" else "kept",
        "manifest": {"sha256": manifest_sha(entries), "entries": len(entries), "pages": 1}, "seconds": 60,
    } | changes  # fmt: skip


@pytest.fixture
def world(app, clock, phones, gateway, org, photo):
    made = World(app, clock, phones, gateway, org.centre, photo)
    with made.writing() as session:
        keeping.set_up(session, made.here.vault, None, clock.now())
    gateway.checkin(readings=[reading("S1"), reading("S2")])
    return made
