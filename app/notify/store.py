"""Queries of notices and of a person's inbox."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, false, func, or_, select, update
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.ids import new_id, parse_id
from app.kernel.tenancy import Principal
from app.notify.model import Notice, NoticeCopy


def insert_notice(session: Session, **values: Any) -> uuid.UUID | None:
    """The new notice's id; None when one with this key stands there."""
    new = insert_into(session, Notice).values(id=new_id(), **values)
    done: uuid.UUID | None = session.scalar(
        new.on_conflict_do_nothing(index_elements=["key"]).returning(Notice.id)
    )
    return done


def insert_copies(
    session: Session,
    notice_id: uuid.UUID,
    centre_id: uuid.UUID,
    people: Sequence[tuple[uuid.UUID | None, uuid.UUID | None]],
    now: dt.datetime,
) -> None:
    session.add_all(
        NoticeCopy(
            notice_id=notice_id, centre_id=centre_id, user_id=user, employee_id=employee, created_at=now
        )
        for user, employee in people
    )
    session.flush()


def copies_of(session: Session, notice_id: uuid.UUID) -> list[NoticeCopy]:
    return list(session.scalars(select(NoticeCopy).where(NoticeCopy.notice_id == notice_id)))


def mine(principal: Principal) -> ColumnElement[bool]:
    """The copies that are the caller's: as a user, and as the employee that he is; nobody else's, whatever his role."""
    user_id = parse_id(principal.user)
    ways = [] if user_id is None else [NoticeCopy.user_id == user_id]
    if principal.employee is not None:
        ways.append(NoticeCopy.employee_id == principal.employee)
    return or_(*ways) if ways else false()


def inbox(principal: Principal, *, unread: bool = False, words: str = "") -> Select[NoticeCopy, Notice]:
    query: Select[*tuple[Any, ...]] = (
        select(NoticeCopy, Notice).join(Notice, Notice.id == NoticeCopy.notice_id).where(mine(principal))
    )
    if unread:
        query = query.where(NoticeCopy.read_at.is_(None))
    if words:
        found = Notice.title.icontains(words, autoescape=True), Notice.body.icontains(words, autoescape=True)
        query = query.where(or_(*found))
    return query


def page_of(
    session: Session, query: Select[NoticeCopy, Notice], limit: int, offset: int
) -> list[Row[NoticeCopy, Notice]]:
    """Unread ones first, each part newest first."""
    order = (NoticeCopy.read_at.is_not(None), NoticeCopy.created_at.desc(), NoticeCopy.id.desc())
    return list(session.execute(query.order_by(*order).limit(limit).offset(offset)))


def one(session: Session, principal: Principal, copy_id: uuid.UUID) -> Row[NoticeCopy, Notice] | None:
    return session.execute(inbox(principal).where(NoticeCopy.id == copy_id)).one_or_none()


def count(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def unread(session: Session, principal: Principal) -> int:
    query = select(func.count()).select_from(NoticeCopy)
    return session.scalar(query.where(mine(principal), NoticeCopy.read_at.is_(None))) or 0


def set_read(
    session: Session, principal: Principal, now: dt.datetime | None, copy_id: uuid.UUID | None = None
) -> int:
    """Mark one copy, or all, as read; with `now` None as unread. Returns how many changed."""
    change = update(NoticeCopy).where(mine(principal)).values(read_at=now)
    change = change.where(NoticeCopy.read_at.is_not(None) if now is None else NoticeCopy.read_at.is_(None))
    if copy_id is not None:
        change = change.where(NoticeCopy.id == copy_id)
    return len(session.execute(change.returning(NoticeCopy.id)).all())


def without_recipient(session: Session, principal: Principal, since: dt.datetime) -> int:
    """How many notices since then found nobody to be told, in the caller's centres."""
    query = (
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.created_at >= since,
            ~exists().where(NoticeCopy.notice_id == Notice.id),
            Notice.in_group.is_(False),
        )
    )
    if principal.centres is not None:
        query = query.where(Notice.centre_id.in_(principal.centres))
    return session.scalar(query) or 0


def prune(session: Session, before: dt.datetime) -> int:
    old = select(Notice.id).where(Notice.created_at < before)
    session.execute(delete(NoticeCopy).where(NoticeCopy.notice_id.in_(old)))
    return len(session.scalars(delete(Notice).where(Notice.created_at < before).returning(Notice.id)).all())
