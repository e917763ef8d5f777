"""Employees with how they are reached, addresses masked; and what the channels' page says beside."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.notify import store
from app.notify.contacts import addresses
from app.notify.model import Contact
from app.notify.rules import masked_mail, masked_mobile
from app.people import user_of_employee
from app.registry import Employee, ServiceCentre

_UNHEARD_DAYS = 30


@dataclass(frozen=True)
class ContactLine:
    """`work`: the mobile is his post's number."""

    id: uuid.UUID
    number: str
    name: str
    mail: str
    mobile: str
    work: bool
    signs_in: bool


def contact_lines(
    session: Session,
    principal: Principal,
    now: dt.datetime,
    *,
    words: str = "",
    missing: bool = False,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ContactLine]:
    """Employees by number; `missing`: those who left neither mail nor mobile."""
    query = select(Employee).where(Employee.retired_at.is_(None), within(principal, Employee.centre_id))
    if words:
        found = (
            Employee.name.icontains(words, autoescape=True),
            Employee.number.icontains(words, autoescape=True),
        )
        query = query.where(or_(*found))
    if missing:
        known = select(Contact.employee_id).where(
            Contact.employee_id.is_not(None), or_(Contact.mail.is_not(None), Contact.mobile.is_not(None))
        )
        query = query.where(Employee.id.not_in(known))
    page = paginate(session, query, [SortKey("number", Employee.number)], cursor=cursor, limit=limit)
    return Page([_line(session, employee, now) for employee in page.items], page.next_cursor)


def _line(session: Session, employee: Employee, now: dt.datetime) -> ContactLine:
    user_id = user_of_employee(session, employee.id)
    found = addresses(session, user_id, employee.id, now)
    return ContactLine(
        employee.id, employee.number, employee.name, masked_mail(found.mail) if found.mail else "",
        masked_mobile(found.mobile) if found.mobile else "", found.work, user_id is not None,
    )  # fmt: skip


def employee_name(session: Session, principal: Principal, employee_id: uuid.UUID) -> str:
    query = select(Employee.name).where(Employee.id == employee_id, within(principal, Employee.centre_id))
    return session.scalar(query) or ""


def centres(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(
        ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id)
    )
    return [(row.id, row.name) for row in session.execute(query.order_by(ServiceCentre.code))]


def unheard(session: Session, principal: Principal, now: dt.datetime) -> int:
    """Notices of the last days that were for nobody: a role that no user has."""
    return store.without_recipient(session, principal, now - dt.timedelta(days=_UNHEARD_DAYS))
