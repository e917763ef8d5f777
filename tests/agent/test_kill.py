"""kill -9 at any point: what was spooled arrives once, no command is carried out twice unasked."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from agent import wire
from agent.batches import Batches
from agent.client import Client
from agent.database import Database
from agent.enrol import enrol
from agent.inbox import Inbox, receive
from agent.instant import site_clock
from agent.reporter import Reporter
from agent.spool import Spool
from agent.state import State
from tests.agent.builders import STATE, Box
from tests.agent.stub_server import AGENT_ID, Stub

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, threading
from pathlib import Path
from agent.client import Client
from agent.reporter import Reporter
from agent.state import State
from tests.agent.builders import STATE, Box
state = State(Path(sys.argv[1]))
identity = state.identity()
box = Box(state.spool)
box.batches._max_entries = 7
client = Client(identity.server_url, state.keys().ed25519, identity.agent_id)
reporter = Reporter(box.batches, client, identity, status=lambda: STATE, on_commands=lambda: None)
import agent.reporter
agent.reporter.BACKOFF_FIRST_S = agent.reporter.BACKOFF_CAP_S = 0.001
threading.Thread(target=reporter.run, args=(threading.Event(),), daemon=True).start()
number = int(sys.argv[2])
while True:
    number += 1
    box.spool.add([box.reading(f"S{number % 5}", uptime_s=number, packages=[number // 10])])
    print(number, flush=True)
    reporter.wake()
"""


def killed(script: str, *arguments: str, after_lines: int) -> list[str]:
    """Run a script, kill it -9 once it has printed so many lines, return all that it printed."""
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(after_lines)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]


def test_what_was_spooled_arrives_once_however_often_the_agent_is_killed(stub: Stub, state: State) -> None:
    identity = enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    rng = random.Random(7)
    spooled: list[float] = []
    for run in range(6):
        stub.faults = rng.sample(["lost", "cut", 500, "rubbish"], 4)
        lines = killed(WRITER, str(state.path), str(run * 1_000_000), after_lines=rng.randint(5, 60))
        spooled += [float(line) for line in lines]
    stub.faults = []

    database = Database(state.spool)
    client = Client(stub.url, state.keys().ed25519, AGENT_ID)
    batches = Batches(Spool(database), site_clock())
    Reporter(batches, client, identity, status=lambda: STATE, on_commands=lambda: None).drain(
        threading.Event()
    )
    database.close()
    client.close()

    counted = [reading["uptime_s"] for reading in stub.entries("readings")]
    assert len(counted) == len(set(counted)), "counted twice"
    assert set(spooled) <= set(counted), "lost"
    assert len(spooled) > 50


def test_every_change_of_a_section_arrives_although_batches_were_cut_off(stub: Stub, state: State) -> None:
    identity = enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    for run in range(3):
        stub.faults = ["lost", "cut"]
        killed(WRITER, str(state.path), str(run * 1_000_000), after_lines=30)
    stub.faults = []
    database = Database(state.spool)
    client = Client(stub.url, state.keys().ed25519, AGENT_ID)
    batches = Batches(Spool(database), site_clock())
    Reporter(batches, client, identity, status=lambda: STATE, on_commands=lambda: None).drain(
        threading.Event()
    )
    database.close()
    client.close()

    known: dict[str, list[int]] = {}
    for body in stub.counted.values():
        for reading in body["readings"]:
            known[reading["phone"]] = reading.get("sections", {}).get("packages") or known[reading["phone"]]
            assert (
                wire.section_tag(wire.canonical_json(known[reading["phone"]])) == reading["tags"]["packages"]
            )


ACTOR = """
import sys, time
from pathlib import Path
from agent.commands import CommandWorker
from agent.inbox import Inbox
from tests.agent.builders import Box
box = Box(Path(sys.argv[1]))
def act(command):
    print(command.id, flush=True)
    time.sleep(60)
CommandWorker(Inbox(box.database, box.clock), {"act": act}, box.clock, on_result=lambda: None).step()
"""


def test_a_command_that_was_killed_in_the_act_is_not_begun_again(tmp_path: Path) -> None:
    box = Box(tmp_path / "spool.db")
    with box.database.transaction() as db:
        receive(db, [wire.Command("c1", "act", "a1", "S1", (), {}, 60)], box.clock.now())
    box.database.close()
    assert killed(ACTOR, str(box.path), after_lines=1) == ["c1"]
    box.open("g1")
    inbox = Inbox(box.database, box.clock)
    assert inbox.next() is None
    assert list(inbox.recover()) == ["c1"]
    assert [(r["id"], r["state"]) for r in box.send()["results"]] == [("c1", "not_now")]
    box.database.close()
