"""Queries over dated ties. Voided ones count for nothing."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.spans import overlaps
from app.registry.model import WeChatAccount
from app.registry.resource import Resource
from app.registry.store import CHUNK, chunks
from app.registry.ties import KitAssignment


def overlapping(
    session: Session,
    resource: Resource,
    subject: str,
    subject_id: uuid.UUID,
    start: dt.datetime,
    end: dt.datetime | None,
    *,
    besides: uuid.UUID | None = None,
) -> Any:
    """A tie of the subject that shares an instant with `[start, end)`, or None."""
    model: Any = resource.model
    query = select(model).where(
        getattr(model, subject) == subject_id,
        model.voided_at.is_(None),
        overlaps(model.valid_from, model.valid_to, start, end),
    )
    if besides is not None:
        query = query.where(model.id != besides)
    return session.scalar(query.order_by(model.valid_from).limit(1))


def numbers_at(
    session: Session, post_id: uuid.UUID, start: dt.datetime, end: dt.datetime | None
) -> set[uuid.UUID]:
    """The numbers that belong to a post within a span."""
    query = select(KitAssignment.number_id).where(
        KitAssignment.post_id == post_id,
        KitAssignment.number_id.is_not(None),
        KitAssignment.voided_at.is_(None),
        overlaps(KitAssignment.valid_from, KitAssignment.valid_to, start, end),
    )
    return {number for number in session.scalars(query) if number is not None}


def posts_with_other_numbers(session: Session, account_id: uuid.UUID, number_id: uuid.UUID) -> bool:
    """Whether an account that has no end at its post would be there with a number of none of the post's (U01)."""
    open_ties = select(KitAssignment).where(
        KitAssignment.wechat_account_id == account_id,
        KitAssignment.voided_at.is_(None),
        KitAssignment.valid_to.is_(None),
    )
    for tie in session.scalars(open_ties):
        numbers = numbers_at(session, tie.post_id, tie.valid_from, None)
        if numbers and number_id not in numbers:
            return True
    return False


def account_numbers_at(
    session: Session, post_id: uuid.UUID, start: dt.datetime, end: dt.datetime | None
) -> set[uuid.UUID]:
    """The numbers with which a post's WeChat accounts are registered, as far as known."""
    query = (
        select(WeChatAccount.number_id)
        .join(KitAssignment, KitAssignment.wechat_account_id == WeChatAccount.id)
        .where(
            KitAssignment.post_id == post_id,
            WeChatAccount.number_id.is_not(None),
            KitAssignment.voided_at.is_(None),
            overlaps(KitAssignment.valid_from, KitAssignment.valid_to, start, end),
        )
    )
    return {number for number in session.scalars(query) if number is not None}


def by_key(
    session: Session, resource: Resource, keys: Sequence[tuple[Any, ...]]
) -> dict[tuple[Any, ...], uuid.UUID]:
    """The valid ties with these keys. A key holds nulls (the subjects that it is not), which no SQL `IN` would find."""
    columns = [resource.column(name) for name in resource.key]
    starts = sorted({key[-1] for key in keys if key[-1] is not None})
    posts = {key[0] for key in keys if key[0] is not None}
    wanted = set(keys)
    found: dict[tuple[Any, ...], uuid.UUID] = {}
    for part in chunks(starts):
        query = select(*columns, resource.column("id")).where(
            resource.column("valid_from").in_(part), resource.column("voided_at").is_(None)
        )
        if len(posts) <= CHUNK:
            query = query.where(resource.column("post_id").in_(posts))
        for *values, row_id in session.execute(query):
            if tuple(values) in wanted:
                found[tuple(values)] = row_id
    return found


def ties_of(session: Session, resource: Resource, subject: str, subject_id: uuid.UUID) -> list[Any]:
    """Every valid tie of a subject, oldest first."""
    model: Any = resource.model
    query = select(model).where(getattr(model, subject) == subject_id, model.voided_at.is_(None))
    return list(session.scalars(query.order_by(model.valid_from)))
