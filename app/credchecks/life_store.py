"""Queries of what rounds said of one thing."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.credchecks.model import CheckItem, CheckRound
from app.kernel.tenancy import Principal, within
from app.kernel.timeline import Subject


def items_about(
    session: Session, principal: Principal, subject: Subject, limit: int
) -> list[tuple[CheckItem, CheckRound]]:
    """The items of a part, a post's or a person's kit, the latest round first."""
    about = {"post": CheckItem.post_id, "employee": CheckItem.holder_id}.get(
        subject.kind, CheckItem.subject_id
    )
    query = select(CheckItem, CheckRound).join(CheckRound, CheckRound.id == CheckItem.round_id)
    query = query.where(about == subject.id, within(principal, CheckItem.centre_id))
    rows = session.execute(query.order_by(CheckRound.opened_at.desc(), CheckItem.place).limit(limit))
    return [(row[0], row[1]) for row in rows]


def last_items(session: Session, subject_id: uuid.UUID) -> list[tuple[CheckItem, CheckRound]]:
    """The items of one part in the latest round that settled any of them."""
    query = select(CheckItem, CheckRound).join(CheckRound, CheckRound.id == CheckItem.round_id)
    query = query.where(CheckItem.subject_id == subject_id).order_by(
        CheckRound.opened_at.desc(), CheckItem.place
    )
    rows = [(row[0], row[1]) for row in session.execute(query.limit(100))]
    latest = next((row for item, row in rows if item.at is not None), None)
    return [(item, row) for item, row in rows if row is latest]
