"""Searching the trail, for people."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.audit.model import AuditRow
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
