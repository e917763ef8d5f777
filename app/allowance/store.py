"""Queries of closed months and their lines."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, exists, func, insert, select, update
from sqlalchemy.orm import Session

from app.allowance.model import AllowanceLine, AllowanceMonth, PayrollExport
from app.kernel.db import insert_into
from app.kernel.spans import overlaps
from app.kernel.tenancy import Principal, within
from app.registry import Employee, KitAssignment, Post, PostHolding, ServiceCentre

_CHUNK = 500


def lock_centre(session: Session, centre_id: uuid.UUID) -> bool:
    """Money of one centre is moved by one hand at a time; False for a centre that there is not."""
    query = select(ServiceCentre.id).where(ServiceCentre.id == centre_id).with_for_update()
    return session.scalar(query) is not None


def last_closed(session: Session, centre_id: uuid.UUID) -> AllowanceMonth | None:
    query = select(AllowanceMonth).where(AllowanceMonth.centre_id == centre_id)
    return session.scalar(query.order_by(AllowanceMonth.month.desc()).limit(1))


def find_month(session: Session, principal: Principal, month_id: uuid.UUID) -> AllowanceMonth | None:
    return session.scalar(
        select(AllowanceMonth).where(
            AllowanceMonth.id == month_id, within(principal, AllowanceMonth.centre_id)
        )
    )


def closed_month(
    session: Session, principal: Principal, centre_id: uuid.UUID, month: str
) -> AllowanceMonth | None:
    return session.scalar(
        select(AllowanceMonth).where(
            AllowanceMonth.centre_id == centre_id,
            AllowanceMonth.month == month,
            within(principal, AllowanceMonth.centre_id),
        )
    )


def months_query(
    principal: Principal, *, centre_id: uuid.UUID | None, month: str | None
) -> Select[AllowanceMonth]:
    query = select(AllowanceMonth).where(within(principal, AllowanceMonth.centre_id))
    if centre_id is not None:
        query = query.where(AllowanceMonth.centre_id == centre_id)
    return query if month is None else query.where(AllowanceMonth.month == month)


def insert_month(session: Session, values: Mapping[str, Any]) -> bool:
    """False when the month of this centre was closed before, be it in this very moment."""
    new = insert_into(session, AllowanceMonth).values(**values).on_conflict_do_nothing()
    return session.scalar(new.returning(AllowanceMonth.id)) is not None


def insert_lines(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(AllowanceLine), rows)


def lines_of(session: Session, month_id: uuid.UUID) -> list[AllowanceLine]:
    """The lines that hold, in the order of employees' ids."""
    query = select(AllowanceLine).where(
        AllowanceLine.month_id == month_id, AllowanceLine.replaced_at.is_(None)
    )
    return list(session.scalars(query.order_by(AllowanceLine.employee_id)))


def revisions_of(
    session: Session, principal: Principal, employee_id: uuid.UUID, *, month_id: uuid.UUID | None = None
) -> list[AllowanceLine]:
    """Every line of an employee that ever held, the latest month and revision first."""
    query = select(AllowanceLine).where(
        AllowanceLine.employee_id == employee_id, within(principal, AllowanceLine.centre_id)
    )
    if month_id is not None:
        query = query.where(AllowanceLine.month_id == month_id)
    return list(session.scalars(query.order_by(AllowanceLine.month.desc(), AllowanceLine.revision.desc())))


def replace(session: Session, line: AllowanceLine, now: dt.datetime) -> bool:
    """Make a line the past; False when another did so before."""
    done = session.execute(
        update(AllowanceLine)
        .where(AllowanceLine.id == line.id, AllowanceLine.replaced_at.is_(None))
        .values(replaced_at=now)
        .returning(AllowanceLine.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.expire(line)
    return bool(done)


def untold(session: Session, limit: int) -> list[AllowanceLine]:
    query = select(AllowanceLine).where(AllowanceLine.told_at.is_(None))
    query = query.order_by(AllowanceLine.made_at, AllowanceLine.id).limit(limit)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def mark_told(session: Session, line_ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    session.execute(
        update(AllowanceLine)
        .where(AllowanceLine.id.in_(line_ids))
        .values(told_at=now)
        .execution_options(synchronize_session=False)
    )


def checked_longest_ago(session: Session, since_month: str, limit: int) -> list[AllowanceMonth]:
    query = select(AllowanceMonth).where(AllowanceMonth.month >= since_month)
    return list(session.scalars(query.order_by(AllowanceMonth.checked_at, AllowanceMonth.id).limit(limit)))


def set_checked(session: Session, month_id: uuid.UUID, now: dt.datetime) -> None:
    statement = update(AllowanceMonth).where(AllowanceMonth.id == month_id).values(checked_at=now)
    session.execute(statement.execution_options(synchronize_session=False))


def centres_not_closed(
    session: Session, month: str, start: dt.datetime, end: dt.datetime
) -> list[ServiceCentre]:
    """Centres that had a phone at a post within the span, and whose month is not closed."""
    closed = exists().where(AllowanceMonth.centre_id == ServiceCentre.id, AllowanceMonth.month == month)
    phones = exists().where(
        KitAssignment.centre_id == ServiceCentre.id,
        KitAssignment.handset_id.is_not(None),
        KitAssignment.voided_at.is_(None),
        overlaps(KitAssignment.valid_from, KitAssignment.valid_to, start, end),
    )
    return list(session.scalars(select(ServiceCentre).where(~closed, phones).order_by(ServiceCentre.code)))


def centres(session: Session, principal: Principal) -> list[ServiceCentre]:
    query = select(ServiceCentre).where(
        within(principal, ServiceCentre.id), ServiceCentre.retired_at.is_(None)
    )
    return list(session.scalars(query.order_by(ServiceCentre.code)))


def find_centre(session: Session, principal: Principal, centre_id: uuid.UUID) -> ServiceCentre | None:
    query = select(ServiceCentre).where(ServiceCentre.id == centre_id, within(principal, ServiceCentre.id))
    return session.scalar(query)


def sums(session: Session, month_ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, str, int, int]]:
    """(month, state, people, fen that custody earned) of the lines that hold."""
    query = (
        select(
            AllowanceLine.month_id,
            AllowanceLine.state,
            func.count(),
            func.coalesce(func.sum(AllowanceLine.amount_fen), 0),
        )
        .where(AllowanceLine.month_id.in_(list(month_ids)), AllowanceLine.replaced_at.is_(None))
        .group_by(AllowanceLine.month_id, AllowanceLine.state)
    )
    return [(month, state, int(people), int(fen)) for month, state, people, fen in session.execute(query)]


def closed_months(session: Session, principal: Principal, month: str) -> list[AllowanceMonth]:
    query = select(AllowanceMonth).where(
        AllowanceMonth.month == month, within(principal, AllowanceMonth.centre_id)
    )
    return list(session.scalars(query))


def employees(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Employee]:
    found: dict[uuid.UUID, Employee] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        query = select(Employee).where(Employee.id.in_(wanted[start : start + _CHUNK]))
        found.update({row.id: row for row in session.scalars(query)})
    return found


def employees_within(session: Session, principal: Principal, limit: int) -> list[Employee]:
    query = select(Employee).where(within(principal, Employee.centre_id), Employee.retired_at.is_(None))
    return list(session.scalars(query.order_by(Employee.number).limit(limit)))


def posts(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    found: dict[uuid.UUID, str] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        query = select(Post.id, Post.name).where(Post.id.in_(wanted[start : start + _CHUNK]))
        for row in session.execute(query):
            found[row.id] = row.name
    return found


def holding_centre(
    session: Session, employee_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> uuid.UUID | None:
    """The centre of the post that an employee held last within the span; None when he held none."""
    query = select(PostHolding.centre_id).where(
        PostHolding.employee_id == employee_id,
        PostHolding.voided_at.is_(None),
        overlaps(PostHolding.valid_from, PostHolding.valid_to, start, end),
    )
    return session.scalar(query.order_by(PostHolding.valid_from.desc()).limit(1))


def exports_of(session: Session, principal: Principal, month_id: uuid.UUID) -> list[PayrollExport]:
    query = select(PayrollExport).where(
        PayrollExport.month_id == month_id, within(principal, PayrollExport.centre_id)
    )
    return list(session.scalars(query.order_by(PayrollExport.created_at.desc(), PayrollExport.id.desc())))


def find_export(session: Session, principal: Principal, export_id: uuid.UUID) -> PayrollExport | None:
    query = select(PayrollExport).where(
        PayrollExport.id == export_id, within(principal, PayrollExport.centre_id)
    )
    return session.scalar(query)


def previous_closed(session: Session, row: AllowanceMonth) -> AllowanceMonth | None:
    query = select(AllowanceMonth).where(
        AllowanceMonth.centre_id == row.centre_id, AllowanceMonth.month < row.month
    )
    return session.scalar(query.order_by(AllowanceMonth.month.desc()).limit(1))


def line_at(
    session: Session, centre_id: uuid.UUID, employee_id: uuid.UUID, month: str
) -> AllowanceLine | None:
    """The line that holds for an employee in a closed month of a centre."""
    query = select(AllowanceLine).where(
        AllowanceLine.centre_id == centre_id,
        AllowanceLine.employee_id == employee_id,
        AllowanceLine.month == month,
        AllowanceLine.replaced_at.is_(None),
    )
    return session.scalar(query)


def lines_as_closed(session: Session, month_id: uuid.UUID) -> list[AllowanceLine]:
    """The lines of the closing itself, whatever was corrected since."""
    closing = select(AllowanceMonth.closed_at).where(AllowanceMonth.id == month_id).scalar_subquery()
    query = select(AllowanceLine).where(
        AllowanceLine.month_id == month_id, AllowanceLine.revision == 1, AllowanceLine.made_at == closing
    )
    return list(session.scalars(query))


def find_line(session: Session, principal: Principal, line_id: uuid.UUID) -> AllowanceLine | None:
    query = select(AllowanceLine).where(
        AllowanceLine.id == line_id, within(principal, AllowanceLine.centre_id)
    )
    return session.scalar(query)


def has_money(session: Session, principal: Principal, employee_id: uuid.UUID) -> bool:
    """Whether any closed month of the caller's centres has a line of this employee."""
    line = exists().where(
        AllowanceLine.employee_id == employee_id, within(principal, AllowanceLine.centre_id)
    )
    return bool(session.scalar(select(line)))
