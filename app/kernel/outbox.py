"""Everything that leaves the house (notices, webhooks) is first a row here, in the transaction of its cause.

A unique key makes a repeated cause leave once; the sender claims due rows and counts attempts.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, Index, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, insert_into
from app.kernel.ids import new_id


class OutboxMessage(Identified, Base):
    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "sent_at", "due_at"),)

    key: Mapped[str] = mapped_column(String(200), unique=True)
    centre_id: Mapped[uuid.UUID | None]
    topic: Mapped[str] = mapped_column(String(80))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


def post(
    session: Session,
    *,
    key: str,
    topic: str,
    body: dict[str, Any],
    now: dt.datetime,
    centre_id: uuid.UUID | None = None,
) -> bool:
    """Put a message in the outbox once; False when a message with this key stands there already."""
    new = insert_into(session, OutboxMessage).values(
        id=new_id(),
        key=key,
        topic=topic,
        body=body,
        centre_id=centre_id,
        created_at=now,
        due_at=now,
        attempts=0,
    )
    # The database decides: of two causes in the same moment, the second waits for the first and then finds its row.
    done = new.on_conflict_do_nothing(index_elements=["key"]).returning(OutboxMessage.id)
    return session.scalar(done) is not None


def claim(
    session: Session, now: dt.datetime, *, limit: int, retry_after: dt.timedelta
) -> list[OutboxMessage]:
    """Take up to `limit` due messages and push their due time on, so that no other sender takes them meanwhile.

    A sender that dies leaves them to be claimed again after `retry_after`: at least once, never lost.
    """
    due = select(OutboxMessage).where(OutboxMessage.sent_at.is_(None), OutboxMessage.due_at <= now)
    rows = session.scalars(
        due.order_by(OutboxMessage.due_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.due_at = now + retry_after
    session.flush()
    return list(rows)


def mark_sent(session: Session, message_id: uuid.UUID, now: dt.datetime) -> None:
    session.execute(
        update(OutboxMessage).where(OutboxMessage.id == message_id).values(sent_at=now, last_error=None)
    )
