"""When phones were last heard by a gateway: what tells a site that fell silent from a phone that did."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.db import UtcDateTime
from app.readings.model import PhoneState
from app.registry import Handset


@dataclass(frozen=True, slots=True)
class Heard:
    """`at`: the instant of the newest dated reading that a gateway took of a phone in service."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    at: dt.datetime


def last_heard(
    session: Session, *, since: dt.datetime | None = None, handset_ids: Collection[uuid.UUID] | None = None
) -> list[Heard]:
    """The phones in service that a gateway ever read (or since `since`), by centre. Internal: sees every centre.

    What a phone says of itself is no contact: an agent on the phone reaches that phone whatever its network.
    """
    query = (
        select(Handset.id, Handset.centre_id, type_coerce(PhoneState.at, UtcDateTime()))
        .join(PhoneState, PhoneState.handset_id == Handset.id)
        .where(Handset.retired_at.is_(None), PhoneState.at.is_not(None), PhoneState.grade == "gateway")
    )
    if since is not None:
        query = query.where(PhoneState.at >= since)
    if handset_ids is not None:
        query = query.where(Handset.id.in_(handset_ids))
    return [Heard(*row) for row in session.execute(query.order_by(Handset.centre_id, Handset.id))]


def heard_count(session: Session, since: dt.datetime) -> int:
    """Phones of the whole company of which something came in since. Internal."""
    query = select(func.count()).select_from(PhoneState).where(PhoneState.received_at >= since)
    return session.scalar(query) or 0
