"""Closing a month of 2,500, 5,000 and 10,000 phones in one centre: seconds, and whether they grow with the number.

Each phone has a post and a butler with a whole month of custody, every 20th of them two strikes and every 50th an open
incident, whose traces are kept. The limit is measured in the same run: the same number of ledger rows with their audit
events, and the same traces, written alone by the very functions that the closing uses.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from bench.place import added, application, database, service_centre

SIZES = (2_500, 5_000, 10_000)
MONTH = "2026-10"
NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
OVER_FLOOR = 2.5
"""Times what bookings and traces alone take; custody, rulings and lines are the rest."""
LINEAR = 1.5
"""Seconds a phone at 10,000 over those at 2,500."""


def measure() -> list[dict[str, Any]]:
    figures = []
    for name in ("sqlite", "postgresql"):
        taken = {size: _one(name, size) for size in SIZES}
        if any(found is None for found in taken.values()):
            continue
        figures += _figures(name, {size: found for size, found in taken.items() if found is not None})
    return figures


def _figures(name: str, taken: dict[int, tuple[float, float]]) -> list[dict[str, Any]]:
    small, large = SIZES[0], SIZES[-1]
    closing, booking = taken[large]
    growth = (closing / large) / (taken[small][0] / small)
    seconds = {str(size): round(found[0], 2) for size, found in taken.items()}
    detail = {"seconds": seconds, "floor_s": round(booking, 2), "load": round(os.getloadavg()[0], 1)}
    return [
        {
            "figure": f"closing a month of {large} phones on {name} / its bookings and traces alone",
            "value": round(closing / booking, 2),
            "limit": OVER_FLOOR,
            "unit": "x",
            "ok": closing <= OVER_FLOOR * booking,
            "detail": detail,
        },
        {
            "figure": f"closing on {name}: time a phone at {large} over that at {small}",
            "value": round(growth, 2),
            "limit": LINEAR,
            "unit": "x",
            "ok": growth <= LINEAR,
            "detail": {},
        },
    ]


def _one(name: str, size: int) -> tuple[float, float] | None:
    """Seconds of closing and of its bookings alone; None where the machine has no such database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(name, folder))
        if url is None:
            return None
        app = application(url, folder, NOW)
        with app.app_context():
            return _closed(app, size)


def _closed(app: Flask, size: int) -> tuple[float, float]:
    from app.allowance import Tools, close_month, preview
    from app.kernel.db import begin_write, db
    from app.kernel.tenancy import SYSTEM

    made = app.extensions["butler"]
    tools = Tools(made.policies, made.blobs)
    session = begin_write(db.session())
    centre, people = _fleet(session, size)
    # As the database's own housekeeping does within a minute: without it PostgreSQL plans for empty tables.
    session.execute(text("ANALYZE"))
    session.commit()
    begin_write(session)
    booking = _bookings(session, centre, people) + _traces(session, tools.files)
    session.rollback()
    seen = preview(session, SYSTEM, tools, centre, MONTH)[0].sha256
    session.rollback()
    session.expunge_all()
    begin_write(session)
    start = time.perf_counter()
    close_month(session, SYSTEM, tools, centre, MONTH, seen=seen, now=NOW)
    session.commit()
    closing = time.perf_counter() - start
    db.session.remove()
    for engine in db.engines.values():
        engine.dispose()
    return closing, booking


def _bookings(session: Session, centre: uuid.UUID, people: list[uuid.UUID]) -> float:
    from app.kernel.money import Fen
    from app.kernel.tenancy import SYSTEM
    from app.ledger import Entry, book_all

    entries = [
        Entry(centre, person, MONTH, "grant", Fen(5000), "U05", f"bench:{person}", "话费补贴，保管 31 天")
        for person in people
    ]
    start = time.perf_counter()
    book_all(session, SYSTEM, entries, NOW)
    session.commit()
    return time.perf_counter() - start


def _traces(session: Session, policies: Any) -> float:
    from sqlalchemy import select

    from app.incidents import Incident, export_trace

    phones = sorted(set(session.scalars(select(Incident.handset_id))))
    start = time.perf_counter()
    for phone in phones:
        export_trace(session, policies, [phone], NOW)
    return time.perf_counter() - start


def _fleet(session: Session, size: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
    from app.registry import Grid

    centre = service_centre(session, START)
    grid = added(
        session, Grid(centre_id=centre, code="G1", name="一号片区", created_at=START, updated_at=START)
    )
    return centre, _butlers(session, centre, grid, size)


def _butlers(session: Session, centre: uuid.UUID, grid: uuid.UUID, size: int) -> list[uuid.UUID]:
    from app.kernel.ids import new_id
    from app.registry import Employee, Handset, KitAssignment, Post, PostHolding

    ids = [(new_id(), new_id(), new_id()) for _ in range(size)]
    base = {"centre_id": centre, "created_at": START, "updated_at": START, "version": 1}
    span = {**base, "valid_from": START, "valid_to": None}
    rows: dict[Any, list[dict[str, Any]]] = {
        Post: [],
        Employee: [],
        Handset: [],
        KitAssignment: [],
        PostHolding: [],
    }
    for i, (post, person, phone) in enumerate(ids):
        tag = f"{i:05}"
        rows[Post].append({**base, "id": post, "grid_id": grid, "code": tag, "name": tag})
        rows[Employee].append({**base, "id": person, "number": tag, "name": f"管家{tag}"})
        about = {"asset_tag": tag, "serial": tag, "brand": "Redmi", "model": "Note", "specification": {}}
        rows[Handset].append({**base, "id": phone, **about})
        rows[KitAssignment].append({**span, "id": new_id(), "post_id": post, "handset_id": phone})
        rows[PostHolding].append({**span, "id": new_id(), "post_id": post, "employee_id": person})
    for model, values in rows.items():
        session.execute(insert(model), values)
    _incidents(session, centre, ids)
    return [person for _, person, _ in ids]


def _incidents(
    session: Session, centre: uuid.UUID, ids: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]
) -> None:
    """Written as the room of incidents keeps them; to rule 10,000 phones first is another measurement."""
    from app.incidents.model import Incident, IncidentStrike
    from app.kernel.ids import new_id

    incidents, strikes = [], []
    for i, (_, person, phone) in enumerate(ids):
        number = 2 if i % 20 == 0 else 1 if i % 50 == 1 else 0
        for k in range(number):
            at, row_id = dt.datetime(2026, 10, 10 + k, 3, tzinfo=dt.UTC), new_id()
            about = {"handset_id": phone, "centre_id": centre, "employee_id": person, "answers": str(person)}
            status = "confirmed" if number == 2 else "undecided"
            incidents.append({
                **about, "id": row_id, "version": 1, "kind": "b", "status": status, "state": "ruled", "start_at": at,
                "end_at": at, "month": MONTH, "hits": [], "off": [], "strikes": int(number == 2),
                "inputs_sha256": "0" * 64, "policy_version": 1, "policy_sha256": "0" * 64, "policy_body": {},
                "opened_at": at, "changed_at": at,
            })  # fmt: skip
            if number == 2:
                strikes.append({**about, "id": new_id(), "incident_id": row_id, "at": at, "month": MONTH})
    session.execute(insert(Incident), incidents)
    session.execute(insert(IncidentStrike), strikes)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
