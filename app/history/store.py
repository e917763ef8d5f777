"""Queries over what other rooms keep. Each keeps to the caller's centres at the time of the event."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.duty import Delegation, Excuse
from app.history.tools import MOST
from app.kernel.tenancy import Principal, within
from app.kernel.timeline import Subject
from app.people import RoleGrant
from app.registry import (
    Employee,
    Handset,
    KitAssignment,
    Number,
    Post,
    PostHolding,
    ServiceCentre,
    WeChatAccount,
)

_CHUNK = 500
MODELS: Mapping[str, Any] = {
    "handset": Handset,
    "number": Number,
    "wechat": WeChatAccount,
    "post": Post,
    "employee": Employee,
}


def find(session: Session, principal: Principal, subject: Subject) -> Any:
    """Its row, None when there is none in the caller's centres."""
    model = MODELS[subject.kind]
    return session.scalar(select(model).where(model.id == subject.id, within(principal, model.centre_id)))


def trail(session: Session, principal: Principal, objects: Collection[str]) -> Sequence[AuditRow]:
    """What the audit trail tells of these objects, the newest first."""
    query = select(AuditRow).where(AuditRow.object.in_(objects), within(principal, AuditRow.centre_id))
    return session.scalars(query.order_by(AuditRow.seq.desc()).limit(MOST)).all()


_TIE_COLUMNS: Mapping[str, Any] = {
    "handset": KitAssignment.handset_id,
    "number": KitAssignment.number_id,
    "wechat": KitAssignment.wechat_account_id,
    "post": KitAssignment.post_id,
}


def kit_ties(session: Session, principal: Principal, subject: Subject) -> Sequence[KitAssignment]:
    """Voided ones too: that something was once entered by mistake is part of its history."""
    query = select(KitAssignment).where(
        _TIE_COLUMNS[subject.kind] == subject.id, within(principal, KitAssignment.centre_id)
    )
    return session.scalars(query.order_by(KitAssignment.valid_from.desc()).limit(MOST)).all()


def holdings(session: Session, principal: Principal, subject: Subject) -> Sequence[PostHolding]:
    column = PostHolding.post_id if subject.kind == "post" else PostHolding.employee_id
    query = select(PostHolding).where(column == subject.id, within(principal, PostHolding.centre_id))
    return session.scalars(query.order_by(PostHolding.valid_from.desc()).limit(MOST)).all()


def names(session: Session, kind: str, ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """What people call them."""
    model, wanted = MODELS[kind], sorted({found for found in ids if found is not None})
    found: dict[uuid.UUID, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        found |= {row.id: name_of(row) for row in session.scalars(select(model).where(model.id.in_(some)))}
    return found


def name_of(row: Any) -> str:
    """A phone by its tag, a number by its digits, an account by its nickname, a post and a person by name."""
    match row:
        case Handset():
            return str(row.asset_tag)
        case Number():
            return str(row.e164)
        case WeChatAccount():
            return str(row.nickname)
        case Employee():
            return f"{row.name}（{row.number}）"
    return str(row.name)


def delegations(session: Session, principal: Principal, subject: Subject) -> Sequence[Delegation]:
    conditions: Mapping[str, ColumnElement[bool]] = {
        "handset": Delegation.handset_id == subject.id,
        "post": or_(Delegation.from_post_id == subject.id, Delegation.to_post_id == subject.id),
        "employee": or_(Delegation.giver_id == subject.id, Delegation.delegate_id == subject.id),
    }
    query = select(Delegation).where(conditions[subject.kind], within(principal, Delegation.centre_id))
    return session.scalars(query.order_by(Delegation.starts_at.desc()).limit(MOST)).all()


def excuses(session: Session, principal: Principal, handset_id: uuid.UUID) -> Sequence[Excuse]:
    query = select(Excuse).where(Excuse.handset_id == handset_id, within(principal, Excuse.centre_id))
    return session.scalars(query.order_by(Excuse.starts_at.desc()).limit(MOST)).all()


def grants(session: Session, principal: Principal, user_id: uuid.UUID) -> Sequence[RoleGrant]:
    query = select(RoleGrant).where(RoleGrant.user_id == user_id, within(principal, RoleGrant.centre_id))
    return session.scalars(query.order_by(RoleGrant.valid_from.desc()).limit(MOST)).all()


def centre_names(session: Session) -> dict[uuid.UUID, str]:
    return {row.id: row.name for row in session.scalars(select(ServiceCentre))}
