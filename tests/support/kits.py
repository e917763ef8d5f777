"""A post with its kit: phone S1 and a number, held by Zhang, and households of its grid."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.registry import Household, KitAssignment, Number, PostHolding
from tests.support.fleet import Phones

E164 = "+8613800000001"


@dataclass(frozen=True)
class Kit:
    """`number` reaches phone S1 at `org.post`, held by `org.zhang` since a day; the rooms are of its grid."""

    handset: uuid.UUID
    number: uuid.UUID
    rooms: dict[str, uuid.UUID]


@pytest.fixture
def kit(app: Flask, clock: FixedClock, org: Any, phones: Phones) -> Kit:
    stamp = {"created_at": clock.now(), "updated_at": clock.now()}
    since = clock.now() - dt.timedelta(days=1)
    with app.app_context():
        session = begin_write(db.session())

        def add(row: Any) -> uuid.UUID:
            session.add(row)
            session.flush()
            found: uuid.UUID = row.id
            return found

        number = add(Number(centre_id=org.centre, e164=E164, **stamp))
        tie = {"centre_id": org.centre, "post_id": org.post, "valid_from": since, **stamp}
        add(KitAssignment(handset_id=phones["S1"], **tie))
        add(KitAssignment(number_id=number, **tie))
        add(PostHolding(employee_id=org.zhang, **tie))
        rooms = {
            room: add(Household(centre_id=org.centre, grid_id=org.grid, room=room, **stamp))
            for room in ("1-101", "1-102")
        }
        session.commit()
        db.session.remove()
    return Kit(phones["S1"], number, rooms)
