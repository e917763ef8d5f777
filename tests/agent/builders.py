"""Entries, spools and clocks for the tests of the agent's running half."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent import wire
from agent.batches import Batch, Batches
from agent.database import Database
from agent.instant import Instant, SiteClock
from agent.spool import Entry, Limits, Spool
from tests.agent.stub_server import HMAC_KEY

STATE: wire.AgentState = {"version": "0", "spooled": 0, "targets": 0, "adb_server": None}


class FakeSteady:
    """A steady clock that stands still until told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Box:
    """A spool with its way out, on one file; `restart` opens it anew, as after a kill."""

    def __init__(self, path: Path, *, limits: Limits | None = None, boot: str = "g1") -> None:
        self.path = path
        self.steady = FakeSteady()
        self.limits = limits
        self.open(boot)

    def open(self, boot: str) -> None:
        self.clock = SiteClock(boot, self.steady)
        self.database = Database(self.path)
        self.spool = Spool(self.database, self.limits)
        self.batches = Batches(self.spool, self.clock)

    def restart(self, boot: str | None = None) -> None:
        self.database.close()
        self.open(boot or self.clock.boot)

    def reading(
        self, phone: str = "S1", boot_id: str = "b1", uptime_s: float = 10.0, **sections: Any
    ) -> Entry:
        contents = {name: wire.canonical_json(data) for name, data in sections.items()}
        body = {
            "phone": phone,
            "target": f"server:{phone}",
            "boot_id": boot_id,
            "uptime_s": uptime_s,
            "tags": {name: wire.section_tag(wire.canonical_json(data)) for name, data in sections.items()},
        }
        return Entry("readings", body, self.clock.now(), f"{phone} {boot_id}", contents)

    def unreached(self, target: str = "tcp:h:1", reason: str = "timeout") -> Entry:
        body = {"target": target, "phone": None, "reason": reason}
        return Entry("unreached", body, self.clock.now(), f"{target} {reason}")

    def result(self, command: str = "c1", state: str = "succeeded") -> Entry:
        return Entry("results", {"id": command, "state": state, "detail": {}}, self.clock.now())

    def journal(self, phone: str = "S1", boot_id: str = "b0", last_uptime_s: float = 9.0) -> Entry:
        body = {"phone": phone, "boot_id": boot_id, "last_uptime_s": last_uptime_s}
        return Entry("journals", body, self.clock.now())

    def body(self, batch: Batch) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.batches.body(batch, STATE))
        return found

    def acknowledge(
        self, batch: Batch, *commands: wire.Command, want: list[wire.Wanted] | None = None
    ) -> None:
        self.batches.acknowledge(batch, answer(batch, want), commands)

    def send(self, *, want: list[wire.Wanted] | None = None) -> dict[str, Any]:
        """One exchange that succeeds; its body."""
        batch = self.batches.next()
        body = self.body(batch)
        self.acknowledge(batch, want=want)
        return body


def answer(batch: Batch, want: list[wire.Wanted] | None = None) -> wire.CheckinAnswer:
    return {
        "batch": batch.uuid,
        "interval_s": 60,
        "accepted": 0,
        "rejected": [],
        "want": want or [],
        "commands": [],
        "hmac_key": wire.b64(HMAC_KEY),
    }


def at(seconds: float, boot: str = "g1") -> Instant:
    return Instant(seconds, boot)
