"""A gateway as it runs: the real reader, spool, reporter, client, inbox and kinds, each step at the test's word."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import wire
from agent.boxes import Boxes
from agent.client import Client, ServerAway
from agent.commands import CommandWorker, Kind
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.inbox import Inbox
from agent.inspect_phone import InspectPhone
from agent.pins import KeyPins
from agent.reading import PhoneReader
from agent.remove import RemoveApp, RestoreApp
from agent.reporter import AgentStopped, Reporter
from agent.state import Identity
from agent.sweep import Serials
from agent.transport import TransportOptions
from agent.wipe import WipeKind
from tests.agent.builders import STATE, Box
from tests.support.agents import FakeAgent
from tests.support.wipe_line import BASE, Line

Tell = Callable[[str, dict[str, Any]], None]


class Gateway:
    """`enrolled` has the keys. `on_stage` is called with each word on the way once it is on disk."""

    def __init__(
        self, enrolled: FakeAgent, line: Line, folder: Path, targets: Callable[[], Sequence[str]],
        now: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.enrolled, self.line, self.targets, self.now = enrolled, line, targets, now
        self.box = Box(folder / "spool.db")
        self.options = TransportOptions(connect_s=5.0, auth_wait_s=0.2)
        self.on_stage: Callable[[str], None] = lambda stage: None
        self.serials = Serials()
        self.know(enrolled)

    def know(self, enrolled: FakeAgent) -> None:
        """Be this agent from now on."""
        assert enrolled.command_key is not None
        key = wire.b64(enrolled.command_key.public_bytes_raw())
        self.enrolled = enrolled
        self.identity = Identity(BASE, enrolled.agent_id, key, "前台网关", "gateway", 60)
        self._begin()

    def _begin(self) -> None:
        self.boxes = Boxes(self.box.steady)
        client = Client(
            BASE, self.enrolled.key, self.identity.agent_id, wall_clock=lambda: self.now().timestamp()
        )
        client._session.mount("http://", self.line)
        self.reporter = Reporter(
            self.box.batches, client, self.identity, status=lambda: STATE, on_commands=lambda: None,
            pins=KeyPins(self.identity, self._save), boxes=self.boxes,
        )  # fmt: skip
        inbox = Inbox(self.box.database, self.box.clock)
        at_hand = PhoneAtHand(self.options, Hands(), self.serials, self.targets, self.options.clock, 1.0)

        def tell(command_id: str, detail: dict[str, Any]) -> None:
            inbox.tell(command_id, detail)
            self.on_stage(str(detail.get("stage")))

        kinds: dict[str, Kind] = {
            "wipe_phone": WipeKind(self.enrolled.sealed, self.boxes, at_hand, inbox.left_s, tell),
            "inspect_phone": InspectPhone(at_hand),
            "remove_app": RemoveApp(at_hand, settle_s=0, sleep=lambda _: None),
            "restore_app": RestoreApp(at_hand, settle_s=0, sleep=lambda _: None),
        }
        self.worker = CommandWorker(inbox, kinds, self.box.clock, on_result=lambda: None)
        self.inbox = inbox

    def _save(self, identity: Identity) -> None:
        self.identity = replace(identity)

    def read(self) -> None:
        """A round of readings, by the real reader."""
        reader = PhoneReader(self.box.clock, self.options)
        for target in self.targets():
            entry = reader.read(target, self.serials.at(target))
            self.box.spool.add([entry])
            self.serials.learn(entry)

    def report(self) -> bool:
        """Check in until nothing waits; False when the server was away, or does not take this agent."""
        try:
            while self.reporter.check_in():
                pass
        except (ServerAway, AgentStopped):
            return False
        return True

    def work(self) -> None:
        """Carry out all that waits."""
        self.inbox.recover(self.worker._cut_off)
        while self.worker.step():
            pass

    def restart(self) -> None:
        """Killed and started again: what was in memory is gone."""
        self.box.restart()
        self._begin()

    def copy(self) -> Path:
        """The spool as it is now, as somebody copies a disk."""
        place = self.box.path.with_name(f"copy-{uuid.uuid4().hex}.db")
        self.box.database.close()
        shutil.copy(self.box.path, place)
        self.box.open(self.box.clock.boot)
        self._begin()
        return place

    def restore(self, place: Path) -> None:
        self.box.database.close()
        for name in ("", "-wal", "-shm"):
            self.box.path.with_name(self.box.path.name + name).unlink(missing_ok=True)
        shutil.copy(place, self.box.path)
        self.box.open(self.box.clock.boot)
        self._begin()

    def close(self) -> None:
        self.box.database.close()
