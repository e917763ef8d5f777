"""What the pages and the API show of phones' present state."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.kernel.db import from_us
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.readings import store
from app.readings.model import ContactFailure, PhoneState, Sighting
from app.readings.rules import Power, Unread


@dataclass(frozen=True)
class PhoneNow:
    """The newest dated reading of a phone. `at` None: it was never read with a known age.

    `confirmed`: when the kept content of each section was last read as it is.
    """

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    at: dt.datetime | None
    received_at: dt.datetime | None
    agent_id: uuid.UUID | None
    target: str | None
    grade: str | None
    boot_id: str | None
    boot_count: int | None
    uptime_us: int | None
    power: Power
    unread: Unread
    identity_refused: bool
    confirmed: Mapping[str, dt.datetime]


@dataclass(frozen=True)
class Sighted:
    """A phone that an agent read and nobody registered."""

    centre_id: uuid.UUID
    serial: str
    agent_id: uuid.UUID
    target: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    times: int
    identity: dict[str, Any] | None


def phone_states(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, PhoneNow]:
    """The phones among these that were ever read and that the caller may see."""
    return {s.handset_id: _phone_now(s) for s in store.states(session, principal, handset_ids)}


def confirmed_at(
    session: Session, handset_ids: Collection[uuid.UUID], section: str
) -> dict[uuid.UUID, dt.datetime]:
    """When the kept content of a section was last read as it is, of the phones of which it ever was. Internal: asks no
    principal.
    """
    found = {}
    for row in store.states(session, SYSTEM, handset_ids):
        known = orjson.loads(row.tags).get(section)
        if known is not None:
            found[row.handset_id] = from_us(known[1])
    return found


def contact_failures(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ContactFailure]]:
    """Per phone the targets at which it is not reached at present, newest last."""
    found: dict[uuid.UUID, list[ContactFailure]] = {}
    for failure in sorted(store.failures(session, principal, handset_ids), key=lambda f: f.last_at):
        if failure.handset_id is not None:
            found.setdefault(failure.handset_id, []).append(failure)
    return found


def list_sightings(
    session: Session, principal: Principal, *, cursor: str | None = None, limit: int = 50
) -> Page[Sighted]:
    """Unregistered phones, the one seen last first."""
    keys = [
        SortKey("last_seen_at", Sighting.last_seen_at, descending=True),
        SortKey("centre_id", Sighting.centre_id),
        SortKey("serial", Sighting.serial),
    ]
    page = paginate(session, store.sightings_query(principal), keys, cursor=cursor, limit=limit)
    return Page([_sighted(row) for row in page.items], page.next_cursor)


def _phone_now(row: PhoneState) -> PhoneNow:
    return PhoneNow(
        handset_id=row.handset_id,
        centre_id=row.centre_id,
        at=row.at,
        received_at=row.received_at,
        agent_id=row.agent_id,
        target=row.target,
        grade=row.grade,
        boot_id=row.boot_id,
        boot_count=row.boot_count,
        uptime_us=row.uptime_us,
        power=Power(row.battery_percent, row.charging, row.airplane_mode, row.screen_on),
        unread=tuple((part, reason) for part, reason in orjson.loads(row.unread)),
        identity_refused=row.refused_identity is not None,
        confirmed={name: from_us(at) for name, (_, at) in orjson.loads(row.tags).items()},
    )


def _sighted(row: Sighting) -> Sighted:
    return Sighted(
        row.centre_id, row.serial, row.agent_id, row.target, row.first_seen_at, row.last_seen_at, row.times,
        None if row.identity is None else orjson.loads(row.identity),
    )  # fmt: skip
