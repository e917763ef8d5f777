"""The book, read: rows of a person, of a centre, and sums."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.ledger.model import LedgerEntry

_CHUNK = 500


def list_entries(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    month: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[LedgerEntry]:
    """Newest first."""
    query = select(LedgerEntry).where(within(principal, LedgerEntry.centre_id))
    wanted: list[ColumnElement[bool]] = []
    if centre_id is not None:
        wanted.append(LedgerEntry.centre_id == centre_id)
    if employee_id is not None:
        wanted.append(LedgerEntry.employee_id == employee_id)
    if month is not None:
        wanted.append(LedgerEntry.month == month)
    keys = [
        SortKey("booked_at", LedgerEntry.booked_at, descending=True),
        SortKey("id", LedgerEntry.id, descending=True),
    ]
    return paginate(session, query.where(*wanted), keys, cursor=cursor, limit=limit)


def entries_between(
    session: Session,
    principal: Principal,
    centre_id: uuid.UUID,
    last: tuple[str, dt.datetime] | None,
    this: tuple[str, dt.datetime],
) -> list[LedgerEntry]:
    """Of a centre, what stands in the statement of a month `this` (month, instant of its closing) and in none before:
    `last` is the closing before it. Oldest first.
    """
    query = select(LedgerEntry).where(
        within(principal, LedgerEntry.centre_id),
        LedgerEntry.centre_id == centre_id,
        LedgerEntry.month <= this[0],
        LedgerEntry.booked_at <= this[1],
    )
    if last is not None:
        query = query.where(or_(LedgerEntry.month > last[0], LedgerEntry.booked_at > last[1]))
    return list(session.scalars(query.order_by(LedgerEntry.booked_at, LedgerEntry.id)))


def reversals_of(session: Session, entry_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Reversed booking → its reversal."""
    ids, found = list(entry_ids), {}
    for start in range(0, len(ids), _CHUNK):
        query = select(LedgerEntry.reverses_id, LedgerEntry.id).where(
            LedgerEntry.reverses_id.in_(ids[start : start + _CHUNK])
        )
        found.update({reversed_id: row_id for reversed_id, row_id in session.execute(query) if reversed_id})
    return found


def sums_by_month(session: Session, principal: Principal, employee_id: uuid.UUID) -> list[tuple[str, int]]:
    """Month and balance in fen of all of an employee's accounts, the latest month first."""
    query = (
        select(LedgerEntry.month, func.sum(LedgerEntry.amount_fen))
        .where(LedgerEntry.employee_id == employee_id, within(principal, LedgerEntry.centre_id))
        .group_by(LedgerEntry.month)
        .order_by(LedgerEntry.month.desc())
    )
    return [(month, int(fen)) for month, fen in session.execute(query)]
