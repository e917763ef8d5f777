"""Judging phones by the allow-list: evaluations a second against a bare set comparison, and a whole fleet judged anew
after the policy changed, for 1,250 to 10,000 phones of 400 packages each.

The set comparison is the least that could be done with the same lists: which packages that are not the system's stand
on no list. Both run in this process, over the same phones.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bench.place import application, database, service_centre

SIZES = (1_250, 2_500, 5_000, 10_000)
PACKAGES = 400
NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
OVER_SETS = 12.0
"""Times what the set comparison alone takes: all other findings, and words for them, are the rest."""
LINEAR = 1.5
"""Seconds a phone at 10,000 over those at 1,250."""
LONGEST_S = 2.0
"""In which, on SQLite, nobody else writes."""
_EVALUATED, _ROUNDS = 200, 5


def measure() -> list[dict[str, Any]]:
    figures = [_evaluations()]
    for name in ("sqlite", "postgresql"):
        taken = {size: _one(name, size) for size in SIZES}
        if all(found is not None for found in taken.values()):
            figures += _figures(name, {size: found for size, found in taken.items() if found is not None})
    return figures


def _evaluations() -> dict[str, Any]:
    from app.compliance.lists import allowlist_of
    from app.compliance.rules import Inputs, evaluate
    from app.policy import PolicyFiles
    from app.settings import ROOT

    policy = allowlist_of(PolicyFiles(ROOT / "policies").latest("allowlist").body, "xiaomi", "M1")
    known = frozenset(policy.places)
    phones = [_sections(random.Random(seed)) for seed in range(_EVALUATED)]
    inputs = [Inputs(**phone, airplane_mode=False, read_at=NOW) for phone in phones]

    def judged() -> None:
        for one in inputs:
            evaluate(one, policy, NOW)

    def compared() -> None:
        for phone in phones:
            {p["name"] for p in phone["packages"] if not p["system"]} - known

    whole, sets = min(_timed(judged) for _ in range(_ROUNDS)), min(_timed(compared) for _ in range(_ROUNDS))
    return {
        "figure": f"an evaluation of a phone with {PACKAGES} packages / a bare set comparison",
        "value": round(whole / sets, 2),
        "limit": OVER_SETS,
        "unit": "x",
        "ok": whole <= OVER_SETS * sets,
        "detail": {
            "evaluations_per_s": round(_EVALUATED / whole),
            "set_comparisons_per_s": round(_EVALUATED / sets),
            "load": round(os.getloadavg()[0], 1),
        },
    }


def _timed(act: Any) -> float:
    """Of the processor: what else the machine does then counts for neither."""
    start = time.process_time()
    act()
    return time.process_time() - start


def _figures(name: str, taken: dict[int, tuple[float, float]]) -> list[dict[str, Any]]:
    small, large = SIZES[0], SIZES[-1]
    growth = (taken[large][0] / large) / (taken[small][0] / small)
    longest = max(longest for _, longest in taken.values())
    seconds = {str(size): round(found[0], 2) for size, found in taken.items()}
    detail = {"seconds": seconds, "phones_per_s": round(large / taken[large][0])}
    return [
        {
            "figure": f"judging anew after a policy change on {name}: time a phone at {large} over that at {small}",
            "value": round(growth, 2),
            "limit": LINEAR,
            "unit": "x",
            "ok": growth <= LINEAR,
            "detail": detail | {"load": round(os.getloadavg()[0], 1)},
        },
        {
            "figure": f"judging {large} phones anew on {name}: longest transaction",
            "value": round(longest, 2),
            "limit": LONGEST_S,
            "unit": "s",
            "ok": longest <= LONGEST_S,
            "detail": {},
        },
    ]


def _one(name: str, size: int) -> tuple[float, float] | None:
    """Seconds in transactions, and of the longest of them; None where the machine has no such database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(name, folder))
        if url is None:
            return None
        app = application(url, folder, NOW)
        with app.app_context():
            return _rejudged(app, size)


def _rejudged(app: Flask, size: int) -> tuple[float, float]:
    from app.compliance.service import rejudge_due
    from app.kernel.clock import FixedClock
    from app.kernel.db import begin_write, db
    from app.kernel.tenancy import SYSTEM
    from app.policy import LayerInput, put_layer

    files = app.extensions["butler"].policies
    session = begin_write(db.session())
    centre = _fleet(session, size)
    session.commit()
    spent: list[float] = []

    @contextmanager
    def transactions() -> Iterator[Session]:
        opened = begin_write(db.session())
        start = time.perf_counter()
        yield opened
        opened.commit()
        spent.append(time.perf_counter() - start)
        db.session.remove()

    def judge_all() -> int:
        return rejudge_due(transactions, files, FixedClock(NOW), budget_s=3600, pause=lambda _: None)

    if judge_all() != size:
        raise RuntimeError("the first verdicts are not those of the fleet")
    session = begin_write(db.session())
    session.execute(text("ANALYZE"))
    change = LayerInput("allowlist", "centre", centre, {"forbidden": {"com.other.a1": "甲"}}, "bench")
    put_layer(session, SYSTEM, files, change, expected_version=0, now=NOW)
    session.commit()
    spent.clear()
    if judge_all() != size:
        raise RuntimeError("not every phone was judged anew")
    db.session.remove()
    for engine in db.engines.values():
        engine.dispose()
    return sum(spent), max(spent)


def _fleet(session: Session, size: int) -> uuid.UUID:
    """Written as the room of readings keeps them; to absorb 10,000 readings first is another measurement."""
    from app.kernel.ids import new_id
    from app.readings.model import PhoneSection, PhoneState
    from app.registry import Handset

    stamp = {"created_at": NOW, "updated_at": NOW}
    centre = service_centre(session, NOW)
    kinds = [_sections(random.Random(seed)) for seed in range(50)]
    texts = [{name: orjson.dumps(data).decode() for name, data in kind.items()} for kind in kinds]
    for start in range(0, size, 500):
        handsets, states, sections = [], [], []
        for i in range(start, min(start + 500, size)):
            phone, tag = new_id(), f"{i:05}"
            handsets.append({
                "id": phone, "centre_id": centre, "version": 1, "asset_tag": tag, "serial": tag, "brand": "Redmi",
                "model": "Note", "specification": {}, **stamp,
            })  # fmt: skip
            data = texts[i % len(texts)]
            tags = {name: ["0" * 32, 1_795_312_800_000_000] for name in data}
            states.append({
                "handset_id": phone, "centre_id": centre, "at": NOW, "received_at": NOW, "airplane_mode": False,
                "tags": orjson.dumps(tags).decode(), "unread": "[]",
            })  # fmt: skip
            sections += [
                {
                    "handset_id": phone,
                    "name": name,
                    "centre_id": centre,
                    "tag": "0" * 32,
                    "at": NOW,
                    "data": told,
                }
                for name, told in data.items()
            ]
        for model, rows in ((Handset, handsets), (PhoneState, states), (PhoneSection, sections)):
            session.execute(insert(model), rows)
    return centre


def _sections(rng: random.Random) -> dict[str, Any]:
    """A phone of 400 packages, 320 of them the system's; three in ten have something wrong."""
    packages = [_package(f"com.vendor.part{i}", system=True) for i in range(PACKAGES - 80)]
    packages += [_package(f"com.other.a{i}", system=rng.random() < 0.95) for i in range(79)]
    packages.append(_package("com.tencent.mm", system=False))
    if rng.random() < 0.3:
        packages[-2] = _package("com.ss.android.ugc.aweme", system=False)
    rng.shuffle(packages)
    return {
        "packages": packages,
        "users": [{"id": 0, "name": "机主", "running": True}],
        "accounts": [],
        "setup": {
            "device_provisioned": True, "user_setup_complete": True, "adb_wifi": False, "developer_options": True,
            "unknown_sources": [], "lock_screen": "set",
        },
        "storage": {"data_total_bytes": 2**36, "data_free_bytes": 2**35},
        "security": {
            "device_owner": {"set": False, "package": None}, "profile_owners": [], "verified_boot": "green",
            "bootloader_locked": True, "debuggable": False, "build_tags": "release-keys", "su": False,
            "selinux": "enforcing", "accessibility": [],
        },
        "identity": {"brand": "Redmi", "model": "Note", "security_patch": "2026-08-01"},
    }  # fmt: skip


def _package(name: str, *, system: bool) -> dict[str, Any]:
    return {
        "name": name, "user": 0, "version_code": 2580, "version_name": "8.0.49", "system": system, "enabled": True,
        "suspended": False, "installer": None if system else "com.xiaomi.market",
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
