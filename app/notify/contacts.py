"""How a person is reached outside: his mail address and mobile number, which he may change himself."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.kernel.ids import parse_id
from app.kernel.spans import holds_at
from app.kernel.tenancy import Principal, within
from app.notify.model import Contact
from app.notify.rules import is_mail, masked_mail, masked_mobile
from app.people import user_of_employee
from app.registry import Employee, KitAssignment, Number, PostHolding, normal_e164

KEEPERS = ("operations", "lead")
"""Who may write down how an employee of his centre is reached."""


@dataclass(frozen=True)
class Addresses:
    """`work`: the mobile is the number of his post, for he gave none of his own."""

    mail: str | None
    mobile: str | None
    work: bool = False


def addresses(
    session: Session, user_id: uuid.UUID | None, employee_id: uuid.UUID | None, now: dt.datetime
) -> Addresses:
    """Where to reach a person now. Internal: asks no principal."""
    row = _find(session, user_id, employee_id)
    mail, mobile = (row.mail, row.mobile) if row else (None, None)
    if mobile is None and employee_id is not None:
        work = _work_number(session, employee_id, now)
        return Addresses(mail, work, work is not None)
    return Addresses(mail, mobile)


def _find(session: Session, user_id: uuid.UUID | None, employee_id: uuid.UUID | None) -> Contact | None:
    return next(iter(_all(session, user_id, employee_id)), None)


def _all(session: Session, user_id: uuid.UUID | None, employee_id: uuid.UUID | None) -> list[Contact]:
    """Two where a person wrote down his as a user before he was known to be the employee; the employee's first."""
    ways = [
        column == value
        for column, value in ((Contact.user_id, user_id), (Contact.employee_id, employee_id))
        if value is not None
    ]
    query = select(Contact).where(or_(*ways)).order_by(Contact.employee_id.is_(None), Contact.id)
    return list(session.scalars(query.execution_options(populate_existing=True))) if ways else []


def _work_number(session: Session, employee_id: uuid.UUID, now: dt.datetime) -> str | None:
    query = (
        select(Number.e164)
        .join(KitAssignment, KitAssignment.number_id == Number.id)
        .join(PostHolding, PostHolding.post_id == KitAssignment.post_id)
        .where(
            PostHolding.employee_id == employee_id,
            PostHolding.voided_at.is_(None),
            holds_at(PostHolding.valid_from, PostHolding.valid_to, now),
            KitAssignment.voided_at.is_(None),
            holds_at(KitAssignment.valid_from, KitAssignment.valid_to, now),
        )
    )
    return session.scalar(query.order_by(Number.e164).limit(1))


def own_contact(session: Session, principal: Principal) -> Contact | None:
    return _find(session, parse_id(principal.user), principal.employee)


def contact_of(session: Session, principal: Principal, employee_id: uuid.UUID) -> Contact | None:
    """Raise `NotFound` for a foreign centre's employee, `Forbidden` for who keeps no contacts there."""
    employee = _employee(session, principal, employee_id)
    return _find(session, user_of_employee(session, employee.id), employee.id)


def _employee(session: Session, principal: Principal, employee_id: uuid.UUID) -> Employee:
    query = select(Employee).where(Employee.id == employee_id, within(principal, Employee.centre_id))
    found = session.scalar(query)
    if found is None:
        raise NotFound("没有这名员工 / no such employee")
    principal.require_role(found.centre_id, *KEEPERS)
    return found


def put_own(
    session: Session, principal: Principal, *, mail: str, mobile: str, expected_version: int, now: dt.datetime
) -> Contact:
    """A person writes down his own. Raise `Conflict` for who is no person, `Invalid`, `Stale`."""
    user_id = parse_id(principal.user)
    if user_id is None:
        raise Conflict("应急令牌没有联系方式 / the access token is no person", code="no_person")
    return _put(session, principal, user_id, principal.employee, None, mail, mobile, expected_version, now)


def put_of(
    session: Session,
    principal: Principal,
    employee_id: uuid.UUID,
    *,
    mail: str,
    mobile: str,
    expected_version: int,
    now: dt.datetime,
) -> Contact:
    """Raise as `contact_of`, and `Invalid`, `Stale`."""
    employee = _employee(session, principal, employee_id)
    user_id = user_of_employee(session, employee.id)
    return _put(
        session, principal, user_id, employee.id, employee.centre_id, mail, mobile, expected_version, now
    )


def _put(
    session: Session,
    principal: Principal,
    user_id: uuid.UUID | None,
    employee_id: uuid.UUID | None,
    centre_id: uuid.UUID | None,
    mail: str,
    mobile: str,
    expected_version: int,
    now: dt.datetime,
) -> Contact:
    checked_mail, checked_mobile = checked(mail, mobile)
    rows = _all(session, user_id, employee_id)
    if (rows[0].version if rows else 0) != expected_version:
        raise Stale("已被他人修改，请重新读取 / changed meanwhile: read it again")
    for other in rows[1:]:
        session.delete(other)
    session.flush()
    row = rows[0] if rows else Contact(version=0, created_at=now)
    row.user_id, row.employee_id = user_id or row.user_id, employee_id or row.employee_id
    row.mail, row.mobile, row.version, row.updated_at = checked_mail, checked_mobile, row.version + 1, now
    session.add(row)
    session.flush()
    # The addresses themselves stay out of the trail, which cannot forget.
    details = {
        "mail": masked_mail(checked_mail) if checked_mail else "",
        "mobile": masked_mobile(checked_mobile) if checked_mobile else "",
    }
    entry = AuditEvent(
        at=now, actor=principal.user, action="contact.put", object=f"contact:{row.id}", centre_id=centre_id,
        details=details,
    )  # fmt: skip
    record(session, entry)
    return row


def checked(mail: str, mobile: str) -> tuple[str | None, str | None]:
    """Both as they are kept, None where empty. Raise `Invalid` with the fields."""
    problems = []
    mail, mobile = mail.strip(), mobile.strip()
    if mail and not is_mail(mail):
        problems.append(FieldError("mail", "invalid", "不是有效的邮箱地址 / no valid mail address"))
    kept = None
    try:
        kept = normal_e164(mobile) if mobile else None
    except ValueError as exc:
        problems.append(FieldError("mobile", "invalid", str(exc)))
    if problems:
        raise Invalid("联系方式不正确 / the contact is not right", fields=problems)
    return mail or None, kept
