"""A phone's files, contacts, calls and messages go to its successor: real server, real agent, two simulated phones."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode, PhoneState
from app import create_app
from app.bootstrap import build_runtime
from app.demo.seed import DemoPhone, seed
from app.escrow import keeping
from app.fleet import make_code
from app.kernel.clock import SystemClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset
from app.rooms import all_jobs
from app.scheduler import run_job
from app.settings import load_settings
from app.transfer import deciding, running, transfer_state
from app.transfer.model import Transfer
from app.transfer.opening import Wanted, open_transfer
from app.transfer.tools import Tools
from tests.e2e.story import reading_agent

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
    settings = load_settings(
        {"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(tmp_path / "var"), "BUTLER_CHECKIN_INTERVAL_S": "5"}
    )
    here = build_runtime(settings)
    app = create_app(here)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    url, states = f"http://127.0.0.1:{server.port}", _phones()
    named = [
        DemoPhone(
            s.identity.serial, s.identity.brand, s.identity.model, tuple(s.identity.imeis), reachable=True
        )
        for s in states
    ]
    named += [DemoPhone(f"KIT{i}", "Redmi", "12C", (), reachable=True) for i in range(4)]
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session, now = begin_write(db.session()), SystemClock().now()
        initialise(session, KeyStore(settings.key_dir, may_create=True), now)
        keeping.set_up(session, here.vault, None, now)
        seeded = seed(session, named, here.policies, now)
        ids = [session.query(Handset).filter_by(serial=s.identity.serial).one().id for s in states]
        key = here.keys.public_key("agent-reads")
        code = make_code(
            session,
            SYSTEM,
            seeded.centre,
            url=url,
            command_key=key,
            name="前台网关",
            handset_id=None,
            hours=1,
            now=now,
        )
        session.commit()
        db.session.remove()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with ExitStack() as stack:
        fleet = stack.enter_context(Fleet(states, "mksh"))
        stack.enter_context(reading_agent(url, str(code.code), fleet.ports[0], tmp_path, fleet.ports[1]))
        roots = [Path(device.files.real("/sdcard")) for device in fleet.devices]
        yield Desk(app, seeded.centre, ids, roots[0], roots[1], tmp_path)
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


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
