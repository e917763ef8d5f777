"""Lists of closed months, lines and claims, and what one person sees of his own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.allowance import claim_store, store
from app.allowance.model import AllowanceLine, AllowanceMonth, TopupClaim
from app.allowance.tools import SUBJECT, Tools
from app.kernel.errors import NotFound
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import LedgerEntry, list_entries, sums_by_month
from app.policy import effective
from app.registry import Employee

_OWN = 200
_CHOICE = 2000


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


def closed_month(session: Session, principal: Principal, centre_id: uuid.UUID, month: str) -> AllowanceMonth:
    """Raise `NotFound` for a month that is not closed, and for a foreign centre's."""
    row = store.closed_month(session, principal, centre_id, month)
    if row is None:
        raise NotFound("这个月还没有关账 / this month is not closed")
    return row


def person(session: Session, principal: Principal, employee_id: uuid.UUID) -> Employee:
    """Raise `NotFound` for one of whom the caller's centres have neither the employment nor any money."""
    found = store.employees(session, [employee_id]).get(employee_id)
    if found is None or not (
        principal.sees(found.centre_id) or store.has_money(session, principal, employee_id)
    ):
        raise NotFound("没有这位员工 / no such employee")
    return found


def lines_of_person(session: Session, principal: Principal, employee_id: uuid.UUID) -> list[AllowanceLine]:
    return store.revisions_of(session, principal, employee_id)


def balances(session: Session, principal: Principal, employee_id: uuid.UUID) -> list[tuple[str, int]]:
    """Month and fen, the latest month first."""
    return sums_by_month(session, principal, employee_id)


def trace_of_line(session: Session, principal: Principal, tools: Tools, line_id: uuid.UUID) -> bytes:
    """The trace that is kept with a line. Raise `NotFound` for a foreign line, and one that needed none."""
    line = store.find_line(session, principal, line_id)
    if line is None or line.trace_sha256 is None:
        raise NotFound("没有保存的证据 / no trace is kept")
    return tools.blobs.get(session, line.trace_sha256)[0]


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


def people_of(session: Session, claims: Sequence[TopupClaim]) -> dict[uuid.UUID, Employee]:
    return store.employees(session, [claim.employee_id for claim in claims])


def filers(session: Session, principal: Principal) -> list[Employee]:
    """The employees for whom the caller may file a receipt, by number; as many as a list to choose from bears."""
    return store.employees_within(session, principal.narrowed("operations"), _CHOICE)


def takes_claims(session: Session, tools: Tools, employee_id: uuid.UUID) -> bool:
    """Whether the employee's centre reimburses receipts at all."""
    person = store.employees(session, [employee_id])[employee_id]
    return bool(effective(session, tools.files, SUBJECT, person.centre_id).body["topup_cap_fen"])
