"""The phones that the page of tests lists."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.kernel.texts import model_name
from app.registry import Handset, ServiceCentre


@dataclass(frozen=True)
class Phone:
    id: uuid.UUID
    centre_id: uuid.UUID
    asset_tag: str
    model: str


@dataclass(frozen=True)
class Centre:
    id: uuid.UUID
    name: str


def phones(
    session: Session,
    principal: Principal,
    text: str,
    centre_id: uuid.UUID | None,
    only: Collection[uuid.UUID] | None,
    cursor: str | None,
    limit: int,
) -> Page[Phone]:
    query = select(Handset).where(Handset.retired_at.is_(None), within(principal, Handset.centre_id))
    if text:
        query = query.where(or_(Handset.asset_tag.icontains(text, autoescape=True), Handset.serial == text))
    if centre_id is not None:
        query = query.where(Handset.centre_id == centre_id)
    if only is not None:
        query = query.where(Handset.id.in_(only))
    keys = [SortKey("asset_tag", Handset.asset_tag), SortKey("id", Handset.id)]
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    found = [
        Phone(row.id, row.centre_id, row.asset_tag, model_name(row.brand, row.model)) for row in page.items
    ]
    return Page(found, page.next_cursor)


def centres(session: Session, principal: Principal) -> list[Centre]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(
        ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id)
    )
    return [Centre(*row) for row in session.execute(query.order_by(ServiceCentre.code))]
