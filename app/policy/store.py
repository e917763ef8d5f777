"""Queries of layers."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Uuid, column, select, table
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.policy.model import PolicyLayer

# By name, not by class: the registry stands above this room and asks it for policies.
_CENTRE = table("service_centre", column("id", Uuid()), column("district_id", Uuid()))
_DISTRICT = table("district", column("id", Uuid()))


@dataclass(frozen=True, slots=True)
class LayerKey:
    """The newest layer of a scope, without its body."""

    id: uuid.UUID
    scope: str
    scope_id: uuid.UUID
    version: int


def districts_of(session: Session, centre_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Centre → district."""
    query = select(_CENTRE.c.id, _CENTRE.c.district_id).where(_CENTRE.c.id.in_(centre_ids))
    return dict(session.execute(query).all())


def centres_of(session: Session, district_id: uuid.UUID) -> list[uuid.UUID]:
    query = select(_CENTRE.c.id).where(_CENTRE.c.district_id == district_id).order_by(_CENTRE.c.id)
    return list(session.scalars(query))


def all_centres(session: Session) -> list[uuid.UUID]:
    return list(session.scalars(select(_CENTRE.c.id).order_by(_CENTRE.c.id)))


def scope_exists(session: Session, scope: str, scope_id: uuid.UUID) -> bool:
    place = _CENTRE if scope == "centre" else _DISTRICT
    return session.scalar(select(place.c.id).where(place.c.id == scope_id)) is not None


def newest_keys(
    session: Session, subject: str, scope_ids: Collection[uuid.UUID]
) -> dict[tuple[str, uuid.UUID], LayerKey]:
    """The newest layer of each of these scopes that has one."""
    query = (
        select(PolicyLayer.id, PolicyLayer.scope, PolicyLayer.scope_id, PolicyLayer.version)
        .where(PolicyLayer.subject == subject, PolicyLayer.scope_id.in_(scope_ids))
        .order_by(PolicyLayer.version)
    )
    return {(row.scope, row.scope_id): LayerKey(*row) for row in session.execute(query)}


def bodies(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, object]]:
    query = select(PolicyLayer.id, PolicyLayer.body).where(PolicyLayer.id.in_(ids))
    return dict(session.execute(query).all())


def versions_of(session: Session, subject: str, scope: str, scope_id: uuid.UUID) -> list[PolicyLayer]:
    """All versions of one scope's layer, newest first."""
    query = (
        select(PolicyLayer)
        .where(PolicyLayer.subject == subject, PolicyLayer.scope == scope, PolicyLayer.scope_id == scope_id)
        .order_by(PolicyLayer.version.desc())
    )
    return list(session.scalars(query))


def scopes_with_layers(session: Session) -> list[tuple[str, str, uuid.UUID]]:
    """Every (subject, scope, scope id) that has a layer."""
    columns = (PolicyLayer.subject, PolicyLayer.scope, PolicyLayer.scope_id)
    return list(session.execute(select(*columns).distinct().order_by(*columns)))


def insert_version(session: Session, row: dict[str, object]) -> bool:
    """False when this version of the layer was written by somebody else in the meantime."""
    done = session.execute(
        insert_into(session, PolicyLayer).values(row).on_conflict_do_nothing().returning(PolicyLayer.id)
    )
    return done.first() is not None
