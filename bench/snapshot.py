"""Snapshot of a phone with 200 packages on loopback: at most 3 times one bare shell call of the same number of bytes.

Each is a job of the agent: it connects, proves its key, opens one stream, reads, closes. `detail` also has both over a
connection that stands already. The phones are canned, in a process of their own.
"""

from __future__ import annotations

import json
import multiprocessing as mp
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent.adbkey import AdbKey, load_or_create
from agent.phone import snapshot_command
from agent.snapshot import read_snapshot
from agent.transport import TransportOptions, open_transport

PACKAGES = 200
ROUNDS = 60
WARM_UP = 5
LIMIT = 3.0


def _phones(pipe: Connection) -> None:
    """The other process: a phone that answers, and one that floods as many bytes as it is then told."""
    from agent.simulator.faults import Fault, FaultKind
    from agent.simulator.fleet import Fleet
    from agent.simulator.make import make_phone

    phones = [make_phone(1, packages=PACKAGES) for _ in range(2)]
    with Fleet(phones) as fleet:
        pipe.send(fleet.ports)
        fleet.set_fault(1, Fault(FaultKind.FLOOD, size=pipe.recv()))
        pipe.send("ready")
        while pipe.recv() == "count":
            pipe.send(fleet.devices[0].counters.opens)


def _median_ms(act: Any) -> float:
    for _ in range(WARM_UP):
        act()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000


def measure() -> dict[str, Any]:
    """The figure with what it is made of, in milliseconds and bytes."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_phones, args=(there,), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _compare(here, load_or_create(Path(folder) / "adbkey"))
    finally:
        here.send("done")
        process.join(5)
        process.kill()


def _compare(phones: Connection, key: AdbKey) -> dict[str, Any]:
    phone, flooding = (f"tcp:127.0.0.1:{port}" for port in phones.recv())
    options = TransportOptions(key=lambda: key)

    def snapshot_job() -> int:
        with open_transport(phone, options) as transport:
            return len(read_snapshot(transport).body["packages"])

    def bare_job() -> int:
        with open_transport(flooding, options) as transport:
            return len(transport.run("id", 30).stdout)

    with open_transport(phone, options) as transport:
        size = len(transport.run(snapshot_command()[0], 30).stdout)
        standing = _median_ms(lambda: read_snapshot(transport))
    phones.send(size)
    phones.recv()
    with open_transport(flooding, options) as transport:
        bare_standing = _median_ms(lambda: transport.run("id", 30))
    snapshot, bare = _median_ms(snapshot_job), _median_ms(bare_job)
    phones.send("count")
    streams = (phones.recv() - 1) / (2 * (ROUNDS + WARM_UP))
    return {
        "figure": "snapshot of a phone with 200 packages / bare shell call of the same bytes",
        "value": round(snapshot / bare, 2),
        "limit": LIMIT,
        "ok": snapshot <= LIMIT * bare and streams == 1 and bare_job() == size,
        "unit": "x",
        "detail": {
            "packages": snapshot_job(),
            "bytes": size,
            "snapshot_ms": round(snapshot, 3),
            "bare_ms": round(bare, 3),
            "streams_per_snapshot": streams,
            "standing_connection": round(standing / bare_standing, 2),
            "standing_snapshot_ms": round(standing, 3),
            "standing_bare_ms": round(bare_standing, 3),
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
