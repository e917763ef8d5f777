"""When a phone was in contact, and how much of its time is proved; for whoever weighs a test that did not reach it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy.orm import Session

from app.kernel.db import from_us, to_us
from app.kernel.tenancy import SYSTEM, Principal
from app.uptime import store
from app.uptime.rules import State, decide


def contacts(session: Session, handset_id: uuid.UUID) -> list[tuple[dt.datetime, dt.datetime]]:
    """The first and the last dated reading of each boot, in order. Internal: sees every centre.

    Between the two the phone was on, for one boot id is one run.
    """
    found: list[tuple[dt.datetime, dt.datetime]] = []
    for _, boot in store.boots_of(session, SYSTEM, handset_id):
        if boot.read_first is not None and boot.read_last is not None:
            found.append((from_us(boot.read_first), from_us(boot.read_last)))
    return sorted(found)


def proved_shares(
    session: Session,
    principal: Principal,
    handset_ids: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
) -> dict[uuid.UUID, float]:
    """The share of `[start, end)` that is proved on or off, 0 to 1, of each phone asked for."""
    length = to_us(end) - to_us(start)
    shares: dict[uuid.UUID, float] = {}
    for handset_id in handset_ids:
        boots = (boot for _, boot in store.boots_of(session, principal, handset_id))
        decided = decide(boots, to_us(start), to_us(end))
        shares[handset_id] = (decided.total(State.ON) + decided.total(State.OFF)) / length
    return shares
