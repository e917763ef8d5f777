"""Queries of the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, func, select, type_coerce, update
from sqlalchemy.orm import Session

from app.audit.model import AuditCheckpoint, AuditHead, AuditRow
from app.audit.rules import ChainFields
from app.audit.walk_rules import ERASED, StoredEvent
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


def events_up_to(session: Session, size: int) -> Iterator[StoredEvent]:
    """The first `size` events in order, a chunk at a time: a trail of years does not fit in memory."""
    row = AuditRow
    # Plain columns and not mapped rows: years of events are read at one go, and each as cheaply as can be.
    columns = (
        row.seq, type_coerce(row.at, BigInteger).label("at_us"), row.centre_id, row.actor, row.ip, row.action,
        row.object, row.reason, row.outcome, row.details, row.salt, row.details_commit, row.prev_hash, row.hash,
    )  # fmt: skip
    seen = 0
    while True:
        query = select(*columns).where(row.seq > seen, row.seq <= size).order_by(row.seq).limit(_CHUNK)
        chunk = session.execute(query).all()
        yield from (_stored(found) for found in chunk)
        if len(chunk) < _CHUNK:
            return
        seen = chunk[-1].seq


def _stored(row: Any) -> StoredEvent:
    seq, at_us, centre, actor, ip, action, subject, reason, outcome, details, salt, commit, previous, own = (
        row
    )
    fields = ChainFields(
        seq, at_us, str(centre) if centre else "", actor, ip, action, subject, reason, outcome, commit
    )
    return StoredEvent(fields, details, salt, previous, own)


def has_rows_beyond_head(session: Session) -> bool:
    """Compared inside one statement, so that an append in the same moment is no false alarm."""
    head = select(AuditHead.size).where(AuditHead.id == _HEAD_ID).scalar_subquery()
    query = select(AuditRow.seq).where(AuditRow.seq > func.coalesce(head, 0)).limit(1)
    return session.scalar(query) is not None


def checkpoints(session: Session) -> Sequence[AuditCheckpoint]:
    return session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.size)).all()


def last_checkpoint(session: Session) -> AuditCheckpoint | None:
    return session.scalar(select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1))


def add_checkpoint(session: Session, values: dict[str, Any]) -> bool:
    """False when one of this size stands already."""
    new = insert_into(session, AuditCheckpoint).values(values).on_conflict_do_nothing()
    return session.scalar(new.returning(AuditCheckpoint.size)) is not None


def erasable(session: Session, subject: str, size: int) -> Sequence[int]:
    """Events of this object up to `size` whose details stand, but erasures themselves."""
    query = select(AuditRow.seq).where(
        AuditRow.object == subject,
        AuditRow.seq <= size,
        AuditRow.details.is_not(None),
        AuditRow.action != ERASED,
    )
    return session.scalars(query.order_by(AuditRow.seq)).all()


def forget_details(session: Session, numbers: Sequence[int]) -> None:
    """Both the details and the salt go: with the salt, what is short could be guessed."""
    for start in range(0, len(numbers), _CHUNK):
        some = AuditRow.seq.in_(numbers[start : start + _CHUNK])
        session.execute(update(AuditRow).where(some).values(details=None, salt=None))
