"""What the server costs: CPU of the web processes for readings and for changed snapshots, and their memory.

On PostgreSQL the database's own work is no part of it; SQLite works inside the web process and is measured with it.
Workers are forked from one process that has loaded everything. What a worker costs is therefore a worker's part of the
proportional set sizes of all of them; its resident size, which counts the shared pages in each again, stands beside it.
"""

from __future__ import annotations

import gzip
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Column, MetaData, Table, insert

from agent import wire
from app.kernel.clock import SystemClock
from app.readings.model import PhoneState
from bench.server_site import Site, bare_engine, site
from tests.support import postgres, tools

PHONES = 1000
BATCH = 200
ROUNDS = 5
PACKAGES = 200
CPU_READINGS_S, CPU_SNAPSHOTS_S, MEMORY_MB = 0.15, 2.0, 150
_TAGS = {name: f"{n:032x}" for n, name in enumerate(wire.SECTIONS)}


def measure() -> list[dict[str, Any]]:
    """Figures for SQLite, and for PostgreSQL where this machine has it."""
    figures = []
    for name, database in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as url:
            if url is not None:
                with site(url, Path(folder), PHONES) as made:
                    figures += _figures(name, made, url)
    return figures


@contextmanager
def _sqlite(folder: Path) -> Iterator[str | None]:
    yield f"sqlite:///{folder / 'bench.db'}"


@contextmanager
def _postgresql(_folder: Path) -> Iterator[str | None]:
    if tools.find("postgresql") is None:
        yield None
        return
    postgres.begin_run(None)
    try:
        with postgres.database() as url:
            yield url
    finally:
        postgres.end_run()


def _figures(name: str, made: Site, url: str) -> list[dict[str, Any]]:
    # The first round brings every section's content, so that the tags of the measured ones are known.
    _send(made, _batches(made, lambda n: {"sections": _contents(n, 0)}, BATCH // 2))
    compact = [_timed(made, _batches(made, lambda _n: {}, BATCH)) for _ in range(ROUNDS)]
    changed = [_timed(made, _batches(made, partial(_changed, turn), BATCH // 2)) for turn in (1, 2, 3)]
    bare = _bare_rows_per_s(url)
    resident, share = made.resident_bytes() / 2**20, made.share_bytes() / 2**20
    workers = len(made.workers())
    cpu, wall = statistics.median(c for c, _ in compact), statistics.median(w for _, w in compact)
    changed_cpu = statistics.median(c for c, _ in changed)
    detail = {
        "rounds_cpu_s": [round(c, 3) for c, _ in compact],
        "readings_per_s": round(PHONES / wall),
        "bare_rows_per_s": round(bare),
        "share_of_bare_inserts": round(PHONES / wall / bare, 3),
    }
    return [
        _figure(f"server on {name}: CPU for 1,000 compact readings", cpu, CPU_READINGS_S, "s", detail),
        _figure(
            f"server on {name}: CPU for 1,000 changed snapshots of {PACKAGES} packages",
            changed_cpu,
            CPU_SNAPSHOTS_S,
            "s",
            {"rounds_cpu_s": [round(c, 3) for c, _ in changed]},
        ),
        _figure(
            f"server on {name}: memory of one web process, what they share counted once",
            share,
            MEMORY_MB,
            "MB",
            {"workers": workers},
        ),
        {
            "figure": f"server on {name}: resident memory of the largest, with all that the others share",
            "value": round(resident, 1),
            "limit": None,
            "unit": "MB",
            "ok": True,
            "detail": {},
        },
        {
            "figure": f"server on {name}: readings stored a second, as a share of bare inserts",
            "value": detail["share_of_bare_inserts"],
            "limit": None,
            "unit": "of bare",
            "ok": True,
            "detail": detail,
        },
    ]


def _figure(what: str, value: float, limit: float, unit: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "figure": what,
        "value": round(value, 3),
        "limit": limit,
        "unit": unit,
        "ok": value <= limit,
        "detail": detail,
    }


def _timed(made: Site, batches: list[bytes]) -> tuple[float, float]:
    """CPU-seconds of the web processes and seconds on the wall for sending these batches one after another."""
    cpu, wall = made.cpu_s(), time.perf_counter()
    _send(made, batches)
    return made.cpu_s() - cpu, time.perf_counter() - wall


def _send(made: Site, batches: list[bytes]) -> None:
    for body in batches:
        made.send(body)


def _batches(made: Site, extra: Callable[[int], dict[str, Any]], size: int) -> list[bytes]:
    readings = [_reading(n, serial) | extra(n) for n, serial in enumerate(made.phones)]
    return [_packed(readings[i : i + size]) for i in range(0, len(readings), size)]


def _packed(readings: list[dict[str, Any]]) -> bytes:
    body = {
        "schema": 1,
        "batch": str(uuid.uuid4()),
        "agent": {"version": "0", "spooled": 0, "targets": PHONES, "adb_server": True},
        "readings": readings,
        "unreached": [],
        "results": [],
    }
    return gzip.compress(orjson.dumps(body), 6)


def _reading(n: int, serial: str) -> dict[str, Any]:
    boot = str(uuid.UUID(int=n + (4 << 76)))
    return {
        "phone": serial,
        "target": f"tcp:10.0.{n // 250}.{n % 250}:5555",
        "age_s": 1.5,
        "boot_id": boot,
        "boot_count": 7,
        "uptime_s": round(time.monotonic(), 2),
        "grade": "gateway",
        "tags": _TAGS,
        "unread": [],
        "power": {"battery_percent": n % 100, "charging": False, "airplane_mode": False, "screen_on": True},
    }


def _changed(turn: int, n: int) -> dict[str, Any]:
    """A snapshot whose package list is another than before."""
    tags = _TAGS | {"packages": f"{turn:08x}{n:024x}"}
    return {"tags": tags, "sections": {"packages": _packages(n, turn)}}


def _contents(n: int, turn: int) -> dict[str, Any]:
    return {
        "identity": {"serial": f"BENCH{n:05}", "model": "M", "imei": None},
        "boot_reasons": [{"reason": "reboot", "at": 1718000000}],
        "packages": _packages(n, turn),
        "accounts": [],
        "users": [{"id": 0, "name": "机主", "running": True}],
        "sim": [],
        "setup": {"lock_screen": "set"},
        "storage": {"data_total_bytes": 10**11, "data_free_bytes": 10**10},
        "security": _security(),
    }


def _security() -> dict[str, Any]:
    return {
        "device_owner": {"set": False, "package": None},
        "profile_owners": [],
        "verified_boot": "green",
        "bootloader_locked": True,
        "debuggable": False,
        "build_tags": "release-keys",
        "su": False,
        "selinux": "enforcing",
        "accessibility": [],
        "notification_listeners": ["com.xiaomi.hm/com.xiaomi.hm.Listener"],
        "device_admins": [],
        "input_method": "com.sohu.inputmethod.sogou.xiaomi/.SogouIME",
        "roles": {
            role: [f"com.android.{role}"] for role in ("sms", "dialer", "home", "browser", "assistant")
        },
    }


def _packages(n: int, turn: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"com.example.vendor{i % 17}.app{i}",
            "user": 0,
            "version_code": 100_000 + (i * 7 + n + turn) % 9973,
            "version_name": f"{i % 9}.{n % 100}.{turn}",
            "system": i % 3 > 0,
            "enabled": True,
            "suspended": False,
            "installer": "com.xiaomi.market" if i % 3 == 0 else None,
            **({} if i % 3 else {"signer": "b378e95c"}),
        }
        for i in range(PACKAGES)
    ]


def _bare_rows_per_s(url: str) -> float:
    """The same rows of `phone_state` put into an empty table by Core's batched inserts, and nothing else."""
    engine = bare_engine(url)
    columns = PhoneState.__table__.c
    table = Table(
        "bench_rows", MetaData(), *(Column(c.name, c.type, primary_key=c.primary_key) for c in columns)
    )
    table.create(engine)
    now = SystemClock().now()
    row = {
        "centre_id": uuid.uuid4(),
        "at": now,
        "received_at": now,
        "agent_id": uuid.uuid4(),
        "target": "tcp:10.0.0.1:5555",
        "grade": "gateway",
        "boot_id": str(uuid.uuid4()),
        "boot_count": 7,
        "uptime_us": 10**9,
        "battery_percent": 50,
        "charging": False,
        "airplane_mode": False,
        "screen_on": True,
        "unread": "[]",
        "tags": orjson.dumps({name: [tag, 10**15] for name, tag in _TAGS.items()}).decode(),
    }
    begun = time.perf_counter()
    for _ in range(PHONES // BATCH):
        with engine.begin() as connection:
            connection.execute(insert(table), [{"handset_id": uuid.uuid4(), **row} for _ in range(BATCH)])
    spent = time.perf_counter() - begun
    engine.dispose()
    return PHONES / spent
