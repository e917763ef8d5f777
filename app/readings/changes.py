"""What changed on phones, for a room that follows it behind the check-ins: each content is handed out once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.readings import change_store
from app.readings.rules import WATCHED, Unread


@dataclass(frozen=True, slots=True)
class Content:
    """One content of one section. It was there at `at` and not yet at `before_at`, the last reading that confirmed
    another one; None: no other was read before.
    """

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    name: str
    at: dt.datetime
    before_at: dt.datetime | None
    unread: Unread
    data: Any


def take_changes(session: Session, phones: int) -> list[Content]:
    """The contents that wait for at most so many phones, in the order in which they were read; they wait no longer once
    the caller's transaction commits. Internal: sees every centre.
    """
    ids = change_store.oldest_phones(session, phones)
    rows = change_store.locked(session, ids) if ids else []
    names = {row.name for row in rows if row.data is None}
    there = (
        {(c.handset_id, c.name): c.data for c in change_store.contents(session, ids, names)} if names else {}
    )
    found = [
        Content(
            row.handset_id, row.centre_id, row.name, row.at, row.before_at,
            tuple((part, reason) for part, reason in orjson.loads(row.unread)),
            orjson.loads(there[row.handset_id, row.name] if row.data is None else row.data),
        )
        for row in rows
    ]  # fmt: skip
    change_store.drop(session, [row.id for row in rows])
    return sorted(found, key=lambda content: content.at)


def offer_again(session: Session, handset_ids: Collection[uuid.UUID]) -> None:
    """Put up the present contents of phones that nobody followed yet, as their first."""
    unread = change_store.unread_parts(session, handset_ids)
    rows = []
    for section in change_store.contents(session, handset_ids, WATCHED):
        parts = [
            [part, reason]
            for part, reason in orjson.loads(unread.get(section.handset_id, "[]"))
            if part == section.name or part.startswith(f"{section.name}.")
        ]
        rows.append(
            {
                "handset_id": section.handset_id,
                "centre_id": section.centre_id,
                "name": section.name,
                "at": section.at,
                "before_at": None,
                "unread": orjson.dumps(parts).decode(),
                "data": None,
            }
        )
    change_store.add(session, rows)
