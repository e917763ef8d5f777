"""Rows for the board: thousands of phones at once, their findings only where they are shown or counted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.compliance.model import ComplianceVerdict
from app.kernel.tenancy import Principal, within
from app.registry import Handset, ServiceCentre

_CHUNK = 500
_V = ComplianceVerdict


def phones(session: Session, principal: Principal, centre_id: uuid.UUID | None) -> list[Row[Any]]:
    """Every phone in service with what its verdict counts, by asset tag; one that was never judged has nulls there."""
    query = (
        select(
            Handset.id, Handset.centre_id, ServiceCentre.name, Handset.asset_tag, Handset.serial, Handset.brand,
            Handset.model, _V.status, _V.failed, _V.unsure, _V.grace, _V.exempt, _V.worst_severity, _V.judged_at,
            _V.changed_at, _V.policy_sha256, _V.due_at,
        )
        .join(ServiceCentre, ServiceCentre.id == Handset.centre_id)
        .outerjoin(_V, _V.handset_id == Handset.id)
        .where(Handset.retired_at.is_(None), within(principal, Handset.centre_id))
        .order_by(Handset.asset_tag)
    )  # fmt: skip
    if centre_id is not None:
        query = query.where(Handset.centre_id == centre_id)
    return list(session.execute(query))


def findings(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], *, code: str | None = None
) -> Iterator[Row[uuid.UUID, str]]:
    """`(handset_id, findings)` as stored, of those of these phones that hold `code` where one is given."""
    ids = list(handset_ids)
    for start in range(0, len(ids), _CHUNK):
        query = select(_V.handset_id, _V.findings).where(
            _V.handset_id.in_(ids[start : start + _CHUNK]), within(principal, _V.centre_id)
        )
        if code is not None:
            query = query.where(_V.findings.contains(f'"{code}"', autoescape=True))
        yield from session.execute(query)


def due_at(session: Session, handset_id: uuid.UUID) -> dt.datetime | None:
    """When a phone is to be judged again; None: by time alone never, or it was never judged."""
    return session.scalar(select(_V.due_at).where(_V.handset_id == handset_id))
