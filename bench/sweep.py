"""Sweep of 500 simulated phones behind a slow link at concurrency 50: time against the floor, and the agent's memory.

The link delays a round trip by 50 ms, half of it each way. The floor is what waiting alone takes: round trips of one
reading x 50 ms x phones / concurrency. The phones know our key, answer with canned output and live in a process of
their own; every reading is spooled on disk, as in `agent run`. `agent_cpu_s` tells the agent's own work from what else
the machine was doing, of which `load` is the average.
"""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent.adbkey import load_or_create
from agent.clock import steady
from agent.database import Database
from agent.instant import site_clock
from agent.journal import JournalKeeper
from agent.reading import PhoneReader
from agent.spool import Spool
from agent.sweep import Sweeper
from agent.transport import TransportOptions

PHONES = 500
PACKAGES = 200
CONCURRENCY = 50
ROUND_TRIP_S = 0.05
ROUND_TRIPS = 3
"""TCP's own hand-shake is not delayed here; then hello, proof of the key, the stream."""
TIME_LIMIT = 2.0
MEMORY_LIMIT_MB = 150


def _phones(pipe: Connection) -> None:
    """The other process."""
    from agent.simulator.fleet import Fleet
    from agent.simulator.make import make_phone

    phones = [make_phone(index, packages=PACKAGES) for index in range(PHONES)]
    line = pipe.recv()
    for phone in phones:
        phone.delay_s = ROUND_TRIP_S / 2
        phone.authorised_keys = [line]
    with Fleet(phones) as fleet:
        pipe.send(fleet.ports)
        pipe.recv()
        pipe.send([(device.counters.opens, device.counters.connections) for device in fleet.devices])


def measure() -> list[dict[str, Any]]:
    """Time and memory of one sweep after a first one, as most sweeps are.

    The first also puts the journal on each phone, by a second stream.
    """
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_phones, args=(there,), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _sweep(here, Path(folder))
    finally:
        process.join(5)
        process.kill()


def _sweep(phones: Connection, folder: Path) -> list[dict[str, Any]]:
    key = load_or_create(folder / "adbkey")
    phones.send(key.GetPublicKey().decode())
    targets = [f"tcp:127.0.0.1:{port}" for port in phones.recv()]
    database = Database(folder / "agent.db")
    spool = Spool(database)
    reader = PhoneReader(
        site_clock(),
        TransportOptions(key=lambda: key),
        hmac_key=lambda: b"k" * 32,
        journals=JournalKeeper(spool.collected, steady),
    )
    sweeper = Sweeper(
        reader, spool.add, targets=lambda: targets, interval_s=lambda: 60.0, concurrency=CONCURRENCY
    )
    sweeper.once()
    cpu = time.process_time()
    start = time.perf_counter()
    sweeper.once()
    taken = time.perf_counter() - start
    cpu = time.process_time() - cpu
    phones.send("done")
    counters = phones.recv()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor = ROUND_TRIP_S * ROUND_TRIPS * PHONES / CONCURRENCY
    clean = set(counters) == {(3, 2)} and set(_kinds(database)) == {"journals", "readings"}
    database.close()
    detail = {
        "phones": PHONES,
        "packages": PACKAGES,
        "seconds": round(taken, 3),
        "floor_s": round(floor, 3),
        "agent_cpu_s": round(cpu, 3),
        "load": round(os.getloadavg()[0], 1),
        "one_stream_a_reading": clean,
    }
    return [
        {
            "figure": f"sweep of {PHONES} phones with 50 ms round trips at concurrency {CONCURRENCY} / floor",
            "value": round(taken / floor, 2),
            "limit": TIME_LIMIT,
            "unit": "x",
            "ok": taken <= TIME_LIMIT * floor and clean,
            "detail": detail,
        },
        {
            "figure": "peak resident memory of the agent in that sweep",
            "value": round(memory_mb, 1),
            "limit": MEMORY_LIMIT_MB,
            "unit": "MB",
            "ok": memory_mb < MEMORY_LIMIT_MB,
            "detail": {},
        },
    ]


def _kinds(database: Database) -> list[str]:
    with database.transaction() as db:
        return [row[0] for row in db.execute("SELECT DISTINCT part FROM entry")]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
