"""Phones and readings for tests of what is derived from them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask

from app.kernel.db import begin_write, db
from app.readings import AbsorbedReading
from app.registry import Handset
from tests.app.conftest import START

BOOT_A = "aaaaaaaa-0000-4000-8000-000000000001"
BOOT_B = "bbbbbbbb-0000-4000-8000-000000000002"
AGENT = uuid.UUID("01980000-0000-7000-8000-00000000a9e7")


def add_handset(app: Flask, centre: uuid.UUID, serial: str, **fields: Any) -> uuid.UUID:
    """A registered handset, committed."""
    with app.app_context():
        session = begin_write(db.session())
        row = Handset(
            centre_id=centre,
            asset_tag=f"GJ-{serial}",
            serial=serial,
            brand="Xiaomi",
            model="M1",
            created_at=START,
            updated_at=START,
            **fields,
        )
        session.add(row)
        session.commit()
        handset_id = row.id
        db.session.remove()
    return handset_id


def reading(
    handset_id: uuid.UUID,
    centre_id: uuid.UUID,
    boot_id: str,
    at: dt.datetime | None,
    uptime_us: int,
    *,
    count: int | None = None,
    grade: str = "gateway",
    sections: Mapping[str, Any] | None = None,
    unread: tuple[tuple[str, str], ...] = (),
    unread_changed: bool = False,
) -> AbsorbedReading:
    return AbsorbedReading(
        handset_id,
        centre_id,
        at,
        boot_id,
        count,
        uptime_us,
        grade,
        AGENT,
        sections or {},
        unread,
        {},
        unread_changed,
    )
