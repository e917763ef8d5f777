"""For other rooms: what the latest round said of one part of a kit."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.credchecks import life_store
from app.credchecks.words import item_word
from app.people import names_of


@dataclass(frozen=True)
class LastCheck:
    """`results`: each label with its result in words and its state (`match`, `mismatch`, `open` …). `at`, `by`: of the
    last of them that was settled.
    """

    round_id: uuid.UUID
    month: str
    at: dt.datetime
    by: str
    results: Sequence[tuple[str, str, str]]


def last_check(session: Session, subject_id: uuid.UUID) -> LastCheck | None:
    """Of a phone, number or account; None when no round settled anything of it. Internal: the caller may see it."""
    found = life_store.last_items(session, subject_id)
    settled = [(item.at, item) for item, _ in found if item.at is not None]
    if not settled:
        return None
    at, latest = max(settled, key=lambda one: one[0])
    row, actor = found[0][1], latest.by or ""
    return LastCheck(
        round_id=row.id,
        month=row.month,
        at=at,
        by=names_of(session, [actor])[actor],
        results=[(item.label, item_word(item), item.state) for item, _ in found],
    )
