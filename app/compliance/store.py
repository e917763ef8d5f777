"""Queries of verdicts; a batch is a few statements, whatever its size."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.kernel.db import insert_into
from app.kernel.tenancy import SYSTEM, Principal, within
from app.registry import Handset


def locked(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    """The verdicts of these phones, locked until the commit in the order of the ids."""
    query = _rows(handset_ids).order_by(ComplianceVerdict.handset_id).with_for_update()
    return {row.handset_id: row for row in session.execute(query)}


def present(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    """As `locked`, without the lock."""
    return {row.handset_id: row for row in session.execute(_rows(handset_ids))}


def _rows(handset_ids: Collection[uuid.UUID]) -> Select[Any]:
    return select(*ComplianceVerdict.__table__.c).where(ComplianceVerdict.handset_id.in_(handset_ids))


def storages(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str | None]:
    """What the verdicts of these phones say of their storage."""
    query = select(ComplianceVerdict.handset_id, ComplianceVerdict.storage)
    return dict(session.execute(query.where(ComplianceVerdict.handset_id.in_(handset_ids))).all())


def silent(session: Session, handset_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Those of these phones whose verdict says that they were not read for long."""
    if not handset_ids:
        return []
    query = select(ComplianceVerdict.handset_id).where(
        ComplianceVerdict.handset_id.in_(handset_ids), ComplianceVerdict.findings.contains('"silent"')
    )
    return list(session.scalars(query))


def save(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    new = insert_into(session, ComplianceVerdict.__table__)
    changes = {name: new.excluded[name] for name in rows[0] if name != "handset_id"}
    statement = new.on_conflict_do_update(index_elements=["handset_id"], set_=changes)
    session.connection().execute(statement, rows)


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


def centres_of(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    query = select(Handset.id, Handset.centre_id).where(Handset.id.in_(handset_ids))
    return dict(session.execute(query).all())


def centres_in_service(session: Session, principal: Principal = SYSTEM) -> list[uuid.UUID]:
    """The centres in which phones are in service now."""
    query = select(Handset.centre_id).where(Handset.retired_at.is_(None))
    return list(session.scalars(query.where(within(principal, Handset.centre_id)).distinct()))


def waiting(
    session: Session,
    policies: Mapping[uuid.UUID, str],
    now: dt.datetime,
    after: uuid.UUID | None,
    limit: int,
) -> dict[uuid.UUID, uuid.UUID]:
    """Handset → its present centre, for phones in service whose verdict is due, was never given, was given in another
    centre, or by another policy than that centre's (centre → sha256). In the order of their ids, those `after` one.
    """
    verdict = ComplianceVerdict
    stale = [
        and_(Handset.centre_id == centre, verdict.policy_sha256 != sha256)
        for centre, sha256 in policies.items()
    ]
    query = (
        select(Handset.id, Handset.centre_id)
        .outerjoin(verdict, verdict.handset_id == Handset.id)
        .where(
            Handset.retired_at.is_(None),
            or_(
                verdict.handset_id.is_(None),
                verdict.due_at <= now,
                verdict.centre_id != Handset.centre_id,
                *stale,
            ),
        )
        .order_by(Handset.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Handset.id > after)
    return dict(session.execute(query).all())


@dataclass(frozen=True)
class Stale:
    """Phones in service of one centre: how many were `judged` by what is wanted, how many are `waiting` for it, and
    when the longest waiting was judged last; None: nobody waits, or none of them was ever judged.
    """

    judged: int = 0
    waiting: int = 0
    oldest: dt.datetime | None = None


def stale(session: Session, policies: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, Stale]:
    """Of each of these centres (centre → sha256)."""
    verdict = ComplianceVerdict
    query = (
        select(Handset.centre_id, verdict.policy_sha256, func.count(), func.min(verdict.judged_at))
        .outerjoin(verdict, verdict.handset_id == Handset.id)
        .where(Handset.retired_at.is_(None), Handset.centre_id.in_(policies))
        .group_by(Handset.centre_id, verdict.policy_sha256)
    )
    found = dict.fromkeys(policies, Stale())
    for centre, sha256, number, oldest in session.execute(query):
        so_far = found[centre]
        if sha256 == policies[centre]:
            found[centre] = replace(so_far, judged=number)
        else:
            ages = [at for at in (so_far.oldest, oldest) if at is not None]
            found[centre] = Stale(so_far.judged, so_far.waiting + number, min(ages, default=None))
    return found
