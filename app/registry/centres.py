"""The service centres in use, for rooms that work or choose by centre."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal, within
from app.registry.model import ServiceCentre


def live_centres(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    """Id and name of each centre in use that the caller sees, by code."""
    query = select(ServiceCentre.id, ServiceCentre.name).where(
        ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id)
    )
    return [(row.id, row.name) for row in session.execute(query.order_by(ServiceCentre.code))]
