"""Boots that are old enough to be forgotten. Whether a ruling rests on them only `app.incidents` knows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy.orm import Session

from app.kernel.db import to_us
from app.uptime import store


def old_boots(
    session: Session, before: dt.datetime, limit: int
) -> list[tuple[uuid.UUID, uuid.UUID, list[uuid.UUID]]]:
    """Phones, centres and the boots that were read last before `before`; not the latest boot of a phone. Internal."""
    found = store.old_boots(session, to_us(before), limit)
    return [(phone, centre, boots) for (phone, centre), boots in found.items()]


def forget_boots(session: Session, handset_id: uuid.UUID, boot_ids: Collection[uuid.UUID]) -> None:
    """Delete these boots of a phone for good. Internal: the caller made sure that no ruling rests on them."""
    store.forget_boots(session, handset_id, boot_ids)
