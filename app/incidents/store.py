"""Queries of incidents. A row changes only by compare-and-set on its version: who hits none lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Select, delete, exists, false, func, or_, select, true, type_coerce, update
from sqlalchemy.orm import Session

from app.incidents.model import (
    Incident,
    IncidentAppeal,
    IncidentChange,
    IncidentDecision,
    IncidentStrike,
    RuledPhone,
)
from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Employee, Handset, KitAssignment, PostHolding, ServiceCentre

_COMMITTED_WITHIN = dt.timedelta(minutes=3)
"""No request that writes a tie takes longer."""
_STAFF = frozenset({"admin", "operations", "lead", "it", "finance", "auditor"})


def visible(principal: Principal) -> Any:
    """The condition of what a caller may see: a centre's staff all of it, everybody what he himself answers for."""
    staff = _of_staff(principal)
    if principal.employee is None:
        return staff
    return or_(staff, of_employee(principal.employee))


def _of_staff(principal: Principal) -> Any:
    if not principal.rights:
        return within(principal, Incident.centre_id) if principal.roles & _STAFF else false()
    centres = [centre for role, centre in principal.rights if role in _STAFF]
    return true() if None in centres else Incident.centre_id.in_(centres)


def of_employee(employee_id: uuid.UUID) -> Any:
    """The condition of what one person answers for, also by a single strike."""
    struck = exists().where(
        IncidentStrike.incident_id == Incident.id, IncidentStrike.employee_id == employee_id
    )
    return or_(Incident.employee_id == employee_id, struck)


def find(session: Session, principal: Principal, incident_id: uuid.UUID) -> Incident | None:
    query = select(Incident).where(Incident.id == incident_id, visible(principal))
    return session.scalar(query.execution_options(populate_existing=True))


def of_phone(session: Session, handset_id: uuid.UUID) -> Sequence[Incident]:
    """Every incident of a phone, also those that are gone, in a stable order."""
    query = (
        select(Incident).where(Incident.handset_id == handset_id).order_by(Incident.opened_at, Incident.id)
    )
    return session.scalars(query.execution_options(populate_existing=True)).all()


def change(session: Session, incident: Incident, **values: Any) -> None:
    """Set what changed. Raise `Conflict` when somebody else changed the incident meanwhile."""
    conflict = Conflict(
        "事件刚刚有变化，请重新查看 / the incident changed meanwhile: look again", code="incident_changed"
    )
    change_if(session, incident, ("version",), conflict, version=incident.version + 1, **values)


def strikes_of(
    session: Session, incident_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[IncidentStrike]]:
    found: dict[uuid.UUID, list[IncidentStrike]] = {incident_id: [] for incident_id in incident_ids}
    query = select(IncidentStrike).where(IncidentStrike.incident_id.in_(incident_ids))
    for row in session.scalars(query.order_by(IncidentStrike.at)):
        found[row.incident_id].append(row)
    return found


def replace_strikes(session: Session, incident_id: uuid.UUID, rows: Iterable[IncidentStrike]) -> None:
    session.execute(
        delete(IncidentStrike)
        .where(IncidentStrike.incident_id == incident_id)
        .execution_options(synchronize_session="fetch")
    )
    session.add_all(rows)


def decisions_of(session: Session, handset_id: uuid.UUID) -> Sequence[IncidentDecision]:
    query = select(IncidentDecision).where(IncidentDecision.handset_id == handset_id)
    return session.scalars(query.order_by(IncidentDecision.at, IncidentDecision.id)).all()


def decisions_on(session: Session, incident_id: uuid.UUID) -> Sequence[IncidentDecision]:
    query = select(IncidentDecision).where(IncidentDecision.incident_id == incident_id)
    return session.scalars(query.order_by(IncidentDecision.at, IncidentDecision.id)).all()


def appeals_on(session: Session, incident_id: uuid.UUID) -> Sequence[IncidentAppeal]:
    query = select(IncidentAppeal).where(IncidentAppeal.incident_id == incident_id)
    return session.scalars(query.order_by(IncidentAppeal.at)).all()


def insert_appeal(session: Session, values: Mapping[str, Any]) -> bool:
    """False when this person has appealed against this incident before."""
    new = insert_into(session, IncidentAppeal).values(**values)
    new = new.on_conflict_do_nothing(index_elements=["incident_id", "employee_id"])
    return session.scalar(new.returning(IncidentAppeal.id)) is not None


def close_appeals(session: Session, incident_id: uuid.UUID, now: dt.datetime) -> None:
    session.execute(
        update(IncidentAppeal)
        .where(IncidentAppeal.incident_id == incident_id, IncidentAppeal.decided_at.is_(None))
        .values(decided_at=now)
    )


def changes_of(session: Session, incident_id: uuid.UUID) -> Sequence[IncidentChange]:
    query = select(IncidentChange).where(IncidentChange.incident_id == incident_id)
    return session.scalars(query.order_by(IncidentChange.at, IncidentChange.id)).all()


def ruled(session: Session, handset_id: uuid.UUID) -> RuledPhone | None:
    return session.get(RuledPhone, handset_id, populate_existing=True)


def keep_ruled(session: Session, values: Mapping[str, Any]) -> None:
    new = insert_into(session, RuledPhone).values(**values)
    session.execute(
        new.on_conflict_do_update(
            index_elements=["handset_id"], set_={name: new.excluded[name] for name in values}
        )
    )


def listed(principal: Principal) -> Select[Incident]:
    return select(Incident).where(visible(principal))


def counts(session: Session, principal: Principal, conditions: Sequence[Any]) -> dict[tuple[str, str], int]:
    """How many incidents that still count stand in each (status, state)."""
    query = (
        select(Incident.status, Incident.state, func.count())
        .where(visible(principal), Incident.gone_at.is_(None), *conditions)
        .group_by(Incident.status, Incident.state)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def with_changed_ties(
    session: Session, centre_id: uuid.UUID | None = None, *, limit: int | None = None
) -> dict[uuid.UUID, uuid.UUID]:
    """Phones, with their centres, whose custody was written after they were ruled last, whenever it is valid."""
    kit = (
        select(RuledPhone.handset_id, RuledPhone.centre_id)
        .join(KitAssignment, KitAssignment.handset_id == RuledPhone.handset_id)
        .where(_written_after_ruling(KitAssignment))
    )
    post = (
        select(RuledPhone.handset_id, RuledPhone.centre_id)
        .join(KitAssignment, KitAssignment.handset_id == RuledPhone.handset_id)
        .join(PostHolding, PostHolding.post_id == KitAssignment.post_id)
        .where(_written_after_ruling(PostHolding))
    )
    if centre_id is not None:
        kit, post = (query.where(RuledPhone.centre_id == centre_id) for query in (kit, post))
    return {row[0]: row[1] for query in (kit, post) for row in session.execute(query.distinct().limit(limit))}


def _written_after_ruling(tie: type[KitAssignment | PostHolding]) -> Any:
    # A tie is dated when its request begins and seen only when that commits: a ruling in between has missed it.
    written = type_coerce(tie.updated_at, BigInteger) + _COMMITTED_WITHIN // dt.timedelta(microseconds=1)
    return written >= type_coerce(RuledPhone.settled_at, BigInteger)


def moved(session: Session, limit: int) -> dict[uuid.UUID, uuid.UUID]:
    """Phones, with their centres, that were ruled last as another centre's."""
    query = (
        select(Handset.id, Handset.centre_id)
        .join(RuledPhone, RuledPhone.handset_id == Handset.id)
        .where(RuledPhone.centre_id != Handset.centre_id)
    )
    return {row[0]: row[1] for row in session.execute(query.limit(limit))}


def never_ruled(session: Session, limit: int) -> dict[uuid.UUID, uuid.UUID]:
    """Phones in use, with their centres, that no ruling has looked at yet."""
    query = (
        select(Handset.id, Handset.centre_id)
        .outerjoin(RuledPhone, RuledPhone.handset_id == Handset.id)
        .where(RuledPhone.handset_id.is_(None), Handset.retired_at.is_(None))
    )
    return {row[0]: row[1] for row in session.execute(query.limit(limit))}


def policies_ruled_by(session: Session) -> set[tuple[uuid.UUID, str]]:
    """Each centre with each policy, by its sha256, that phones of it were ruled by last."""
    query = select(RuledPhone.centre_id, RuledPhone.policy_sha256).distinct()
    return {(row[0], row[1]) for row in session.execute(query)}


def ruled_by(session: Session, centre_id: uuid.UUID, policy_sha256: str, limit: int) -> list[uuid.UUID]:
    query = select(RuledPhone.handset_id).where(
        RuledPhone.centre_id == centre_id, RuledPhone.policy_sha256 == policy_sha256
    )
    return list(session.scalars(query.limit(limit)))


def employee_names(session: Session, employee_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(Employee.id, Employee.name, Employee.number).where(Employee.id.in_(employee_ids))
    return {row.id: f"{row.name}（{row.number}）" for row in session.execute(query)}


def phone_tags(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(Handset.id, Handset.asset_tag).where(Handset.id.in_(handset_ids))
    return {row.id: row.asset_tag for row in session.execute(query)}


def months(session: Session, principal: Principal, limit: int) -> list[str]:
    """The latest months that have incidents, newest first."""
    query = select(Incident.month).where(visible(principal)).distinct().order_by(Incident.month.desc())
    return list(session.scalars(query.limit(limit)))


def centres(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(within(principal, ServiceCentre.id))
    return [(row.id, row.name) for row in session.execute(query.order_by(ServiceCentre.name))]
