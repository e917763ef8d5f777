"""Queries of the index; a batch is a few statements, whatever its size."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Uuid, column, delete, select, table
from sqlalchemy.orm import Session

from app.apps.model import AppEvent, AppPackage, AppPhone, AppPresence
from app.kernel.db import UtcDateTime, insert_into
from app.registry import Handset

# By name, not by class: what a room keeps of readings is its own; that there were any is all that is asked here.
_STATE = table("phone_state", column("handset_id", Uuid()), column("at", UtcDateTime()))
_WAITING = table("section_change", column("handset_id", Uuid()))
_PHONE_KEYS = ("phone_no", "user_no", "package_no")


def never_indexed(session: Session, limit: int) -> dict[uuid.UUID, uuid.UUID]:
    """Phones (→ centre) that were read and are neither in the index nor on their way there."""
    query = (
        select(Handset.id, Handset.centre_id)
        .join(_STATE, _STATE.c.handset_id == Handset.id)
        .outerjoin(AppPhone, AppPhone.handset_id == Handset.id)
        .where(AppPhone.no.is_(None), _STATE.c.at.is_not(None))
        .where(Handset.id.not_in(select(_WAITING.c.handset_id)))
        .order_by(Handset.id)
        .limit(limit)
    )
    return dict(session.execute(query).all())


def centres_of(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    query = select(Handset.id, Handset.centre_id).where(Handset.id.in_(handset_ids))
    return dict(session.execute(query).all())


def locked_phones(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    query = select(*AppPhone.__table__.c).where(AppPhone.handset_id.in_(handset_ids))
    return {
        row.handset_id: row for row in session.execute(query.order_by(AppPhone.handset_id).with_for_update())
    }


def save_phones(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, int]:
    """Write what is remembered of phones; handset → the number of its row."""
    if not rows:
        return {}
    new = insert_into(session, AppPhone)
    changes = {name: new.excluded[name] for name in rows[0] if name != "handset_id"}
    session.execute(new.on_conflict_do_update(index_elements=["handset_id"], set_=changes), list(rows))
    query = select(AppPhone.handset_id, AppPhone.no)
    return dict(session.execute(query.where(AppPhone.handset_id.in_([r["handset_id"] for r in rows]))).all())


def package_numbers(session: Session, names: Collection[str]) -> dict[str, int]:
    """The numbers of these packages, made where there are none."""
    if not names:
        return {}
    query = select(AppPackage.name, AppPackage.no).where(AppPackage.name.in_(names))
    found = dict(session.execute(query).all())
    missing = [{"name": name} for name in sorted(set(names) - found.keys())]
    if missing:
        session.execute(insert_into(session, AppPackage).on_conflict_do_nothing(), missing)
        found = dict(session.execute(query).all())
    return found


def presences(
    session: Session, phone_nos: Collection[int], names: Collection[str] | None = None
) -> list[Row[Any]]:
    """The rows of these phones, all or only of these packages, with the packages' names."""
    query = select(AppPackage.name, *AppPresence.__table__.c).join(
        AppPackage, AppPackage.no == AppPresence.package_no
    )
    found = query.where(AppPresence.phone_no.in_(phone_nos))
    return list(session.execute(found if names is None else found.where(AppPackage.name.in_(names))))


def save_presences(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        new = insert_into(session, AppPresence)
        changes = {name: new.excluded[name] for name in rows[0] if name not in _PHONE_KEYS}
        statement = new.on_conflict_do_update(index_elements=list(_PHONE_KEYS), set_=changes)
        session.execute(statement, list(rows))


def add_events(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert_into(session, AppEvent), list(rows))


def phones_listed_otherwise(session: Session) -> list[Row[Any]]:
    """Each kind of phone that there is, by centre, brand, model and what it was looked through for."""
    columns = (Handset.centre_id, AppPhone.brand, AppPhone.model, AppPhone.listed)
    query = select(*columns).join(AppPhone, AppPhone.handset_id == Handset.id)
    return list(session.execute(query.distinct()))


def phones_of_kind(session: Session, kind: Row[Any], limit: int) -> list[uuid.UUID]:
    query = select(Handset.id).join(AppPhone, AppPhone.handset_id == Handset.id)
    same = query.where(
        Handset.centre_id == kind.centre_id, AppPhone.listed == kind.listed,
        AppPhone.brand.is_not_distinct_from(kind.brand), AppPhone.model.is_not_distinct_from(kind.model),
    )  # fmt: skip
    return list(session.scalars(same.order_by(Handset.id).limit(limit)))


def prune(session: Session, before: dt.datetime) -> int:
    """Forget what changed before, and apps that were gone before."""
    events = delete(AppEvent).where(AppEvent.at < before).returning(AppEvent.id)
    gone = delete(AppPresence).where(AppPresence.gone_at < before).returning(AppPresence.package_no)
    return len(session.scalars(events).all()) + len(session.scalars(gone).all())
