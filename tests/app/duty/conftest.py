"""Two posts: phone S1 at the first, held by Zhang; the second held by Li."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from app.kernel.db import begin_write, db
from app.registry import KitAssignment, Post, PostHolding
from app.registry.model import Handset

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def place(app, org, clock):
    """Ids of all that there is; everything so for 90 days."""
    now = clock.now()
    stamp = {"created_at": now, "updated_at": now}
    since = now - 90 * DAY
    with app.app_context():
        session = begin_write(db.session())

        def add(row):
            session.add(row)
            session.flush()
            return row.id

        second = add(Post(centre_id=org.centre, grid_id=org.grid, code="P2", name="二号岗", **stamp))
        phone = {"brand": "Redmi", "model": "12C", **stamp}
        handset = add(Handset(centre_id=org.centre, asset_tag="GJ-1", serial="S1", **phone))
        other = add(Handset(centre_id=org.other_centre, asset_tag="GJ-9", serial="S9", **phone))
        kit = add(
            KitAssignment(
                centre_id=org.centre, post_id=org.post, handset_id=handset, valid_from=since, **stamp
            )
        )
        held = [
            add(PostHolding(centre_id=org.centre, post_id=post, employee_id=who, valid_from=since, **stamp))
            for post, who in ((org.post, org.zhang), (second, org.li))
        ]
        session.commit()
        db.session.remove()
    return SimpleNamespace(
        handset=handset, other=other, second=second, kit=kit, zhang_holds=held[0], li_holds=held[1], org=org
    )
