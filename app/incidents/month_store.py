"""Queries for the closing of months: two tables and no ruling made anew, so that ten thousand phones are seconds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.incidents.model import Incident, IncidentStrike, RuledPhone
from app.incidents.rules import PENDING

MatterKind = Literal["strike", "suspected", "undecided"]
_CHUNK = 500
_HOLDER = "holder:"


class MatterRow(NamedTuple):
    employee_id: uuid.UUID
    incident_id: uuid.UUID
    handset_id: uuid.UUID
    at: dt.datetime
    kind: MatterKind


def employees_of(session: Session, centre_id: uuid.UUID, month: str) -> set[uuid.UUID]:
    """Who had custody of a phone of the centre in the month, or has a strike or open incident of one."""
    struck = select(IncidentStrike.employee_id).where(
        IncidentStrike.centre_id == centre_id, IncidentStrike.month == month
    )
    waiting = select(Incident.employee_id).where(
        Incident.centre_id == centre_id, Incident.month == month, Incident.status.in_(PENDING)
    )
    found = {*session.scalars(struck), *session.scalars(waiting.where(Incident.gone_at.is_(None)))}
    found.discard(None)
    shares = select(RuledPhone.shares).where(RuledPhone.centre_id == centre_id)
    for shared in session.scalars(shares.execution_options(yield_per=1000)):
        found |= {uuid.UUID(who) for who, when in shared if when == month and not who.startswith(_HOLDER)}
    return {employee for employee in found if employee is not None}


def matters(session: Session, employees: Collection[uuid.UUID], month: str) -> Iterator[MatterRow]:
    """Strikes and waiting incidents of these employees in the month, at any centre's phones."""
    ids = iter(sorted(employees))
    while chunk := list(islice(ids, _CHUNK)):
        strikes = select(
            IncidentStrike.employee_id,
            IncidentStrike.incident_id,
            IncidentStrike.handset_id,
            IncidentStrike.at,
        ).where(IncidentStrike.employee_id.in_(chunk), IncidentStrike.month == month)
        yield from (_matter(row, "strike") for row in session.execute(strikes))
        waiting = select(
            Incident.employee_id,
            Incident.id.label("incident_id"),
            Incident.handset_id,
            Incident.start_at.label("at"),
            Incident.status,
        ).where(
            Incident.employee_id.in_(chunk),
            Incident.month == month,
            Incident.status.in_(PENDING),
            Incident.gone_at.is_(None),
        )
        yield from (_matter(row, row.status) for row in session.execute(waiting))


def _matter(row: Any, kind: Any) -> MatterRow:
    return MatterRow(row.employee_id, row.incident_id, row.handset_id, row.at, kind)
