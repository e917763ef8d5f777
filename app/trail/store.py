"""Queries about the trail as a whole."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.kernel.outbox import OutboxMessage
from app.trail.sending import TOPICS


def size(session: Session) -> int:
    return session.scalar(select(func.max(AuditRow.seq))) or 0


def deliveries(session: Session) -> tuple[dt.datetime | None, int, int]:
    """When the last checkpoint left, how many wait, how many were given up."""
    ours = OutboxMessage.topic.in_(TOPICS)
    latest = select(OutboxMessage.sent_at).where(ours, OutboxMessage.sent_at.is_not(None))
    sent_at = session.scalar(latest.order_by(OutboxMessage.sent_at.desc()).limit(1))
    unsent = select(func.count()).where(ours, OutboxMessage.sent_at.is_(None))
    waiting = session.scalar(unsent.where(OutboxMessage.given_up_at.is_(None))) or 0
    failed = session.scalar(unsent.where(OutboxMessage.given_up_at.is_not(None))) or 0
    return sent_at, waiting, failed
