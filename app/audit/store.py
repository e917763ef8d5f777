"""Queries of the chain."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.model import AuditHead, AuditRow

_HEAD_ID = 1


def locked_head(session: Session, genesis: bytes) -> AuditHead:
    """The head row, locked until the commit; made at the very first event."""
    query = select(AuditHead).where(AuditHead.id == _HEAD_ID).with_for_update()
    head = session.scalar(query.execution_options(populate_existing=True))
    if head is None:
        head = AuditHead(id=_HEAD_ID, size=0, hash=genesis)
        session.add(head)
        session.flush()
    return head


def read_head(session: Session) -> AuditHead | None:
    return session.get(AuditHead, _HEAD_ID)


def rows_up_to(session: Session, size: int) -> Iterator[AuditRow]:
    """The first `size` events in order, streamed: a trail of years does not fit in memory."""
    query = select(AuditRow).where(AuditRow.seq <= size).order_by(AuditRow.seq)
    yield from session.scalars(query.execution_options(yield_per=1000))


def has_rows_beyond_head(session: Session) -> bool:
    """Compared inside one statement, so that an append in the same moment is no false alarm."""
    head = select(AuditHead.size).where(AuditHead.id == _HEAD_ID).scalar_subquery()
    query = select(AuditRow.seq).where(AuditRow.seq > func.coalesce(head, 0)).limit(1)
    return session.scalar(query) is not None
