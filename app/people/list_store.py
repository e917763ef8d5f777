"""Queries for the administrator's pages about users. Only he asks them: users belong to no centre."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.spans import holds_at
from app.people.key_model import Credential, UserSession
from app.people.model import Deputy, RoleGrant, User
from app.registry import Employee, ServiceCentre


def users(words: str, state: str, role: str, centre_id: uuid.UUID | None, now: dt.datetime) -> Select[User]:
    query = select(User)
    if words:
        query = query.where(
            or_(User.name.icontains(words, autoescape=True), User.login.icontains(words, autoescape=True))
        )
    if state != "any":
        query = query.where(User.active == (state == "active"))
    if role or centre_id:
        held = select(RoleGrant.user_id).where(holds_at(RoleGrant.valid_from, RoleGrant.valid_to, now))
        if role:
            held = held.where(RoleGrant.role == role)
        if centre_id:
            held = held.where(RoleGrant.centre_id == centre_id)
        query = query.where(User.id.in_(held))
    return query


def all_grants(session: Session, user_id: uuid.UUID) -> Sequence[RoleGrant]:
    query = select(RoleGrant).where(RoleGrant.user_id == user_id)
    return session.scalars(query.order_by(RoleGrant.valid_from.desc(), RoleGrant.id)).all()


def all_deputies(session: Session, user_id: uuid.UUID) -> Sequence[Deputy]:
    query = select(Deputy).where(or_(Deputy.user_id == user_id, Deputy.deputy_id == user_id))
    return session.scalars(query.order_by(Deputy.valid_from.desc(), Deputy.id)).all()


def last_seen(session: Session, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
    query = select(UserSession.user_id, func.max(UserSession.seen_at)).where(
        UserSession.user_id.in_(user_ids)
    )
    return {
        user_id: seen for user_id, seen in session.execute(query.group_by(UserSession.user_id)) if user_id
    }


def credentials(session: Session, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Credential]:
    found = session.scalars(select(Credential).where(Credential.user_id.in_(user_ids)))
    return {row.user_id: row for row in found}


def employees(session: Session, ids: Collection[uuid.UUID]) -> Sequence[Row[uuid.UUID, str, str]]:
    query = select(Employee.id, Employee.name, Employee.number).where(Employee.id.in_(ids))
    return session.execute(query).all()


def employees_without_user(session: Session, keep: uuid.UUID | None) -> Sequence[Row[uuid.UUID, str, str]]:
    taken = select(User.employee_id).where(User.employee_id.is_not(None))
    free = Employee.id.not_in(taken) & Employee.retired_at.is_(None)
    query = select(Employee.id, Employee.name, Employee.number).where(or_(free, Employee.id == keep))
    return session.execute(query.order_by(Employee.name, Employee.number)).all()


def active_users(session: Session) -> Sequence[Row[uuid.UUID, str, str]]:
    query = select(User.id, User.name, User.login).where(User.active).order_by(User.name, User.login)
    return session.execute(query).all()


def centres(session: Session) -> dict[uuid.UUID, str]:
    query = select(ServiceCentre.id, ServiceCentre.name).order_by(ServiceCentre.name, ServiceCentre.id)
    return {row.id: row.name for row in session.execute(query)}


def user_names(session: Session) -> dict[uuid.UUID, str]:
    return {row.id: row.name for row in session.execute(select(User.id, User.name))}
