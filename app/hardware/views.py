"""Cases as people see them: lists, one case with all that hangs on it, one's own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.hardware import store
from app.hardware.documents import subject_of
from app.hardware.lives import service_life
from app.hardware.losing import LossLine, loss_lines
from app.hardware.model import (
    DeductionOrder,
    HardwareCase,
    HardwareRepair,
    HardwareReplacement,
    HardwareStep,
    Instalment,
    LossDeed,
)
from app.hardware.reporting import has_user
from app.hardware.rights import acts_of
from app.hardware.rules import Life, day_of, month_after, month_of, months_between, schedule
from app.hardware.tools import Tools
from app.incidents import Incident, incidents_of
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.papers import Paper, papers_about
from app.people import names_of
from app.registry import Employee, Handset, ServiceCentre

_OWN = 50


@dataclass(frozen=True)
class Line:
    case: HardwareCase
    phone: Handset
    person: Employee | None
    centre: str
    order: DeductionOrder | None
    new_phone: Handset | None


def case_page(
    session: Session,
    principal: Principal,
    *,
    sort: str = "-created",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    **filters: Any,
) -> Page[HardwareCase]:
    """The latest first, or with `created` the oldest. `filters`: as `store.listed`."""
    latest = sort != "created"
    keys = [
        SortKey("created_at", HardwareCase.created_at, descending=latest),
        SortKey("id", HardwareCase.id, descending=latest),
    ]
    return paginate(session, store.listed(principal, **filters), keys, cursor=cursor, limit=limit)


def lines(session: Session, cases: Sequence[HardwareCase]) -> list[Line]:
    """Internal: of cases that the caller may see."""
    phones = store.rows_of(session, Handset, [i for c in cases for i in (c.handset_id, c.new_handset_id)])
    people = store.rows_of(session, Employee, [c.employee_id for c in cases])
    centres = store.rows_of(session, ServiceCentre, [c.centre_id for c in cases])
    orders = store.orders_of(session, [c.id for c in cases])
    return [
        Line(
            case, phones[case.handset_id], people.get(case.employee_id) if case.employee_id else None,
            centres[case.centre_id].name, orders.get(case.id),
            phones.get(case.new_handset_id) if case.new_handset_id else None,
        )
        for case in cases
    ]  # fmt: skip


def one(
    session: Session, principal: Principal, case_id: uuid.UUID
) -> tuple[HardwareCase, DeductionOrder | None]:
    """Raise `NotFound` for what is not the caller's to see."""
    case = store.find(session, principal, case_id)
    return case, store.order_of(session, case.id)


@dataclass(frozen=True)
class Detail:
    """One case. `months`: those that finance may confirm now; `plan`: what is left, month by month at most."""

    line: Line
    life: Life
    age_months: int | None
    steps: Sequence[HardwareStep]
    repairs: Sequence[HardwareRepair]
    replacements: Sequence[HardwareReplacement]
    instalments: Sequence[Instalment]
    plan: Sequence[tuple[str, int]]
    months: Sequence[str]
    papers: Sequence[Paper]
    incidents: Sequence[Incident]
    loss: Sequence[LossLine]
    names: dict[str, str]
    acts: frozenset[str]


def detail(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, now: dt.datetime
) -> Detail:
    """Raise `NotFound` for what is not the caller's to see."""
    return _detail(session, principal, tools, store.find(session, principal, case_id), now)


def own_cases(session: Session, principal: Principal, tools: Tools, now: dt.datetime) -> list[Detail]:
    """Those in which the caller answers, the latest first."""
    if principal.employee is None:
        return []
    found = case_page(session, principal, employee_id=principal.employee, limit=_OWN).items
    return [_detail(session, principal, tools, case, now) for case in found]


def _detail(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, now: dt.datetime
) -> Detail:
    (line,) = lines(session, [case])
    life = service_life(session, case.handset_id, policies=tools.policies)
    steps = store.parts(session, HardwareStep, case.id)
    repairs = store.parts(session, HardwareRepair, case.id)
    replacements = store.replacements(session, case.id)
    taken = store.instalments(session, line.order.id) if line.order else ()
    actors = {s.by for s in steps} | {r.recorded_by for r in repairs} | {p.confirmed_by for p in taken}
    actors |= {who for r in replacements for who in (r.offered_by, r.decided_by) if who}
    actors |= {who for who in (case.reported_by, case.stated_by, case.judged_by, case.appealed_by) if who}
    lost, loss = case.kind == "loss", loss_lines(session, case)
    actors |= {deed.by for one in loss for deed in one.deeds}
    return Detail(
        line=line,
        life=life,
        age_months=None if life.begins is None else months_between(life.begins, day_of(case.happened_at)),
        steps=steps,
        repairs=repairs,
        replacements=replacements,
        instalments=taken,
        plan=_plan(line.order, taken),
        months=_months(line.order, taken, now),
        papers=papers_about(session, principal, subject_of(case)),
        incidents=_incidents(session, case) if lost else (),
        loss=loss,
        names=names_of(session, actors),
        acts=acts_of(
            principal,
            case,
            line.order,
            store.waiting_offer(session, case.id),
            now,
            has_user=has_user(session, case),
        ),
    )


def _incidents(session: Session, case: HardwareCase) -> list[Incident]:
    """Off-incidents since the loss: nothing is excused by itself, people decide each."""
    end = case.ended_at
    page = incidents_of(session, SYSTEM, handset_id=case.handset_id, limit=50)
    return [
        row for row in page.items if row.end_at >= case.happened_at and (end is None or row.start_at < end)
    ]


def _plan(order: DeductionOrder | None, taken: Sequence[Instalment]) -> list[tuple[str, int]]:
    if order is None or order.state != "open":
        return []
    first = month_after(taken[-1].month) if taken else order.first_month
    return schedule(order.amount_fen - order.taken_fen, order.monthly_fen, first)


def _months(order: DeductionOrder | None, taken: Sequence[Instalment], now: dt.datetime) -> list[str]:
    if order is None or order.state != "open":
        return []
    over, month, found = {part.month for part in taken}, order.first_month, []
    while month <= month_of(now):
        if month not in over:
            found.append(month)
        month = month_after(month)
    return found


def photos_of(session: Session, principal: Principal, case_id: uuid.UUID) -> frozenset[str]:
    """The pictures that the caller may see with a case."""
    case = store.find(session, principal, case_id)
    of_repairs = [name for part in store.parts(session, HardwareRepair, case.id) for name in part.photos]
    of_phones = [name for part in store.replacements(session, case.id) for name in part.photos]
    of_loss = [name for part in store.parts(session, LossDeed, case.id) for name in part.photos]
    return frozenset([*case.photos, *case.finding_photos, *of_repairs, *of_phones, *of_loss])
