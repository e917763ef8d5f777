"""Which phones and centres there are: light rows, thousands at once."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal, within
from app.registry import Employee, Handset, ServiceCentre


@dataclass(frozen=True)
class PhoneBrief:
    id: uuid.UUID
    centre_id: uuid.UUID
    centre_name: str
    asset_tag: str
    serial: str
    brand: str
    model: str


@dataclass(frozen=True)
class CentreBrief:
    id: uuid.UUID
    code: str
    name: str


def live_phones(session: Session, principal: Principal) -> list[PhoneBrief]:
    """Every phone in service, by asset tag."""
    query = (
        select(
            Handset.id,
            Handset.centre_id,
            ServiceCentre.name,
            Handset.asset_tag,
            Handset.serial,
            Handset.brand,
            Handset.model,
        )
        .join(ServiceCentre, ServiceCentre.id == Handset.centre_id)
        .where(Handset.retired_at.is_(None), within(principal, Handset.centre_id))
        .order_by(Handset.asset_tag)
    )
    return [PhoneBrief(*row) for row in session.execute(query)]


def centres(session: Session, principal: Principal) -> list[CentreBrief]:
    query = (
        select(ServiceCentre.id, ServiceCentre.code, ServiceCentre.name)
        .where(ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id))
        .order_by(ServiceCentre.code)
    )
    return [CentreBrief(*row) for row in session.execute(query)]


def phone_names(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Asset tags of these phones, retired ones too."""
    query = select(Handset.id, Handset.asset_tag).where(
        Handset.id.in_(handset_ids), within(principal, Handset.centre_id)
    )
    return {row.id: row.asset_tag for row in session.execute(query)}


def centre_of_employee(session: Session, principal: Principal, employee_id: uuid.UUID) -> uuid.UUID | None:
    """None also for one of a centre that the caller does not see."""
    return session.scalar(
        select(Employee.centre_id).where(Employee.id == employee_id, within(principal, Employee.centre_id))
    )
