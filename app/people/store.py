"""Queries of users and rights."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.kernel.spans import holds_at
from app.people.model import Deputy, RoleGrant, User


def find_user(session: Session, user_id: uuid.UUID) -> User | None:
    return session.get(User, user_id)


def user_by_login(session: Session, login: str) -> User | None:
    return session.scalar(select(User).where(User.login == login))


def grants_at(session: Session, user_ids: Collection[uuid.UUID], instant: dt.datetime) -> list[RoleGrant]:
    query = select(RoleGrant).where(
        RoleGrant.user_id.in_(user_ids), holds_at(RoleGrant.valid_from, RoleGrant.valid_to, instant)
    )
    return list(session.scalars(query))


def deputised_at(session: Session, deputy_id: uuid.UUID, instant: dt.datetime) -> list[Deputy]:
    query = select(Deputy).where(
        Deputy.deputy_id == deputy_id, Deputy.valid_from <= instant, Deputy.valid_to > instant
    )
    return list(session.scalars(query))


def names(session: Session, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(User.id, User.name).where(User.id.in_(user_ids))
    return {row.id: row.name for row in session.execute(query)}


def ids_named(session: Session, words: str, limit: int) -> list[uuid.UUID]:
    named = or_(User.name.icontains(words, autoescape=True), User.login == words.lower())
    return list(session.scalars(select(User.id).where(named).order_by(User.id).limit(limit)))


def user_of_employee(session: Session, employee_id: uuid.UUID) -> uuid.UUID | None:
    return session.scalar(select(User.id).where(User.employee_id == employee_id, User.active))


def perhaps_with(
    session: Session, centre_id: uuid.UUID, roles: Collection[str], instant: dt.datetime
) -> list[uuid.UUID]:
    """Active users who hold one of the roles there, or stand in for somebody in one of them; ordered by name."""
    granted = select(RoleGrant.user_id).where(
        RoleGrant.role.in_(roles),
        or_(RoleGrant.centre_id == centre_id, RoleGrant.centre_id.is_(None)),
        holds_at(RoleGrant.valid_from, RoleGrant.valid_to, instant),
    )
    deputies = select(Deputy.deputy_id).where(
        Deputy.role.in_(roles),
        or_(Deputy.centre_id == centre_id, Deputy.centre_id.is_(None)),
        Deputy.valid_from <= instant,
        Deputy.valid_to > instant,
    )
    query = select(User.id).where(User.active, or_(User.id.in_(granted), User.id.in_(deputies)))
    return list(session.scalars(query.order_by(User.name, User.id)))


def any_user_of_employee(session: Session, employee_id: uuid.UUID) -> uuid.UUID | None:
    """Active or not: an employee has one login at most."""
    return session.scalar(select(User.id).where(User.employee_id == employee_id))


def admin_grants(session: Session, instant: dt.datetime) -> list[RoleGrant]:
    """Of active users, for the whole company; locked, so that the last two cannot resign at once."""
    query = (
        select(RoleGrant)
        .join(User, User.id == RoleGrant.user_id)
        .where(
            RoleGrant.role == "admin",
            RoleGrant.centre_id.is_(None),
            User.active,
            RoleGrant.valid_to.is_(None),
            RoleGrant.valid_from <= instant,
        )
        .with_for_update()
    )
    return list(session.scalars(query))
