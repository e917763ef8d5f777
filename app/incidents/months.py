"""R02 by the month: strikes and what still waits of each employee, from what is stored of the rulings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.incidents import month_store
from app.incidents.month_store import MatterKind
from app.policy import PolicyFiles, effective
from app.uptime import MonthRuling, allowance, limits_of


@dataclass(frozen=True, slots=True)
class MonthMatter:
    """A strike, or an incident that waits, of one employee and month; `at`: its instant."""

    incident_id: uuid.UUID
    handset_id: uuid.UUID
    at: dt.datetime
    kind: MatterKind


def month_matters(
    session: Session, centre_id: uuid.UUID, month: str, also: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, list[MonthMatter]]:
    """What counts in a month (`2026-11`, Shanghai's) for each employee who has to do with the centre, by `at`.

    `also`: employees of whom the caller knows it; a phone that moved to another centre no longer tells of them.
    An employee's matters at other centres' phones count as well. Internal: the caller checked rights.
    """
    found: dict[uuid.UUID, list[MonthMatter]] = {}
    employees = month_store.employees_of(session, centre_id, month).union(also)
    for row in month_store.matters(session, employees, month):
        found.setdefault(row.employee_id, []).append(
            MonthMatter(row.incident_id, row.handset_id, row.at, row.kind)
        )
    return {
        employee: sorted(found[employee], key=lambda m: (m.at, m.incident_id)) for employee in sorted(found)
    }


def month_rulings(
    session: Session,
    policies: PolicyFiles,
    centre_id: uuid.UUID,
    month: str,
    also: Collection[uuid.UUID] = (),
) -> dict[uuid.UUID, MonthRuling]:
    """Each employee with custody of one of the centre's phones in the month, or with a matter of it. Internal.

    `also`: as in `month_matters`.
    """
    limits = limits_of(effective(session, policies, "uptime", centre_id).body)
    employees = month_store.employees_of(session, centre_id, month).union(also)
    counted: Mapping[uuid.UUID, Counter[str]] = _counted(session, employees, month)
    rulings = {}
    for employee in sorted(employees):
        n = counted.get(employee, Counter())
        pending = n["suspected"] + n["undecided"]
        rulings[employee] = MonthRuling(
            n["strike"], n["suspected"], n["undecided"], allowance(n["strike"], pending, limits)
        )
    return rulings


def _counted(session: Session, employees: Collection[uuid.UUID], month: str) -> dict[uuid.UUID, Counter[str]]:
    counted: dict[uuid.UUID, Counter[str]] = {}
    for row in month_store.matters(session, employees, month):
        counted.setdefault(row.employee_id, Counter())[row.kind] += 1
    return counted


@dataclass(frozen=True, slots=True)
class OwnMonth:
    """One person's month: `strikes` of the `limit` at which the allowance is lost, and how many matters still wait."""

    strikes: int
    pending: int
    limit: int


def own_month(
    session: Session, policies: PolicyFiles, centre_id: uuid.UUID, employee_id: uuid.UUID, month: str
) -> OwnMonth:
    """As `month_rulings`, of one person by his own centre's policy. Internal: he or the caller may know."""
    n = _counted(session, [employee_id], month).get(employee_id, Counter())
    limit = effective(session, policies, "uptime", centre_id).body["strikes"]
    return OwnMonth(n["strike"], n["suspected"] + n["undecided"], limit)
