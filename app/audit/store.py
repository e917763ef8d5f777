"""Queries of the chain."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.model import AuditHead, AuditRow
from app.kernel.db import insert_into

_HEAD_ID = 1
_CHUNK = 1000


def locked_head(session: Session, genesis: bytes) -> AuditHead:
    """The head row, locked until the commit. The very first event makes it, whoever of two writers comes first."""
    query = select(AuditHead).where(AuditHead.id == _HEAD_ID).with_for_update()
    query = query.execution_options(populate_existing=True)
    head = session.scalar(query)
    if head is None:
        new = insert_into(session, AuditHead).values(id=_HEAD_ID, size=0, hash=genesis)
        session.execute(new.on_conflict_do_nothing())
        head = session.scalars(query).one()
    return head


def read_head(session: Session) -> AuditHead | None:
    return session.get(AuditHead, _HEAD_ID)


def rows_up_to(session: Session, size: int) -> Iterator[AuditRow]:
    """The first `size` events in order, a chunk at a time: a trail of years does not fit in memory."""
    seen = 0
    while True:
        query = select(AuditRow).where(AuditRow.seq > seen, AuditRow.seq <= size).order_by(AuditRow.seq)
        chunk = session.scalars(query.limit(_CHUNK).execution_options(populate_existing=True)).all()
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        seen = chunk[-1].seq


def has_rows_beyond_head(session: Session) -> bool:
    """Compared inside one statement, so that an append in the same moment is no false alarm."""
    head = select(AuditHead.size).where(AuditHead.id == _HEAD_ID).scalar_subquery()
    query = select(AuditRow.seq).where(AuditRow.seq > func.coalesce(head, 0)).limit(1)
    return session.scalar(query) is not None
