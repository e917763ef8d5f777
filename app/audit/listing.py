"""Searching the trail, for people."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.audit.model import AuditRow
from app.audit.rules import commit_details, event_hash
from app.audit.service import chain_fields
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import Principal, within


@dataclass(frozen=True)
class Search:
    """None and "" do not narrow. `actions`: names, or beginnings that end in a dot. `start` ≤ event < `end`."""

    actors: tuple[str, ...] | None = None
    actions: tuple[str, ...] = ()
    object: str = ""
    centre_id: uuid.UUID | None = None
    outcome: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    text: str = ""


def find_events(
    session: Session, principal: Principal, search: Search, *, cursor: str | None, limit: int
) -> Page[AuditRow]:
    """The newest first. What belongs to no centre is only for who sees the whole company."""
    query = _narrowed(select(AuditRow).where(within(principal, AuditRow.centre_id)), search)
    order = [SortKey("seq", AuditRow.seq, descending=True)]
    return paginate(session, query, order, cursor=cursor, limit=limit)


def _narrowed(query: Select[AuditRow], search: Search) -> Select[AuditRow]:
    if search.actors is not None:
        query = query.where(AuditRow.actor.in_(search.actors))
    if search.actions:
        query = query.where(or_(*(_action(name) for name in search.actions)))
    if search.object:
        query = query.where(AuditRow.object == search.object)
    if search.centre_id is not None:
        query = query.where(AuditRow.centre_id == search.centre_id)
    if search.outcome:
        query = query.where(AuditRow.outcome == search.outcome)
    if search.start is not None:
        query = query.where(AuditRow.at >= search.start)
    if search.end is not None:
        query = query.where(AuditRow.at < search.end)
    if search.text:
        columns = (AuditRow.object, AuditRow.reason, AuditRow.details, AuditRow.ip)
        query = query.where(or_(*(c.icontains(search.text, autoescape=True) for c in columns)))
    return query


def _action(name: str) -> ColumnElement[bool]:
    return (
        AuditRow.action.startswith(name, autoescape=True) if name.endswith(".") else AuditRow.action == name
    )


def has_lately(session: Session, *, actor: str, action: str, subject: str, since: dt.datetime) -> bool:
    """Whether the same was noted of him since then: a hammered door need not fill the trail."""
    query = select(AuditRow.seq).where(
        AuditRow.at >= since, AuditRow.actor == actor, AuditRow.action == action, AuditRow.object == subject
    )
    return session.scalar(query.limit(1)) is not None


@dataclass(frozen=True)
class KeptEvent:
    """What the trail keeps of one act. `details` is None once they were erased. `whole`: its hash, and its details'
    commitment, are still those of what stands there; that nothing was cut out around it only `verify` tells.
    """

    seq: int
    at: dt.datetime
    details: dict[str, Any] | None
    whole: bool


def kept_event(session: Session, action: str, subject: str) -> KeptEvent | None:
    """The first event of this action on this object; None when there is none."""
    query = select(AuditRow).where(AuditRow.object == subject, AuditRow.action == action)
    row = session.scalar(query.order_by(AuditRow.seq).limit(1))
    return None if row is None else _kept(row)


def kept_events(session: Session, action: str, subject: str) -> list[KeptEvent]:
    """All events of this action on this object, in order."""
    query = select(AuditRow).where(AuditRow.object == subject, AuditRow.action == action)
    return [_kept(row) for row in session.scalars(query.order_by(AuditRow.seq))]


def _kept(row: AuditRow) -> KeptEvent:
    whole = event_hash(chain_fields(row), row.prev_hash) == row.hash
    if row.details is None:
        return KeptEvent(row.seq, row.at, None, whole)
    whole = whole and commit_details(row.details, row.salt or b"") == row.details_commit
    return KeptEvent(row.seq, row.at, json.loads(row.details) if whole else None, whole)


def subjects_of(session: Session, action: str) -> Iterator[str]:
    """The objects of all events of this action, in order."""
    query = select(AuditRow.object).where(AuditRow.action == action).order_by(AuditRow.seq)
    yield from session.scalars(query.execution_options(yield_per=1000))
