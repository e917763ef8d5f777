"""The audit trail: appends a second, and verification of a long trail against bare hashing of the same fields.

Bare hashing is one sha256 over the bytes that an event's hash covers, its parts already in memory. Verification reads
each event from the database, checks hash, link and the details' commitment, so two hashes an event are the floor.
`BENCH_AUDIT_EVENTS` sets how many; it is linear (`detail` has the time an event at a fifth of that length too).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, text
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record, verify
from app.audit.model import AuditHead, AuditRow
from app.audit.rules import GENESIS, ChainFields, commit_details, event_hash
from app.kernel.db import Base, begin_write, from_us, prepare_engine
from app.tables import load_tables

EVENTS = int(os.environ.get("BENCH_AUDIT_EVENTS", "50000"))
APPENDS = 300
LEAST_SHARE = 0.25
LIMIT_TIMES = 40.0
_START_US = 1_790_000_000_000_000
_CHUNK = 5000
_DETAILS = '{"from":"active","to":"retired"}'
_SALT = bytes(16)


def _fields(seq: int) -> ChainFields:
    commit = commit_details(_DETAILS, _SALT)
    return ChainFields(
        seq, _START_US + seq, "", "019f0000-0000-7000-8000-000000000000", "10.0.0.1", "registry.update",
        f"handset:{seq}", "", "ok", commit,
    )  # fmt: skip


def _fill(session: Session, count: int) -> None:
    """A whole chain of so many events, put in without one transaction each."""
    previous = GENESIS
    for start in range(1, count + 1, _CHUNK):
        rows = []
        for seq in range(start, min(start + _CHUNK, count + 1)):
            fields = _fields(seq)
            own = event_hash(fields, previous)
            rows.append(
                {
                    "seq": seq, "at": from_us(fields.at_us), "centre_id": None, "actor": fields.actor,
                    "ip": fields.ip, "action": fields.action, "object": fields.object, "reason": "",
                    "outcome": "ok", "details": _DETAILS, "salt": _SALT, "details_commit": fields.details_commit,
                    "prev_hash": previous, "hash": own,
                }
            )  # fmt: skip
            previous = own
        session.execute(insert(AuditRow), rows)
    session.add(AuditHead(id=1, size=count, hash=previous))
    session.commit()


def _bare_s(count: int) -> float:
    """Two sha256 an event over as many bytes as ours have."""
    fields = _fields(1)
    one = b"".join(part.encode() for part in (fields.actor, fields.ip, fields.action, fields.object)) + bytes(
        140
    )
    two = _SALT + _DETAILS.encode() + bytes(23)
    start = time.perf_counter()
    for _ in range(count):
        hashlib.sha256(one).digest()
        hashlib.sha256(two).digest()
    return time.perf_counter() - start


def _verified_s(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder, _session(Path(folder)) as session:
        _fill(session, count)
        start = time.perf_counter()
        result = verify(session)
        taken = time.perf_counter() - start
    if result.problem or result.size != count:
        raise RuntimeError(f"the trail does not verify: {result.problem}")
    return taken


def _session(folder: Path) -> Session:
    load_tables()
    engine = create_engine(f"sqlite:///{folder / 'audit.db'}")
    prepare_engine(engine)
    Base.metadata.create_all(engine, tables=[AuditRow.__table__, AuditHead.__table__])  # type: ignore[list-item]
    return Session(engine)


def _appends_a_second() -> tuple[float, float]:
    """Each event in a transaction of its own, synced to disk, as acts of people are; and bare commits of one row.

    In turns, so that whatever else the disk does slows both alike.
    """
    at = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    taken = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder, _session(Path(folder)) as session:
        session.execute(text("CREATE TABLE bare (n INTEGER)"))
        session.commit()
        for i in range(APPENDS):
            for kind in (0, 1):
                start = time.perf_counter()
                begin_write(session)
                if kind:
                    session.execute(text("INSERT INTO bare VALUES (:n)"), {"n": i})
                else:
                    record(
                        session, AuditEvent(at=at, actor="a", action="x.y", object=f"o:{i}", details={"n": i})
                    )
                session.commit()
                taken[kind] += time.perf_counter() - start
    return APPENDS / taken[0], APPENDS / taken[1]


def measure() -> list[dict[str, Any]]:
    """Appends a second, and how many times bare hashing a verification takes."""
    appends, bare_commits = _appends_a_second()
    least = round(bare_commits * LEAST_SHARE, 1)
    part, whole, bare = _verified_s(EVENTS // 5), _verified_s(EVENTS), _bare_s(EVENTS)
    times = whole / bare
    return [
        {
            "figure": "audit events appended, each in a transaction of its own (SQLite)",
            "value": round(appends), "limit": least, "unit": "/s", "ok": appends >= least,
            "detail": {"bare_commits_a_second": round(bare_commits)},
        },
        {
            "figure": f"verifying {EVENTS:,} audit events against bare hashing of their bytes",
            "value": round(times, 1), "limit": LIMIT_TIMES, "unit": "x", "ok": times <= LIMIT_TIMES,
            "detail": {
                "verified_s": round(whole, 3), "bare_s": round(bare, 3),
                "us_an_event": round(whole / EVENTS * 1e6, 2),
                "us_an_event_at_a_fifth": round(part / (EVENTS // 5) * 1e6, 2),
            },
        },
    ]  # fmt: skip
