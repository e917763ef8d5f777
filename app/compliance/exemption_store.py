"""Queries of exemptions. A state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_rules import Exemption
from app.compliance.exemption_states import Event, State, advance
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Handset, ServiceCentre

_Row = ComplianceExemption


def current(session: Session, centre_ids: Collection[uuid.UUID], now: dt.datetime) -> list[Exemption]:
    """Approved exemptions of these centres that are not over, also such as have yet to begin. Internal."""
    query = select(_Row).where(
        _Row.centre_id.in_(centre_ids), _Row.state == State.APPROVED, _Row.valid_to > now
    )
    return [
        Exemption(r.id, r.centre_id, r.handset_id, r.code, r.subject, r.valid_from, r.valid_to)
        for r in session.scalars(query.order_by(_Row.id))
        if r.valid_from is not None
    ]


def find(session: Session, principal: Principal, exemption_id: uuid.UUID) -> ComplianceExemption:
    """Raise `NotFound`, also for a foreign centre's."""
    query = select(_Row).where(_Row.id == exemption_id, within(principal, _Row.centre_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这项例外 / no such exemption")
    return row


def move(session: Session, row: ComplianceExemption, event: Event, **changes: Any) -> None:
    """Advance an exemption and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment: look again", code="exemption_state")
    state = advance(State(row.state), event)
    change_if(session, row, ("state", "version"), conflict, state=state, version=row.version + 1, **changes)


def lock_subject(session: Session, centre_id: uuid.UUID, handset_id: uuid.UUID | None) -> None:
    """Until the transaction ends nobody else asks for an exemption of this phone, or of this centre as a whole."""
    whole = select(ServiceCentre.id).where(ServiceCentre.id == centre_id)
    query = whole if handset_id is None else select(Handset.id).where(Handset.id == handset_id)
    session.execute(query.with_for_update())


def like(
    session: Session, centre_id: uuid.UUID, handset_id: uuid.UUID | None, code: str, subject: str
) -> Sequence[ComplianceExemption]:
    """Requested and approved ones of this very finding and scope, the one that lasts longest first."""
    query = select(_Row).where(
        _Row.centre_id == centre_id,
        _Row.handset_id.is_(None) if handset_id is None else _Row.handset_id == handset_id,
        _Row.code == code,
        _Row.subject == subject,
        _Row.state.in_((State.REQUESTED, State.APPROVED)),
    )
    return session.scalars(query.order_by(_Row.valid_to.desc(), _Row.id)).all()


def over(session: Session, now: dt.datetime, limit: int) -> Sequence[ComplianceExemption]:
    """For the sweep: open ones whose end came, or whose phone is no longer of that centre or in service."""
    gone = and_(
        _Row.handset_id.is_not(None),
        or_(Handset.centre_id != _Row.centre_id, Handset.retired_at.is_not(None)),
    )
    query = (
        select(_Row)
        .outerjoin(Handset, Handset.id == _Row.handset_id)
        .where(_Row.state.in_((State.REQUESTED, State.APPROVED)), or_(_Row.valid_to <= now, gone))
    )
    locked = query.order_by(_Row.id).limit(limit).with_for_update(of=_Row, skip_locked=True)
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def in_force(session: Session, now: dt.datetime) -> Sequence[ComplianceExemption]:
    """Internal: of every centre."""
    query = select(_Row).where(_Row.state == State.APPROVED, _Row.valid_to > now)
    return session.scalars(query.order_by(_Row.id)).all()


def of_phone(
    session: Session, principal: Principal, handset_id: uuid.UUID, limit: int
) -> Sequence[ComplianceExemption]:
    """What was asked for one phone, the latest first."""
    query = select(_Row).where(_Row.handset_id == handset_id, within(principal, _Row.centre_id))
    return session.scalars(query.order_by(_Row.requested_at.desc(), _Row.id.desc()).limit(limit)).all()


def by_ids(
    session: Session, principal: Principal, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, ComplianceExemption]:
    query = select(_Row).where(_Row.id.in_(ids), within(principal, _Row.centre_id))
    return {row.id: row for row in session.scalars(query)}


def listed(
    principal: Principal,
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    code: str | None = None,
    words: str = "",
) -> Select[ComplianceExemption]:
    query = select(_Row).where(within(principal, _Row.centre_id))
    if wanted:
        query = query.where(_Row.state.in_(wanted))
    if centre_id is not None:
        query = query.where(_Row.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(_Row.handset_id == handset_id)
    if code is not None:
        query = query.where(_Row.code == code)
    if words:
        phones = select(Handset.id).where(Handset.asset_tag.icontains(words, autoescape=True))
        hits = [column.icontains(words, autoescape=True) for column in (_Row.subject, _Row.reason)]
        query = query.where(or_(_Row.handset_id.in_(phones), *hits))
    return query


def tags(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Asset tags of phones that visible exemptions name, retired ones and those that left the centre too."""
    query = select(Handset.id, Handset.asset_tag).where(Handset.id.in_(handset_ids))
    return {row.id: row.asset_tag for row in session.execute(query)}


def centre_names(session: Session, centre_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(ServiceCentre.id.in_(centre_ids))
    return {row.id: row.name for row in session.execute(query)}


def waiting(session: Session, principal: Principal) -> int:
    """How many requests wait for a decision."""
    query = select(func.count()).select_from(_Row).where(_Row.state == State.REQUESTED)
    return session.scalar(query.where(within(principal, _Row.centre_id))) or 0
