"""Lists of closed months, lines and claims, and what one person sees of his own."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from app.allowance import claim_store, store
from app.allowance.model import AllowanceLine, AllowanceMonth, TopupClaim
from app.kernel.errors import NotFound
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import LedgerEntry, list_entries

_OWN = 200


def list_months(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    month: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[AllowanceMonth]:
    """Closed months, the latest first."""
    query = store.months_query(principal, centre_id=centre_id, month=month)
    keys = [
        SortKey("month", AllowanceMonth.month, descending=True),
        SortKey("id", AllowanceMonth.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def get_month(session: Session, principal: Principal, month_id: uuid.UUID) -> AllowanceMonth:
    """Raise `NotFound`, also for a foreign centre's."""
    row = store.find_month(session, principal, month_id)
    if row is None:
        raise NotFound("没有这个月 / no such month")
    return row


def list_claims(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    month: str | None = None,
    state: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[TopupClaim]:
    """Newest first; of the caller's centres."""
    query = claim_store.query(
        principal, centre_id=centre_id, employee_id=employee_id, month=month, state=state
    )
    return paginate(session, query, _CLAIM_ORDER, cursor=cursor, limit=limit)


_CLAIM_ORDER = [
    SortKey("created_at", TopupClaim.created_at, descending=True),
    SortKey("id", TopupClaim.id, descending=True),
]


def own_lines(session: Session, employee_id: uuid.UUID) -> list[AllowanceLine]:
    """Every line of one's own, corrections and what they replaced; wherever one held a post."""
    return store.revisions_of(session, SYSTEM, employee_id)


def own_entries(session: Session, employee_id: uuid.UUID) -> list[LedgerEntry]:
    """The latest bookings of one's own, newest first."""
    return list(list_entries(session, SYSTEM, employee_id=employee_id, limit=_OWN).items)


def own_claims(session: Session, employee_id: uuid.UUID) -> list[TopupClaim]:
    query = claim_store.query(SYSTEM, employee_id=employee_id)
    return list(paginate(session, query, _CLAIM_ORDER, cursor=None, limit=_OWN).items)


def own_employee(principal: Principal) -> uuid.UUID:
    """Who the caller is as an employee. Raise `NotFound` for those who are none."""
    if principal.employee is None:
        raise NotFound("您的账号没有对应的员工 / your account is no employee's", code="no_employee")
    return principal.employee
