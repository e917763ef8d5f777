"""Queries of contents that nobody has taken yet."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, func, select, update
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.readings.model import PhoneSection, PhoneState, SectionChange


def append(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note contents that are about to be written to `phone_section`, and keep those there that were not taken yet."""
    if not rows:
        return
    there = select(PhoneSection.data).where(
        PhoneSection.handset_id == SectionChange.handset_id, PhoneSection.name == SectionChange.name
    )
    waiting = and_(
        SectionChange.data.is_(None),
        SectionChange.handset_id.in_({row["handset_id"] for row in rows}),
        SectionChange.name.in_({row["name"] for row in rows}),
    )
    keep = update(SectionChange).where(waiting).values(data=there.scalar_subquery())
    session.execute(keep.execution_options(synchronize_session=False))
    session.connection().execute(insert_into(session, SectionChange.__table__), rows)


def oldest_phones(session: Session, limit: int) -> list[uuid.UUID]:
    """Phones with contents to take, those that wait longest first."""
    query = select(SectionChange.handset_id).group_by(SectionChange.handset_id)
    return list(session.scalars(query.order_by(func.min(SectionChange.id)).limit(limit)))


def locked(session: Session, handset_ids: Collection[uuid.UUID]) -> Sequence[Row[Any]]:
    """Their waiting contents in the order in which they came, locked: a check-in that would replace one waits."""
    query = select(*SectionChange.__table__.c).where(SectionChange.handset_id.in_(handset_ids))
    return session.execute(query.order_by(SectionChange.id).with_for_update()).all()


def contents(
    session: Session, handset_ids: Collection[uuid.UUID], names: Collection[str]
) -> Sequence[Row[Any]]:
    query = select(*PhoneSection.__table__.c).where(PhoneSection.handset_id.in_(handset_ids))
    return session.execute(query.where(PhoneSection.name.in_(names))).all()


def unread_parts(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(PhoneState.handset_id, PhoneState.unread).where(PhoneState.handset_id.in_(handset_ids))
    return dict(session.execute(query).all())


def add(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert_into(session, SectionChange.__table__), rows)


def drop(session: Session, ids: Collection[int]) -> None:
    if ids:
        session.execute(delete(SectionChange).where(SectionChange.id.in_(ids)))
