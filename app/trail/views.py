"""Events as the page shows them, and how the trail stands."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy.orm import Session

from app.audit import AuditRow, last_checkpoint
from app.fleet import actor_names
from app.kernel.db import from_us
from app.kernel.keys import KeyStore
from app.trail import store
from app.trail.words import action_words, object_path, object_words


@dataclass(frozen=True)
class Line:
    """`details` is None when they were erased."""

    row: AuditRow
    who: str
    action: str
    object: str
    path: str | None
    centre: str
    details: Sequence[tuple[str, str]] | None


def lines(session: Session, rows: Sequence[AuditRow], centres: Mapping[uuid.UUID, str]) -> list[Line]:
    names = actor_names(session, [row.actor for row in rows])
    return [
        Line(
            row=row,
            who=names.get(row.actor, row.actor),
            action=action_words(row.action),
            object=object_words(row.object),
            path=object_path(row.object),
            centre=centres.get(row.centre_id, "") if row.centre_id else "",
            details=None if row.details is None else _details(row.details),
        )
        for row in rows
    ]


def _details(text: str) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else orjson.dumps(value).decode())
        for name, value in orjson.loads(text).items()
    ]


@dataclass(frozen=True)
class Standing:
    """`size` events; the last checkpoint covers `signed` of them, made `at`. `waiting`, `failed`: on their way out."""

    size: int
    signed: int
    at: dt.datetime | None
    sent_at: dt.datetime | None
    waiting: int
    failed: int


def standing(session: Session, keys: KeyStore) -> Standing:
    last = last_checkpoint(session, keys)
    sent_at, waiting, failed = store.deliveries(session)
    return Standing(
        size=store.size(session),
        signed=last.size if last else 0,
        at=from_us(last.at_us) if last else None,
        sent_at=sent_at,
        waiting=waiting,
        failed=failed,
    )
