"""A phone's files, contacts, calls and messages go to its successor: real server, real agent, two simulated phones."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode, PhoneState
from app.demo.seed import seed
from app.kernel.clock import SystemClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import Principal
from app.registry import Handset
from app.rooms import all_jobs
from app.runtime import Runtime
from app.scheduler import run_job
from app.transfer import deciding, running, transfer_state
from app.transfer.model import Transfer
from app.transfer.opening import Wanted, open_transfer
from app.transfer.tools import Tools
from tests.e2e.story import demo_phone, no_phones, reading_agent, served

FILES = 4


@dataclass
class Desk:
    """Both phones at one gateway. `old`, `new`: their storages' real folders."""

    app: Any
    centre: uuid.UUID
    phones: list[uuid.UUID]
    old: Path
    new: Path
    home: Path
    id: uuid.UUID | None = None

    def act(self, what: Callable[[Any, Tools, Any], Any]) -> Any:
        here = self.app.extensions["butler"]
        with self.app.app_context():
            session = begin_write(db.session())
            found = what(session, Tools(here.policies, here.blobs, here.keys), SystemClock().now())
            session.commit()
            db.session.remove()
        return found

    def who(self, role: str) -> Principal:
        return Principal(f"u-{role}", frozenset({role}), frozenset({self.centre}))

    def row(self) -> Transfer:
        with self.app.app_context():
            found = db.session().get_one(Transfer, self.id)
            db.session().expunge_all()
            db.session.remove()
        return found

    def until(self, wanted: Callable[[Transfer], bool], seconds: float = 90) -> Transfer:
        end = time.monotonic() + seconds
        while not wanted(row := self.row()):
            if time.monotonic() > end:
                log = (self.home / "agent.log").read_text(errors="replace")[-3000:]
                pytest.fail(f"{row.state} {row.note} {row.progress} {row.result}\n{log}")
            time.sleep(0.3)
        return row


def _phones() -> list[PhoneState]:
    made = [p for i in range(40) if (p := make_phone(i, seed=7)).identity.sdk >= 30][:2]
    for phone in made:
        phone.auth, phone.lock_pin, phone.storage_free = AuthMode.OPEN, None, 64 * 2**30
        phone.import_tap, phone.media, phone.contacts, phone.calls, phone.messages = "auto", 0, 0, 0, 0
    made[0].media, made[0].contacts, made[0].messages = FILES, 2, 1
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    if not MkshRunner.available():
        pytest.skip("mksh or toybox is not installed")
    states = _phones()

    def fill(session: Session, here: Runtime, now: dt.datetime) -> tuple[uuid.UUID, Any]:
        phones = [*map(demo_phone, states), *no_phones("KIT", 4)]
        centre = seed(session, phones, here.policies, now).centre
        ids = [session.query(Handset).filter_by(serial=s.identity.serial).one().id for s in states]
        return centre, (centre, ids)

    with (
        served(tmp_path, fill) as site,
        Fleet(states, "mksh") as fleet,
        reading_agent(site.url, site.code, fleet.ports[0], tmp_path, fleet.ports[1]),
    ):
        old, new = (Path(device.files.real("/sdcard")) for device in fleet.devices)
        yield Desk(site.app, *site.made, old, new, tmp_path)


def _tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_what_one_phone_holds_is_on_the_other_and_proved(desk: Desk) -> None:
    it, lead = desk.who("it"), desk.who("lead")
    wanted = Wanted(desk.phones[0], desk.phones[1], "换机", ("files", "contacts", "calls", "messages"))
    desk.id = desk.act(lambda s, tools, now: open_transfer(s, it, tools, wanted, now).id)
    desk.act(lambda s, tools, now: running.start(s, it, tools, desk.id, now))
    row = desk.until(lambda found: found.state in ("attention", "moved", "failed"))
    assert row.result is not None, (row.state, row.note)
    told = {part["name"]: part["outcome"] for part in row.result["parts"]}
    assert (row.result["files"]["verified"], row.result["files"]["found"]) == (FILES, FILES)
    assert told["contacts"] == "verified"
    moved = _tree(desk.old)
    assert len(moved) == FILES
    assert moved.items() <= _tree(desk.new).items()
    assert row.manifest_command == row.command_id
    # Android lets only its default app write messages: what could not be moved is taken by a lead, or was moved.
    if row.state == "attention":
        assert told["messages"] == "not_offered"
        desk.act(
            lambda s, tools, now: deciding.accept_data(s, lead, desk.id, reason="业务短信已截图", now=now)
        )
    given = deciding.Wechat("no", words="没有登录微信")
    desk.act(lambda s, tools, now: deciding.record_wechat(s, it, tools, desk.id, given, now))
    desk.act(lambda s, tools, now: deciding.accept_wechat(s, lead, desk.id, reason="没有聊天记录", now=now))
    assert desk.row().salt is None
    row = desk.until(lambda found: found.copy == "destroyed")
    assert row.state == "accepted"
    assert not [
        path for path in (desk.home / "agent").rglob(f"*{desk.id}*") if path.is_dir() and any(path.iterdir())
    ]
    run_job(desk.app, next(job for job in all_jobs() if job.name == "transfer_papers"))
    assert desk.row().paper_id is not None
    assert desk.act(lambda s, _tools, _now: transfer_state(s, desk.phones[0])).code == "accepted"
