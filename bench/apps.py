"""The index of apps: what it costs to follow changed phones, and how long the list of a whole fleet takes.

Following is compared with what nobody can do without: parsing both contents of each phone, comparing them as sets, and
writing as many bare rows. The list is compared with the barest query that could answer it, one count by package.
"""

from __future__ import annotations

import copy
import datetime as dt
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, text
from sqlalchemy.orm import Session

from app import create_app
from app.apps.fleet import Wanted, fleet_apps, with_versions
from app.apps.indexing import index_changes
from app.apps.model import AppPackage, AppPhone, AppPresence
from app.bootstrap import build_runtime
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef, Power, Reading, absorb
from app.registry import Company, District, Handset, HandsetRef, ServiceCentre
from app.settings import load_settings

PHONES, PACKAGES, BATCH = 1000, 200, 250
FLEET, APPS_EACH, CENTRES, KNOWN = 10_000, 60, 40, 3000
FOLLOW_LIMIT, LIST_LIMIT_S = 12.0, 5.0
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
_STAMP: dict[str, Any] = {"created_at": NOW, "updated_at": NOW}


def measure() -> list[dict[str, Any]]:
    """On SQLite, which does the database's part in this very process."""
    with tempfile.TemporaryDirectory() as folder, _made(Path(folder)) as (app, centres):
        return [_follow(app, centres), *_list(app, centres)]


def _follow(app: Flask, centres: list[uuid.UUID]) -> dict[str, Any]:
    session, files = db.session(), app.extensions["butler"].policies
    phones = _handsets(session, centres, PHONES, "S")
    before = [_packages(n) for n in range(PHONES)]
    _read(session, phones, before, NOW)
    while index_changes(session, files, BATCH):
        pass
    after = [_changed(rows, n) for n, rows in enumerate(before)]
    _read(session, phones, after, NOW + dt.timedelta(hours=1))
    session.flush()
    start = time.process_time()
    while index_changes(session, files, BATCH):
        pass
    session.flush()
    taken = time.process_time() - start
    session.commit()
    begin_write(session)
    floor = _floor(session, before, after)
    return {
        "figure": f"following {PHONES:,} changed phones of {PACKAGES} packages / parse, compare and write bare",
        "value": round(taken / floor, 2),
        "limit": FOLLOW_LIMIT,
        "unit": "x",
        "ok": taken <= FOLLOW_LIMIT * floor,
        "detail": {
            "cpu_s": round(taken, 3),
            "floor_s": round(floor, 3),
            "ms_a_phone": round(taken * 1000 / PHONES, 2),
        },
    }


def _packages(n: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"com.vendor{k % 7}.part{k}", "user": 0, "version_code": k + n % 3, "version_name": f"{k}.{n % 3}",
            "system": k >= APPS_EACH, "enabled": True, "suspended": False, "installer": "com.xiaomi.market",
        }
        for k in range(PACKAGES)
    ]  # fmt: skip


def _changed(rows: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """One app is new, one has another version, one is gone."""
    found = copy.deepcopy(rows)
    found[n % 50]["version_code"] += 1
    del found[50]
    return [*found, {**found[0], "name": f"com.new.app{n % 90}"}]


def _read(session: Session, phones: list[HandsetRef], contents: list[Any], at: dt.datetime) -> None:
    agent = AgentRef(uuid.UUID(int=1), phones[0].centre_id, "gateway")
    for start in range(0, len(phones), 100):
        readings = [
            (
                Reading(
                    phone.serial, "tcp:x", 0, str(uuid.UUID(int=7)), 1, 1, "gateway", Power(None, None, None, None),
                    {"packages": f"{hash(str(contents[n])) & (2**60 - 1):032x}"}, {"packages": contents[n]}, (),
                ),
                phone,
            )
            for n, phone in list(enumerate(phones))[start : start + 100]
        ]  # fmt: skip
        absorb(session, agent, readings, at)


def _floor(session: Session, before: list[Any], after: list[Any]) -> float:
    """Seconds of the work that no index can do without."""
    texts = [(orjson.dumps(old), orjson.dumps(new)) for old, new in zip(before, after, strict=True)]
    table = Table(
        "bare",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("name", Text),
        Column("detail", Text),
    )
    table.create(session.connection())
    start = time.process_time()
    rows = []
    for old, new in texts:
        known = {tuple(row.values()) for row in orjson.loads(old)}
        now = {tuple(row.values()) for row in orjson.loads(new)}
        rows += [{"name": row[0], "detail": str(row)} for row in known ^ now]
    session.execute(insert(table), rows)
    return time.process_time() - start


def _list(app: Flask, centres: list[uuid.UUID]) -> list[dict[str, Any]]:
    session, files = db.session(), app.extensions["butler"].policies
    rows = _fill(session, centres)
    session.commit()
    wanted = Wanted()
    taken, bare = [], []
    for _ in range(3):
        start = time.perf_counter()
        found = fleet_apps(session, SYSTEM, files, wanted).found
        with_versions(session, SYSTEM, wanted, found[:50])
        taken.append(time.perf_counter() - start)
        start = time.perf_counter()
        session.execute(text("SELECT package_no, count(*) FROM app_presence GROUP BY package_no")).all()
        bare.append(time.perf_counter() - start)
    seconds, floor = min(taken), min(bare)
    detail = {"rows": rows, "packages": len(found), "bare_s": round(floor, 3)}
    what = f"list of the apps of {FLEET:,} phones with {APPS_EACH} each"
    return [
        {
            "figure": f"{what} / a bare count by package",
            "value": round(seconds / floor, 1),
            "limit": None,
            "unit": "x",
            "ok": True,
            "detail": detail,
        },
        {
            "figure": what,
            "value": round(seconds, 2),
            "limit": LIST_LIMIT_S,
            "unit": "s",
            "ok": seconds <= LIST_LIMIT_S,
            "detail": detail,
        },
    ]


def _fill(session: Session, centres: list[uuid.UUID]) -> int:
    phones = _handsets(session, centres, FLEET, "F")
    last = session.scalar(text("SELECT max(no) FROM app_phone")) or 0
    first = (session.scalar(text("SELECT max(no) FROM app_package")) or 0) + 1
    session.execute(
        insert(AppPackage), [{"no": first + n, "name": f"com.fleet.app{n}"} for n in range(KNOWN)]
    )
    known = [
        {
            "no": last + n + 1, "handset_id": phone.id, "centre_id": phone.centre_id, "brand": "Xiaomi",
            "model": f"M{n % 8}", "baseline_at": NOW, "listed": "", "memory": b"x" * 5000,
        }
        for n, phone in enumerate(phones)
    ]  # fmt: skip
    session.execute(insert(AppPhone), known)
    draw, weights, count = random.Random(1), [1 / (n + 1) for n in range(KNOWN)], 0
    times = dict.fromkeys(("first_at", "since_at", "changed_at"), NOW)
    for start in range(0, FLEET, 500):
        rows = [
            {
                "phone_no": phone["no"], "user_no": 0, "package_no": first + number, "version_code": 1,
                "version_name": f"{draw.randint(1, 9)}.0", "installer": "com.xiaomi.market", "signer": None,
                "system": False, "enabled": True, "suspended": False, **times,
            }
            for phone in known[start : start + 500]
            for number in sorted({*range(20), *draw.choices(range(KNOWN), weights, k=2 * APPS_EACH)})[:APPS_EACH]
        ]  # fmt: skip
        session.execute(insert(AppPresence), rows)
        count += len(rows)
    return count


def _handsets(session: Session, centres: list[uuid.UUID], number: int, mark: str) -> list[HandsetRef]:
    found = [
        HandsetRef(uuid.uuid4(), centres[n % len(centres)], f"{mark}{n}", (), False) for n in range(number)
    ]
    session.execute(
        insert(Handset),
        [
            {
                "id": phone.id, "centre_id": phone.centre_id, "asset_tag": phone.serial, "serial": phone.serial,
                "brand": "Xiaomi", "model": "M", "specification": {}, "version": 1, **_STAMP,
            }
            for phone in found
        ],
    )  # fmt: skip
    return found


@contextmanager
def _made(folder: Path) -> Iterator[tuple[Flask, list[uuid.UUID]]]:
    settings = load_settings(
        {"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(folder), "BUTLER_LOG_LEVEL": "ERROR"}
    )
    app = create_app(build_runtime(settings))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session = begin_write(db.session())
        initialise(session, KeyStore(settings.key_dir, may_create=True), NOW)
        company = Company(name="示例物业", **_STAMP)
        session.add(company)
        session.flush()
        district = District(company_id=company.id, code="D", name="大区", **_STAMP)
        session.add(district)
        session.flush()
        centres = [
            ServiceCentre(district_id=district.id, code=f"C{n}", name=f"中心{n}", **_STAMP)
            for n in range(CENTRES)
        ]
        session.add_all(centres)
        session.flush()
        yield app, [centre.id for centre in centres]
        db.session.remove()
        db.engine.dispose()
