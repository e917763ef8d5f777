"""Bulk statements over the tables of this room: a handful a batch, however many readings it holds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BigInteger, Select, and_, case, delete, or_, select, text, type_coerce
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.tenancy import Principal, within
from app.readings.model import ContactFailure, PhoneJournal, PhoneKnown, PhoneSection, PhoneState, Sighting

Ids = Collection[uuid.UUID]


class Known(NamedTuple):
    """What a new reading of a phone is compared with. `at_us`, `received_us`: microseconds."""

    handset_id: uuid.UUID
    at_us: int | None
    boot_id: str | None
    uptime_us: int | None
    unread: str
    tags: str
    refused_identity: str | None
    received_us: int | None
    airplane_mode: bool | None


def lock_states(session: Session, wanted: Mapping[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, Known]:
    """What is known of these phones (id → centre), made where missing, locked in their order until the commit.

    All that is derived from a phone's readings is written under this lock, so two batches never undo each other.
    """
    found = _locked(session, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        rows = [{"handset_id": i, "centre_id": wanted[i], "tags": "{}", "unread": "[]"} for i in missing]
        session.execute(insert_into(session, PhoneState).on_conflict_do_nothing(), rows)
        found |= _locked(session, missing)
    return found


def _locked(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Known]:
    if not ids:
        return {}
    columns = (
        PhoneState.handset_id,
        type_coerce(PhoneState.at, BigInteger),
        PhoneState.boot_id,
        PhoneState.uptime_us,
        PhoneState.unread,
        PhoneState.tags,
        PhoneState.refused_identity,
        type_coerce(PhoneState.received_at, BigInteger),
        PhoneState.airplane_mode,
    )
    query = select(*columns).where(PhoneState.handset_id.in_(ids)).order_by(PhoneState.handset_id)
    return {row[0]: Known(*row) for row in session.execute(query.with_for_update())}


def update_states(session: Session, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set `columns` of phones that `lock_states` locked; each row holds their values and, last, the phone's id.

    Instants are microseconds. One statement a batch, past the ORM and the type conversions of each value: this is
    where most of a reading's cost would be.
    """
    if not rows:
        return
    names = [*columns, "handset_id"]
    if session.get_bind().dialect.name == "postgresql":
        changes = ", ".join(f"{name} = v.{name}" for name in columns)
        told = "json_populate_recordset(NULL::phone_state, CAST(:rows AS json))"
        statement = f"UPDATE phone_state s SET {changes} FROM {told} v WHERE s.handset_id = v.handset_id"  # noqa: S608 - names of columns
        body = orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()
        session.execute(text(statement), {"rows": body})
        return
    changes = ", ".join(f"{name} = ?" for name in columns)
    values = [tuple(v.hex if type(v) is uuid.UUID else v for v in row) for row in rows]
    session.connection().exec_driver_sql(
        f"UPDATE phone_state SET {changes} WHERE handset_id = ?",  # noqa: S608 - names of columns
        values,
    )


def save_sections(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        new = insert_into(session, PhoneSection.__table__)
        changes = {name: new.excluded[name] for name in ("centre_id", "tag", "at", "data")}
        statement = new.on_conflict_do_update(index_elements=["handset_id", "name"], set_=changes)
        session.connection().execute(statement, rows)


def save_known(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note which `android_id` was read; the same as before keeps its `since`."""
    if rows:
        new = insert_into(session, PhoneKnown.__table__)
        told, same = new.excluded, new.excluded.android_id == PhoneKnown.android_id
        changes = {
            "android_id": told.android_id,
            "since": case((same, PhoneKnown.since), else_=told.since),
            "replaced": case((same, PhoneKnown.replaced), else_=True),
        }
        statement = new.on_conflict_do_update(index_elements=["handset_id"], set_=changes)
        session.connection().execute(statement, rows)


def known(session: Session, handset_id: uuid.UUID) -> PhoneKnown | None:
    return session.get(PhoneKnown, handset_id, populate_existing=True)


def save_journals(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep each boot's furthest journal; of two that end together the milder, so that their order does not matter."""
    new = insert_into(session, PhoneJournal)
    told = new.excluded
    further = told.last_uptime_us > PhoneJournal.last_uptime_us
    milder = and_(told.last_uptime_us == PhoneJournal.last_uptime_us, told.journal_end == "open")
    changes = {name: told[name] for name in rows[0] if name not in ("handset_id", "boot_id")}
    statement = new.on_conflict_do_update(
        index_elements=["handset_id", "boot_id"], set_=changes, where=or_(further, milder)
    )
    session.execute(statement, list(rows))


def journals(session: Session, handset_id: uuid.UUID) -> Sequence[PhoneJournal]:
    """Of one phone, the newest boot first."""
    query = select(PhoneJournal).where(PhoneJournal.handset_id == handset_id)
    return session.scalars(query.order_by(PhoneJournal.received_at.desc(), PhoneJournal.boot_id)).all()


def refused_phones(session: Session, ids: Ids) -> set[uuid.UUID]:
    """Those whose newest identity contradicts the registry: another phone answers by their serial."""
    query = select(PhoneState.handset_id)
    found = query.where(PhoneState.handset_id.in_(ids), PhoneState.refused_identity.is_not(None))
    return set(session.scalars(found))


def save_sightings(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    new = insert_into(session, Sighting)
    told = new.excluded
    changes = {
        "agent_id": told.agent_id,
        "target": told.target,
        "last_seen_at": case(
            (told.last_seen_at > Sighting.last_seen_at, told.last_seen_at), else_=Sighting.last_seen_at
        ),
        "times": Sighting.times + told.times,
        "identity": case((told.identity.is_not(None), told.identity), else_=Sighting.identity),
    }
    session.execute(
        new.on_conflict_do_update(index_elements=["centre_id", "serial"], set_=changes), list(rows)
    )


def failing_targets(session: Session, agent_id: uuid.UUID) -> dict[str, dt.datetime]:
    """The targets that this agent did not reach, with the last time."""
    query = select(ContactFailure.target, ContactFailure.last_at).where(ContactFailure.agent_id == agent_id)
    return {row.target: row.last_at for row in session.execute(query)}


def save_failures(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """The newest failure of each target; one of the same reason goes on, another begins anew."""
    if not rows:
        return
    new = insert_into(session, ContactFailure)
    told = new.excluded
    same = ContactFailure.reason == told.reason
    changes = {
        "handset_id": told.handset_id,
        "serial": told.serial,
        "reason": told.reason,
        "first_at": case((same, ContactFailure.first_at), else_=told.first_at),
        "last_at": told.last_at,
        "times": case((same, ContactFailure.times + told.times), else_=told.times),
    }
    statement = new.on_conflict_do_update(
        index_elements=["agent_id", "target"], set_=changes, where=told.last_at >= ContactFailure.last_at
    )
    session.execute(statement, list(rows))


def forget_failures(session: Session, agent_id: uuid.UUID, targets: Collection[str]) -> None:
    if targets:
        session.execute(
            delete(ContactFailure).where(
                ContactFailure.agent_id == agent_id, ContactFailure.target.in_(targets)
            )
        )


def sections(session: Session, ids: Ids, names: Collection[str]) -> Iterable[tuple[uuid.UUID, str, str]]:
    query = select(PhoneSection.handset_id, PhoneSection.name, PhoneSection.data)
    found = session.execute(query.where(PhoneSection.handset_id.in_(ids), PhoneSection.name.in_(names)))
    return ((row.handset_id, row.name, row.data) for row in found)


def states(session: Session, principal: Principal, ids: Ids) -> Sequence[PhoneState]:
    query = select(PhoneState).where(PhoneState.handset_id.in_(ids))
    return session.scalars(query.where(within(principal, PhoneState.centre_id))).all()


def failures(session: Session, principal: Principal, ids: Ids) -> Sequence[ContactFailure]:
    query = select(ContactFailure).where(ContactFailure.handset_id.in_(ids))
    return session.scalars(query.where(within(principal, ContactFailure.centre_id))).all()


def last_read_by(session: Session, agent_id: uuid.UUID, ids: Ids) -> set[uuid.UUID]:
    query = select(PhoneState.handset_id).where(
        PhoneState.agent_id == agent_id, PhoneState.handset_id.in_(ids)
    )
    return set(session.scalars(query))


def sightings_query(principal: Principal) -> Select[Sighting]:
    return select(Sighting).where(within(principal, Sighting.centre_id))


def prune_sightings(session: Session, before: dt.datetime) -> int:
    """Forget phones that nobody saw since."""
    gone = delete(Sighting).where(Sighting.last_seen_at < before).returning(Sighting.serial)
    return len(session.scalars(gone).all())


def forget_sighting(session: Session, serial: str) -> None:
    session.execute(delete(Sighting).where(Sighting.serial == serial))
