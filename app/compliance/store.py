"""Queries of verdicts; a batch is a few statements, whatever its size."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.kernel.db import insert_into
from app.kernel.tenancy import Principal, within
from app.registry import Handset


def locked(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    """The verdicts of these phones, locked until the commit in the order of the ids."""
    query = (
        select(*ComplianceVerdict.__table__.c)
        .where(ComplianceVerdict.handset_id.in_(handset_ids))
        .order_by(ComplianceVerdict.handset_id)
        .with_for_update()
    )
    return {row.handset_id: row for row in session.execute(query)}


def save(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    new = insert_into(session, ComplianceVerdict)
    changes = {name: new.excluded[name] for name in rows[0] if name != "handset_id"}
    session.execute(new.on_conflict_do_update(index_elements=["handset_id"], set_=changes), list(rows))


def append_changes(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(ComplianceChange), list(rows))


def set_due(
    session: Session,
    at: dt.datetime,
    handset_ids: Collection[uuid.UUID] | None,
    centre_id: uuid.UUID | None,
) -> None:
    """Of these phones, of those of this centre, or of both conditions; of all where neither is given."""
    change = update(ComplianceVerdict).values(due_at=at)
    if handset_ids is not None:
        change = change.where(ComplianceVerdict.handset_id.in_(handset_ids))
    if centre_id is not None:
        change = change.where(ComplianceVerdict.centre_id == centre_id)
    session.execute(change.execution_options(synchronize_session=False))


def changed_after(
    session: Session, at: dt.datetime | None, after_id: uuid.UUID | None, limit: int
) -> Sequence[Row[uuid.UUID, uuid.UUID, str, str, dt.datetime]]:
    verdict = ComplianceVerdict
    query = select(
        verdict.handset_id, verdict.centre_id, verdict.status, verdict.findings, verdict.changed_at
    )
    if at is not None and after_id is None:
        query = query.where(verdict.changed_at >= at)
    elif at is not None:
        later = and_(verdict.changed_at == at, verdict.handset_id > after_id)
        query = query.where(or_(verdict.changed_at > at, later))
    return session.execute(query.order_by(verdict.changed_at, verdict.handset_id).limit(limit)).all()


def verdicts(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> Sequence[ComplianceVerdict]:
    query = select(ComplianceVerdict).where(ComplianceVerdict.handset_id.in_(handset_ids))
    return session.scalars(query.where(within(principal, ComplianceVerdict.centre_id))).all()


def stored_findings(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> Iterable[Row[uuid.UUID, str, str]]:
    """Handset, status and findings as stored, without the objects that one phone's page needs."""
    columns = (ComplianceVerdict.handset_id, ComplianceVerdict.status, ComplianceVerdict.findings)
    query = select(*columns).where(ComplianceVerdict.handset_id.in_(handset_ids))
    return session.execute(query.where(within(principal, ComplianceVerdict.centre_id)))


def verdicts_query(
    principal: Principal, status: str | None, centre_id: uuid.UUID | None
) -> Select[ComplianceVerdict]:
    """Verdicts of the phones in service."""
    query = (
        select(ComplianceVerdict)
        .join(Handset, Handset.id == ComplianceVerdict.handset_id)
        .where(Handset.retired_at.is_(None), within(principal, ComplianceVerdict.centre_id))
    )
    if status is not None:
        query = query.where(ComplianceVerdict.status == status)
    return query if centre_id is None else query.where(ComplianceVerdict.centre_id == centre_id)


def changes_query(principal: Principal, handset_id: uuid.UUID) -> Select[ComplianceChange]:
    return select(ComplianceChange).where(
        ComplianceChange.handset_id == handset_id, within(principal, ComplianceChange.centre_id)
    )


def count_by_status(session: Session, principal: Principal) -> dict[str, int]:
    """Phones in service by verdict."""
    query = (
        select(ComplianceVerdict.status, func.count())
        .join(Handset, Handset.id == ComplianceVerdict.handset_id)
        .where(Handset.retired_at.is_(None), within(principal, ComplianceVerdict.centre_id))
        .group_by(ComplianceVerdict.status)
    )
    return dict(session.execute(query).all())


def centres_judged(session: Session) -> list[uuid.UUID]:
    """The centres in which judged phones are now."""
    query = select(Handset.centre_id).join(ComplianceVerdict, ComplianceVerdict.handset_id == Handset.id)
    return list(session.scalars(query.distinct()))


def judged_otherwise(
    session: Session, policies: Mapping[uuid.UUID, str], limit: int
) -> dict[uuid.UUID, uuid.UUID]:
    """Handset → its present centre, for verdicts made by another policy than that centre's (centre → sha256)."""
    stale = [
        and_(Handset.centre_id == centre, ComplianceVerdict.policy_sha256 != sha256)
        for centre, sha256 in policies.items()
    ]
    if not stale:
        return {}
    query = (
        select(ComplianceVerdict.handset_id, Handset.centre_id)
        .join(Handset, Handset.id == ComplianceVerdict.handset_id)
        .where(or_(*stale))
        .order_by(ComplianceVerdict.handset_id)
        .limit(limit)
    )
    return dict(session.execute(query).all())
