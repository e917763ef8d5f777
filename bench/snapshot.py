"""Snapshot of a phone with 200 packages on loopback: at most 3 times one bare shell call of the same number of bytes.

Both over a connection that stands already, so that nothing which they share hides what the snapshot costs. `detail`
also has both as whole jobs of the agent: it connects, proves its key, opens one stream, reads, closes. What is compared
is measured in turns: whatever else the machine does slows both alike. The phones are canned, in a process of their own.
"""

from __future__ import annotations

import json
import multiprocessing as mp
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent.adbkey import AdbKey, load_or_create
from agent.phone import snapshot_command
from agent.snapshot import read_snapshot
from agent.transport import TransportOptions, open_transport

PACKAGES = 200
ROUNDS = 100
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


def _medians_ms(*acts: Callable[[], object]) -> list[float]:
    """The median time of each, called in turns."""
    taken: list[list[float]] = [[] for _ in acts]
    for turn in range(WARM_UP + ROUNDS):
        for act, times in zip(acts, taken, strict=True):
            start = time.perf_counter()
            act()
            if turn >= WARM_UP:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) * 1000 for times in taken]


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

    with open_transport(phone, options) as asked, open_transport(flooding, options) as flooded:
        size = len(asked.run(snapshot_command()[0], 30).stdout)
        phones.send(size)
        phones.recv()
        snapshot, bare = _medians_ms(lambda: read_snapshot(asked), lambda: flooded.run("id", 30))
    snapshot_whole, bare_whole = _medians_ms(snapshot_job, bare_job)
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
            "with_connecting": round(snapshot_whole / bare_whole, 2),
            "snapshot_job_ms": round(snapshot_whole, 3),
            "bare_job_ms": round(bare_whole, 3),
        },
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
