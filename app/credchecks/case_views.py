"""Cases as people see them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.credchecks import case_store, kit_store
from app.credchecks.cases import in_order, may_judge, may_speak
from app.credchecks.model import ChangeCase
from app.credchecks.states import OPEN_CASES, Case, Finding
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.people import names_of
from app.policy import PolicyFiles
from app.registry import Employee, live_centres

_OWN = 20


@dataclass(frozen=True)
class CaseLine:
    row: ChangeCase
    holder: str
    centre: str


@dataclass(frozen=True)
class CaseView:
    """`held`: who had the post since the password was last known to be right, until now. `acts`: the caller's."""

    row: ChangeCase
    post: str
    holder: Employee | None
    held: Sequence[tuple[Employee, dt.datetime, dt.datetime | None]]
    names: Mapping[str, str]
    in_order: bool
    acts: tuple[str, ...]


def list_cases(
    session: Session, principal: Principal, *, state: str | None, centre_id: uuid.UUID | None = None, words: str = "",
    cursor: str | None = None, limit: int = DEFAULT_LIMIT,
) -> Page[ChangeCase]:  # fmt: skip
    """The latest first. `state`: one of `Case`, `open`, or None for all."""
    keys = [SortKey("opened_at", ChangeCase.opened_at, True), SortKey("id", ChangeCase.id, True)]
    query = case_store.cases(principal, state=state, centre_id=centre_id, words=words)
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def get_case(session: Session, principal: Principal, case_id: uuid.UUID) -> ChangeCase:
    """Raise `NotFound` for what is not the caller's to see."""
    return case_store.find(session, principal, case_id)


def case_lines(session: Session, principal: Principal, rows: Sequence[ChangeCase]) -> list[CaseLine]:
    people = kit_store.employees(session, {row.employee_id for row in rows if row.employee_id})
    centres = dict(live_centres(session, principal))
    return [
        CaseLine(
            row,
            people[row.employee_id].name if row.employee_id else "无人在岗",
            centres.get(row.centre_id, ""),
        )
        for row in rows
    ]


def case_view(
    session: Session, principal: Principal, case_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> CaseView:
    """Raise `NotFound` for what is not the caller's to see."""
    return _view(session, principal, case_store.find(session, principal, case_id), policies, now)


def own_cases(
    session: Session, principal: Principal, employee_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[CaseView]:
    rows = case_store.of_employee(session, employee_id, _OWN)
    return [_view(session, principal, row, policies, now) for row in rows]


def _view(
    session: Session, principal: Principal, row: ChangeCase, policies: PolicyFiles, now: dt.datetime
) -> CaseView:
    actors = {a for a in (row.checked_by, row.stated_by, row.decided_by, row.answered_by) if a}
    people = kit_store.employees(session, [row.employee_id] if row.employee_id else [])
    since = min(row.known_good_at or row.mismatch_at, row.mismatch_at)
    return CaseView(
        row=row,
        post=kit_store.posts(session, [row.post_id])[row.post_id].name,
        holder=people.get(row.employee_id) if row.employee_id else None,
        held=kit_store.holders_between(session, row.post_id, since, now),
        names=names_of(session, actors),
        in_order=row.state in OPEN_CASES and in_order(session, row, policies, now),
        acts=_acts(session, principal, row, now),
    )


def _acts(session: Session, principal: Principal, row: ChangeCase, now: dt.datetime) -> tuple[str, ...]:
    acts: list[str] = []
    if row.told_at is not None and may_speak(session, principal, row):
        if row.state in (Case.OPENED, Case.SILENT) and row.employee_id is not None:
            acts.append("state")
        in_time = row.appeal_until is not None and now < row.appeal_until
        if row.state == Case.DECIDED and row.finding == Finding.UNAUTHORISED and in_time:
            acts.append("appeal")
    if may_judge(session, principal, row, now):
        if row.state in (Case.STATED, Case.SILENT):
            acts += ["blame", "clear"] if row.employee_id is not None else ["clear"]
        elif row.state == Case.OPENED:
            acts.append("clear")
        elif row.state == Case.APPEALED and row.decided_by != principal.user:
            acts.append("answer")
    return tuple(acts)
