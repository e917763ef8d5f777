"""Incidents as lists."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.incidents import store
from app.incidents.model import Incident
from app.incidents.service import get
from app.incidents.verdicts import stored_verdict
from app.incidents.words import evidence_words
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.registry import Employee, Handset

_SORTS: Mapping[str, Any] = {
    "start": Incident.start_at,
    "changed": Incident.changed_at,
    "opened": Incident.opened_at,
}
DEFAULT_SORT = "-start"
SORTS = tuple(f"{sign}{name}" for name in _SORTS for sign in ("", "-"))


def incidents_of(
    session: Session,
    principal: Principal,
    *,
    statuses: Sequence[str] = (),
    states: Sequence[str] = (),
    month: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    words: str = "",
    gone: bool = False,
    sort: str = DEFAULT_SORT,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Incident]:
    """What the caller may see: staff their centres' incidents, a butler his own. `gone`: those too that count no more.

    `words` is looked for in the phone's tag and serial and in the employee's name and number.
    """
    query = store.listed(principal).where(
        *conditions(
            month=month, centre_id=centre_id, handset_id=handset_id, employee_id=employee_id, words=words
        )
    )
    if not gone:
        query = query.where(Incident.gone_at.is_(None))
    if statuses:
        query = query.where(Incident.status.in_(statuses))
    if states:
        query = query.where(Incident.state.in_(states))
    name = sort.removeprefix("-")
    down = sort.startswith("-")
    keys = [SortKey(name, _SORTS[name], descending=down), SortKey("id", Incident.id, descending=down)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def conditions(
    *,
    month: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    words: str = "",
) -> list[Any]:
    """What a list and its counts are narrowed to."""
    found: list[Any] = []
    if month:
        found.append(Incident.month == month)
    if centre_id:
        found.append(Incident.centre_id == centre_id)
    if handset_id:
        found.append(Incident.handset_id == handset_id)
    if employee_id:
        found.append(store.of_employee(employee_id))
    if words.strip():
        found.append(_search(words.strip()))
    return found


def _search(text: str) -> Any:
    phones = select(Handset.id).where(
        or_(
            Handset.asset_tag.icontains(text, autoescape=True),
            Handset.serial.icontains(text, autoescape=True),
        )
    )
    people = select(Employee.id).where(
        or_(Employee.name.icontains(text, autoescape=True), Employee.number.icontains(text, autoescape=True))
    )
    return or_(Incident.handset_id.in_(phones), Incident.employee_id.in_(people))


def detail_of(session: Session, principal: Principal, incident_id: uuid.UUID) -> dict[str, Any]:
    """One incident with its history, for the API. Raise `NotFound` as `get`."""
    row = get(session, principal, incident_id)
    verdict = stored_verdict(row, store.strikes_of(session, [row.id])[row.id])
    told = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return {
        **told,
        "evidence": evidence_words(verdict),
        "changes": store.changes_of(session, row.id),
        "decisions": store.decisions_on(session, row.id),
        "appeals": store.appeals_on(session, row.id),
    }


def figures(session: Session, principal: Principal, narrowed: Sequence[Any]) -> dict[str, int]:
    """How many incidents stand where, over what the list is narrowed to: by status, and `appealed`."""
    counted: dict[str, int] = {}
    for (status, state), number in store.counts(session, principal, narrowed).items():
        counted[status] = counted.get(status, 0) + number
        if state == "appealed":
            counted["appealed"] = counted.get("appealed", 0) + number
    return counted


def open_figures(session: Session, principal: Principal) -> dict[str, int]:
    """How many incidents in the caller's sight are `suspected`, `undecided` or `appealed`: nothing is final there."""
    counted = figures(session, principal, [])
    return {name: counted.get(name, 0) for name in ("suspected", "undecided", "appealed")}
