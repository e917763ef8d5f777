"""Queries over the phones in service that a policy is for."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal, within
from app.registry import District, Handset, ServiceCentre


def next_phones(
    session: Session, centre_ids: Collection[uuid.UUID], after_id: uuid.UUID | None, limit: int
) -> list[uuid.UUID]:
    """The next phones in service of these centres, by id."""
    query = select(Handset.id).where(Handset.retired_at.is_(None), Handset.centre_id.in_(centre_ids))
    if after_id is not None:
        query = query.where(Handset.id > after_id)
    return list(session.scalars(query.order_by(Handset.id).limit(limit)))


def count_phones(session: Session, centre_ids: Collection[uuid.UUID]) -> int:
    query = select(func.count()).where(Handset.retired_at.is_(None), Handset.centre_id.in_(centre_ids))
    return session.scalar(query) or 0


def centres_of(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Handset → the centre that it is in."""
    query = select(Handset.id, Handset.centre_id).where(Handset.id.in_(handset_ids))
    return dict(session.execute(query).all())


def tags_of(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str, str]]:
    """Handset → its asset tag, brand and model."""
    columns = (Handset.id, Handset.asset_tag, Handset.brand, Handset.model)
    query = select(*columns).where(Handset.id.in_(handset_ids))
    return {row.id: (row.asset_tag, row.brand, row.model) for row in session.execute(query)}


def places(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str, uuid.UUID, str]]:
    """Centre's id and name, its district's id and name, of the centres in use that the caller sees, by code."""
    query = (
        select(ServiceCentre.id, ServiceCentre.name, District.id, District.name)
        .join(District, District.id == ServiceCentre.district_id)
        .where(ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id))
        .order_by(District.code, ServiceCentre.code)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def centre_by_code(session: Session, code: str) -> uuid.UUID | None:
    return session.scalar(select(ServiceCentre.id).where(ServiceCentre.code == code))


def district_by_code(session: Session, code: str) -> uuid.UUID | None:
    return session.scalar(select(District.id).where(District.code == code))
