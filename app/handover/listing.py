"""Lists of cases: all of a centre, those of leaving staff, those that concern one employee."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import Handover, HandoverLeg
from app.handover.states import Case
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.registry import Employee, Post


@dataclass
class Leaving:
    """Somebody who leaves or has left: posts that he still holds, cases in which he still gives."""

    employee: Employee
    posts: list[Post] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)


def handovers(
    session: Session,
    principal: Principal,
    *,
    state: str | None = None,
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    post_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    overdue_at: dt.datetime | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Handover]:
    """The open ones first, by due date; among the ended ones the latest first. `words`: post or person."""
    query = store.cases(
        principal, state=state, kind=kind, centre_id=centre_id, post_id=post_id, handset_id=handset_id, words=words,
        due_before=overdue_at,
    )  # fmt: skip
    if state == Case.OPEN:
        keys = [SortKey("due_at", Handover.due_at), SortKey("id", Handover.id)]
    else:
        # By name `open` comes after `cancelled` and `completed`.
        keys = [
            SortKey("state", Handover.state, descending=True),
            SortKey("started_at", Handover.started_at, descending=True),
            SortKey("id", Handover.id, descending=True),
        ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def leaving_staff(session: Session, principal: Principal, *, now: dt.datetime) -> list[Leaving]:
    """Retired employees who still hold a post, and whoever has an open handover because he leaves (R04, U06)."""
    found: dict[uuid.UUID, Leaving] = {}
    for employee, post in store.retired_holders(session, principal, now):
        found.setdefault(employee.id, Leaving(employee)).posts.append(post)
    cases = list(session.scalars(store.cases(principal, state=Case.OPEN).order_by(Handover.due_at)))
    givers = store.employees(session, [case.giver_id for case in cases])
    for case in cases:
        giver = givers.get(case.giver_id) if case.giver_id else None
        if giver is not None and (case.reason == "left" or giver.id in found):
            found.setdefault(giver.id, Leaving(giver)).handovers.append(case)
    return sorted(found.values(), key=lambda leaving: leaving.employee.number)


def concerning(
    session: Session, principal: Principal, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[HandoverLeg]:
    """The legs in which the caller himself is a side, the latest first; none for who is no employee."""
    if principal.employee is None:
        return Page([], None)
    keys = [SortKey("id", HandoverLeg.id, descending=True)]
    return paginate(session, store.legs_concerning(principal.employee), keys, cursor=cursor, limit=limit)
