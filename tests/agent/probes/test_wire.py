"""A real agent, real ADB to simulated phones, real HTTP: tests that reach, that do not, and that are cut off."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.adbkey import load_or_create
from agent.enrol import enrol
from agent.main import main
from agent.simulator.faults import Fault, FaultKind
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.state import State
from app.observers import parse_beat
from app.probes.rules import weigh
from app.probes.schemas import parse_told
from tests.agent.stub_server import AGENT_ID, Stub

ROOT = Path(__file__).parents[3]
AT = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)


class Desk:
    def __init__(self, stub: Stub, state: State, fleet: Fleet, key: Path) -> None:
        self.stub, self.state, self.fleet, self.key = stub, state, fleet, key
        self.serials = [phone.identity.serial for phone in fleet.phones]

    def command(self, name: str, phone: int, *again: float) -> None:
        args = {"probe": name, "again_s": list(again)}
        command = wire.Command(name, "probe", AGENT_ID, self.serials[phone], (), args, 3600)
        self.stub.commands.append(wire.seal_command(command, self.stub.command_key))

    def arguments(self, *options: str) -> list[str]:
        fixed = ["run", "--state", str(self.state.path), "--adb-key", str(self.key), "--no-adb-server"]
        targets = [w for port in self.fleet.ports for w in ("--target", f"tcp:127.0.0.1:{port}")]
        return [*fixed, *options, *targets]

    @contextmanager
    def agent(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "agent", *self.arguments("--interval", "60", *options)]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def result(self, name: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [r for r in self.stub.entries("results") if r["id"] == name]

        self.stub.wait_until(f"result {name}", found)
        (only,) = found()
        assert only["state"] == "succeeded"
        detail: dict[str, Any] = only["detail"]
        return detail

    def read_all(self) -> None:
        """One round, so that the agent knows where each phone is."""
        assert main(self.arguments("--once")) == 0
        assert {r["phone"] for r in self.stub.entries("readings")} == set(self.serials)

    def begun(self, name: str) -> bool:
        """Whether it is on the agent's disk that this test began."""
        with closing(sqlite3.connect(self.state.spool)) as db:
            row = db.execute("SELECT state FROM command WHERE id = ?", (name,)).fetchone()
        return row == ("started",)


@pytest.fixture
def desk(stub: Stub, state: State, tmp_path: Path) -> Iterator[Desk]:
    key = tmp_path / "adbkey"
    load_or_create(key)
    with Fleet([make_phone(n) for n in range(2)]) as fleet:
        made = Desk(stub, state, fleet, key)
        enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
        stub.seen.clear()
        made.read_all()
        yield made


def test_tests_of_a_running_agent(desk: Desk) -> None:
    desk.fleet.set_fault(1, Fault(FaultKind.REFUSE))
    desk.command("c1", 0, 1)
    desk.command("c2", 1, 0.3, 0.6)
    desk.command("c3", 1, 600)
    with desk.agent() as process:
        reached, failed = desk.result("c1"), desk.result("c2")
        desk.stub.wait_until("the third has begun", lambda: desk.begun("c3"))
        process.send_signal(signal.SIGKILL)
    assert reached["outcome"] == "reached"
    assert failed["outcome"] == "not_reached"
    # What the agent says is what the server understands, and the server finds it fair.
    told = parse_told(failed, AT)
    again = [dt.timedelta(seconds=s) for s in (0.3, 0.6)]
    assert weigh(told, told.tries[0].at, again) == ("not_reached", "unreachable")
    assert all(one.checked_at <= one.at for one in told.tries)
    desk.stub.commands = []
    with desk.agent():
        cut_off = desk.result("c3")
    assert (cut_off["outcome"], cut_off["reason"], cut_off["tries"]) == ("inconclusive", "interrupted", [])
    parse_told(cut_off, AT)
    assert any(parse_beat(beat).up for beat in desk.stub.entries("beats"))
    assert desk.stub.problems == []


def test_a_canary_that_is_silent_too_clears_the_phone(desk: Desk) -> None:
    """The gateway lost its own network: then nothing can be said of any phone."""
    for n in (0, 1):
        desk.fleet.set_fault(n, Fault(FaultKind.REFUSE))
    desk.command("c1", 1, 0.3)
    with desk.agent("--canary", f"tcp:127.0.0.1:{desk.fleet.ports[0]}"):
        detail = desk.result("c1")
    assert (detail["outcome"], detail["reason"]) == ("inconclusive", "canary")
    assert detail["checks"]["canary"] is False
