"""Queries of inspections and certificates. Callers have found the wipe by their principal."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.commands import Command
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.wipe.inspection_model import WipeCertificate, WipeInspection, WipeSignature
from app.wipe.model import Wipe

INSPECT = "inspect_phone"


def inspections(session: Session, wipe_id: uuid.UUID) -> Sequence[WipeInspection]:
    """In order."""
    query = select(WipeInspection).where(WipeInspection.wipe_id == wipe_id)
    return session.scalars(query.order_by(WipeInspection.at, WipeInspection.id)).all()


def inspection(session: Session, wipe_id: uuid.UUID, inspection_id: uuid.UUID) -> WipeInspection:
    """Raise `NotFound`."""
    found = session.get(WipeInspection, inspection_id)
    if found is None or found.wipe_id != wipe_id:
        raise NotFound("没有这次检查 / no such inspection")
    return found


def has_word(session: Session, command_id: uuid.UUID) -> bool:
    query = select(WipeInspection.id).where(WipeInspection.command_id == command_id)
    return session.scalar(query) is not None


def to_look_at(
    session: Session, states: Collection[str], before: Collection[str], limit: int
) -> Sequence[tuple[Wipe, dt.datetime | None]]:
    """Wipes in `states`, and those in `before` that were never read; each with when a reading was last asked for.

    Whoever was asked for longest ago comes first, so that many phones out of reach starve none.
    """
    asked = (
        select(func.max(Command.created_at))
        .where(Command.handset_id == Wipe.handset_id, Command.kind == INSPECT)
        .scalar_subquery()
    )
    read = select(WipeInspection.id).where(WipeInspection.wipe_id == Wipe.id).exists()
    query = select(Wipe, asked).where(or_(Wipe.state.in_(states), and_(Wipe.state.in_(before), ~read)))
    order = (asked.is_not(None), asked, Wipe.id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(*order).limit(limit))]


def certificate(session: Session, certificate_id: uuid.UUID) -> WipeCertificate | None:
    return session.get(WipeCertificate, certificate_id, populate_existing=True)


def find_certificate(session: Session, principal: Principal, certificate_id: uuid.UUID) -> WipeCertificate:
    """Raise `NotFound`, also for a foreign centre's."""
    query = select(WipeCertificate).where(
        WipeCertificate.id == certificate_id, within(principal, WipeCertificate.centre_id)
    )
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("没有这份证明 / no such certificate")
    return found


def certificates(session: Session, wipe_id: uuid.UUID) -> Sequence[WipeCertificate]:
    """The newest first."""
    query = select(WipeCertificate).where(WipeCertificate.wipe_id == wipe_id)
    return session.scalars(query.order_by(WipeCertificate.put_up_at.desc(), WipeCertificate.id.desc())).all()


def standing(session: Session, wipe_id: uuid.UUID) -> WipeCertificate | None:
    """The one that is up for signing, or issued and not revoked."""
    query = select(WipeCertificate).where(
        WipeCertificate.wipe_id == wipe_id, WipeCertificate.state.in_(("signing", "issued"))
    )
    return session.scalar(query.execution_options(populate_existing=True))


def move_certificate(session: Session, row: WipeCertificate, **changes: object) -> None:
    """Raise `Conflict` when its state changed in the same moment."""
    faster = Conflict("证明刚刚有了变化，请刷新 / it changed in the same moment", code="certificate_state")
    change_if(session, row, ("state",), faster, **changes)


def signatures(session: Session, certificate_id: uuid.UUID) -> Sequence[WipeSignature]:
    query = select(WipeSignature).where(WipeSignature.certificate_id == certificate_id)
    return session.scalars(query.order_by(WipeSignature.at, WipeSignature.id)).all()


def unsealed(session: Session, limit: int) -> Sequence[uuid.UUID]:
    """Issued certificates without their signed JSON."""
    query = select(WipeCertificate.id).where(
        WipeCertificate.state == "issued", WipeCertificate.signed_json.is_(None)
    )
    return session.scalars(query.order_by(WipeCertificate.issued_at).limit(limit)).all()


def signed_json(session: Session, certificate_id: uuid.UUID) -> bytes | None:
    return session.scalar(select(WipeCertificate.signed_json).where(WipeCertificate.id == certificate_id))
