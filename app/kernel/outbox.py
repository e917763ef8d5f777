"""Everything that leaves the house (notices, webhooks) is first a row here, in the transaction of its cause.

A unique key makes a repeated cause leave once; the sender claims due rows and counts attempts. What is sent and what is
given up stays as a row: a person can see what became of it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, String, Text, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, insert_into
from app.kernel.ids import new_id


class OutboxMessage(Identified, Base):
    """`bundle`: messages of one topic and bundle may leave as one; `batch_id`: those that first left together.

    A batch stays the same through its retries, so that a receiver who got it twice can tell by its id.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "sent_at", "given_up_at", "due_at"),
        Index("ix_outbox_bundle", "bundle", "sent_at"),
        Index("ix_outbox_batch", "batch_id"),
    )

    key: Mapped[str] = mapped_column(String(200), unique=True)
    centre_id: Mapped[uuid.UUID | None]
    topic: Mapped[str] = mapped_column(String(80))
    bundle: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    attempts: Mapped[int] = mapped_column(default=0)
    batch_id: Mapped[uuid.UUID | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    given_up_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


@dataclass(frozen=True)
class Batch:
    """What leaves as one message; `id` names it to the receiver, the same at every attempt."""

    id: uuid.UUID
    topic: str
    messages: tuple[OutboxMessage, ...]


def post(
    session: Session,
    *,
    key: str,
    topic: str,
    body: dict[str, Any],
    now: dt.datetime,
    centre_id: uuid.UUID | None = None,
    bundle: str | None = None,
    due_at: dt.datetime | None = None,
    refused: str | None = None,
) -> bool:
    """Put a message in the outbox once; False when a message with this key stands there already.

    With `refused` it stands there as given up from the start, with that reason: it cannot leave and people must see it.
    """
    new = insert_into(session, OutboxMessage).values(
        id=new_id(),
        key=key,
        topic=topic,
        bundle=bundle,
        body=body,
        centre_id=centre_id,
        created_at=now,
        due_at=due_at or now,
        attempts=0,
        last_error=refused,
        given_up_at=now if refused else None,
    )
    # The database decides: of two causes in the same moment, the second waits for the first and then finds its row.
    done = new.on_conflict_do_nothing(index_elements=["key"]).returning(OutboxMessage.id)
    return session.scalar(done) is not None


def _open() -> ColumnElement[bool]:
    return and_(OutboxMessage.sent_at.is_(None), OutboxMessage.given_up_at.is_(None))


def claim(
    session: Session,
    now: dt.datetime,
    *,
    limit: int,
    retry_after: dt.timedelta,
    topics: Collection[str] = (),
) -> list[OutboxMessage]:
    """Take up to `limit` due messages and push their due time on, so that no other sender takes them meanwhile.

    A sender that dies leaves them to be claimed again after `retry_after`: at least once, never lost.
    """
    due = select(OutboxMessage).where(_open(), OutboxMessage.due_at <= now)
    if topics:
        due = due.where(OutboxMessage.topic.in_(topics))
    due = due.order_by(OutboxMessage.due_at).limit(limit)
    rows = list(session.scalars(due.with_for_update(skip_locked=True)))
    _take(rows, now + retry_after)
    session.flush()
    return rows


def _take(rows: Sequence[OutboxMessage], until: dt.datetime) -> None:
    for row in rows:
        row.attempts += 1
        row.due_at = until


def claim_batches(
    session: Session, now: dt.datetime, *, topics: Collection[str], limit: int, retry_after: dt.timedelta
) -> list[Batch]:
    """As `claim`, with what waits for the same bundle taken along: many messages for one person leave as one."""
    rows = claim(session, now, limit=limit, retry_after=retry_after, topics=topics)
    rows += _companions(session, rows, now + retry_after)
    fresh: dict[tuple[str, str], uuid.UUID] = {}
    batches: dict[uuid.UUID, list[OutboxMessage]] = defaultdict(list)
    for row in rows:
        if row.batch_id is None:
            row.batch_id = fresh.setdefault((row.topic, row.bundle or row.key), new_id())
        batches[row.batch_id].append(row)
    session.flush()
    return [
        Batch(batch_id, members[0].topic, tuple(sorted(members, key=lambda m: m.id)))
        for batch_id, members in batches.items()
    ]


def _companions(session: Session, rows: Sequence[OutboxMessage], until: dt.datetime) -> list[OutboxMessage]:
    """Not yet due messages of the bundles that leave for the first time, and members of batches that a limit cut."""
    bundles = {row.bundle for row in rows if row.bundle and row.batch_id is None}
    batches = {row.batch_id for row in rows if row.batch_id is not None}
    if not bundles and not batches:
        return []
    along = or_(
        and_(OutboxMessage.bundle.in_(bundles), OutboxMessage.batch_id.is_(None)),
        OutboxMessage.batch_id.in_(batches),
    )
    topics, known = {row.topic for row in rows}, [row.id for row in rows]
    query = select(OutboxMessage).where(_open(), along, OutboxMessage.topic.in_(topics))
    query = query.where(OutboxMessage.id.not_in(known)).with_for_update(skip_locked=True)
    found = list(session.scalars(query))
    _take(found, until)
    return found


def mark_sent(session: Session, message_id: uuid.UUID, now: dt.datetime) -> None:
    _set(session, message_id, sent_at=now, last_error=None)


def mark_failed(
    session: Session, message_id: uuid.UUID, error: str, *, retry_at: dt.datetime | None, now: dt.datetime
) -> None:
    """Note why it did not leave; `retry_at` None gives it up. `error` holds no secret and no address."""
    if retry_at is None:
        _set(session, message_id, last_error=error, given_up_at=now)
    else:
        _set(session, message_id, last_error=error, due_at=retry_at)


def retry(session: Session, message_id: uuid.UUID, now: dt.datetime) -> bool:
    """Try a message that was given up anew; False when it is none."""
    again = update(OutboxMessage).where(
        OutboxMessage.id == message_id,
        OutboxMessage.given_up_at.is_not(None),
        OutboxMessage.sent_at.is_(None),
    )
    again = again.values(given_up_at=None, attempts=0, due_at=now, last_error=None, batch_id=None)
    return session.scalar(again.returning(OutboxMessage.id)) is not None


def _set(session: Session, message_id: uuid.UUID, **changes: Any) -> None:
    """What was sent stays sent, whatever a second sender says of it later."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id, OutboxMessage.sent_at.is_(None))
        .values(**changes)
        .execution_options(synchronize_session=False)
    )


def prune(session: Session, before: dt.datetime, topics: Collection[str]) -> int:
    """Forget messages of these topics that were sent or given up before then."""
    done = or_(OutboxMessage.sent_at < before, OutboxMessage.given_up_at < before)
    gone = delete(OutboxMessage).where(OutboxMessage.topic.in_(topics), done)
    return len(session.scalars(gone.returning(OutboxMessage.id)).all())
