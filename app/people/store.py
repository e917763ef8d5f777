"""Queries of users and rights."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.spans import holds_at
from app.people.model import Deputy, RoleGrant, User


def find_user(session: Session, user_id: uuid.UUID) -> User | None:
    return session.get(User, user_id)


def grants_at(session: Session, user_ids: list[uuid.UUID], instant: dt.datetime) -> list[RoleGrant]:
    query = select(RoleGrant).where(
        RoleGrant.user_id.in_(user_ids), holds_at(RoleGrant.valid_from, RoleGrant.valid_to, instant)
    )
    return list(session.scalars(query))


def deputised_at(session: Session, deputy_id: uuid.UUID, instant: dt.datetime) -> list[Deputy]:
    query = select(Deputy).where(
        Deputy.deputy_id == deputy_id, Deputy.valid_from <= instant, Deputy.valid_to > instant
    )
    return list(session.scalars(query))
