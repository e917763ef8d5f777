"""A POST that is sent twice (a double click, a lost answer) acts once: the first answer is kept and given again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, UtcDateTime, insert_into
from app.kernel.errors import Conflict, Invalid

MAX_KEY_CHARS = 100
KEPT_FOR = dt.timedelta(days=2)


class IdempotencyRecord(Base):
    __tablename__ = "idempotency"

    principal: Mapped[str] = mapped_column(String(100), primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY_CHARS), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    status: Mapped[int | None]
    headers: Mapped[str | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class StoredAnswer:
    status: int
    headers: str
    body: bytes


def claim(
    session: Session, *, principal: str, key: str, fingerprint: str, now: dt.datetime
) -> StoredAnswer | None:
    """Take the key in this transaction; the stored answer when it was used before for the very same request.

    A request that runs at the same time with the same key waits here for the first one's transaction (the primary key
    makes it wait) and then finds its answer. Raise `Invalid` when the key was used for another request.
    """
    values = {"principal": principal, "key": key, "fingerprint": fingerprint, "created_at": now}
    new = insert_into(session, IdempotencyRecord).values(values).on_conflict_do_nothing()
    if session.scalar(new.returning(IdempotencyRecord.key)) is not None:
        return None
    row = session.scalar(
        select(IdempotencyRecord).where(
            IdempotencyRecord.principal == principal, IdempotencyRecord.key == key
        )
    )
    if row is None or row.status is None or row.body is None:
        raise Conflict(
            "the first request with this Idempotency-Key is still at work", code="idempotency_in_progress"
        )
    if row.fingerprint != fingerprint:
        raise Invalid("this Idempotency-Key was used for another request", code="idempotency_key_reused")
    return StoredAnswer(row.status, row.headers or "{}", row.body)


def store(session: Session, *, principal: str, key: str, answer: StoredAnswer) -> None:
    """Keep the answer, in the same transaction as what it tells."""
    row = session.get_one(IdempotencyRecord, (principal, key))
    row.status, row.headers, row.body = answer.status, answer.headers, answer.body
    session.flush()


def prune(session: Session, now: dt.datetime) -> int:
    done = session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.created_at < now - KEPT_FOR))
    return int(done.rowcount)  # type: ignore[attr-defined]
