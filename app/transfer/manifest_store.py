"""Queries of manifests: pages as they come, entries as people read them."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Row, Select, delete, func, insert, select
from sqlalchemy.orm import Session

from app.transfer.model import ManifestEntry, ManifestPage, Transfer
from app.transfer.rules import PAGE_ENTRIES, SHORT
from app.transfer.wire_schemas import ENTRY_MEMBERS, Page, line_of

_READ_AT_ONCE = 2_000
_WRITTEN_AT_ONCE = 1_000


def pages_of(session: Session, command_id: uuid.UUID) -> Sequence[ManifestPage]:
    query = select(ManifestPage).where(ManifestPage.command_id == command_id)
    return session.scalars(query.order_by(ManifestPage.page)).all()


def forget(session: Session, command_id: uuid.UUID) -> None:
    """A manifest that another one of the same order replaces."""
    session.execute(delete(ManifestEntry).where(ManifestEntry.command_id == command_id))
    session.execute(delete(ManifestPage).where(ManifestPage.command_id == command_id))


def forget_others(session: Session, transfer_id: uuid.UUID, command_id: uuid.UUID) -> None:
    """Manifests of a transfer's earlier orders: each later one is whole by itself."""
    for model in (ManifestEntry, ManifestPage):
        session.execute(delete(model).where(model.transfer_id == transfer_id, model.command_id != command_id))


def keep(session: Session, row: Transfer, page: Page, content: str, now: dt.datetime) -> None:
    same = {"command_id": page.command_id, "centre_id": row.centre_id, "transfer_id": row.id}
    session.execute(
        insert(ManifestPage),
        [
            {
                **same, "page": page.page, "pages": page.pages, "entries": len(page.entries), "sha256": page.sha256,
                "content": content, "received_at": now,
            }
        ],
    )  # fmt: skip
    first = page.page * PAGE_ENTRIES
    rows = [{**same, "place": first + i, **entry} for i, entry in enumerate(page.entries)]
    for start in range(0, len(rows), _WRITTEN_AT_ONCE):
        session.execute(insert(ManifestEntry), rows[start : start + _WRITTEN_AT_ONCE])


def lines(session: Session, command_id: uuid.UUID) -> Iterator[bytes]:
    """The canonical manifest, line by line, a few thousand rows in memory at a time."""
    place = -1
    columns = [getattr(ManifestEntry, name) for name in ENTRY_MEMBERS]
    while True:
        query = select(ManifestEntry.place, *columns).where(
            ManifestEntry.command_id == command_id, ManifestEntry.place > place
        )
        rows = session.execute(query.order_by(ManifestEntry.place).limit(_READ_AT_ONCE)).all()
        for row in rows:
            yield line_of(dict(zip(ENTRY_MEMBERS, row[1:], strict=True)))
        if len(rows) < _READ_AT_ONCE:
            return
        place = rows[-1].place


def digest(session: Session, command_id: uuid.UUID) -> str:
    """The sha256 over the canonical manifest as it stands in the database; hexadecimal."""
    found = hashlib.sha256()
    for line in lines(session, command_id):
        found.update(line)
    return found.hexdigest()


def counts(session: Session, command_id: uuid.UUID) -> Mapping[tuple[str, str], int]:
    """(part, state) → entries."""
    query = select(ManifestEntry.part, ManifestEntry.state, func.count()).where(
        ManifestEntry.command_id == command_id
    )
    found = session.execute(query.group_by(ManifestEntry.part, ManifestEntry.state))
    return {(part, state): int(number) for part, state, number in found}


def entries(
    command_id: uuid.UUID, *, part: str | None = None, states: Collection[str] = (), words: str = ""
) -> Select[ManifestEntry]:
    query = select(ManifestEntry).where(ManifestEntry.command_id == command_id)
    if part is not None:
        query = query.where(ManifestEntry.part == part)
    if states:
        query = query.where(ManifestEntry.state.in_(states))
    if words:
        query = query.where(ManifestEntry.path.icontains(words, autoescape=True))
    return query


def rows_after(
    session: Session, query: Select[ManifestEntry], place: int, limit: int
) -> Sequence[ManifestEntry]:
    more = query.where(ManifestEntry.place > place).order_by(ManifestEntry.place).limit(limit)
    return session.scalars(more).all()


def short_counts(session: Session, command_id: uuid.UUID) -> Sequence[Row[str, str, str | None, int]]:
    """Part, state, reason and number of what is not proved to be on the new phone."""
    columns = (ManifestEntry.part, ManifestEntry.state, ManifestEntry.reason)
    query = select(*columns, func.count()).where(
        ManifestEntry.command_id == command_id, ManifestEntry.state.in_(SHORT)
    )
    return session.execute(query.group_by(*columns).order_by(*columns)).all()
