"""What waits for somebody, as counts that lead to where it is done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dialling import calls_waiting
from app.duty import to_answer
from app.incidents import OwnMonth, open_figures, own_month
from app.kernel.tenancy import Principal
from app.notify import unread_count
from app.overview import store
from app.policy import PolicyFiles
from app.tasks import figures

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@dataclass(frozen=True)
class Waiting:
    """`tasks` of the reader's own roles; `calls` None: dial tests are not his."""

    suspected: int
    undecided: int
    appealed: int
    tasks: int
    overdue: int
    calls: int | None


def waiting_counts(session: Session, principal: Principal, now: dt.datetime, *, calls: bool) -> Waiting:
    """A fixed number of queries, however many phones there are."""
    tasks = figures(session, principal, now)
    return Waiting(
        **open_figures(session, principal),
        tasks=tasks["mine"],
        overdue=tasks["overdue"],
        calls=calls_waiting(session, principal, now) if calls else None,
    )


@dataclass(frozen=True)
class OwnStanding:
    """A butler's month so far, what waits for his answer, and what he has not read. `month`: `2026-11`, Shanghai's."""

    month: str
    ruling: OwnMonth
    to_answer: int
    unread: int


def own_standing(
    session: Session, principal: Principal, now: dt.datetime, policies: PolicyFiles
) -> OwnStanding | None:
    """None for somebody who is no employee of a centre in his sight."""
    employee = principal.employee
    centre_id = store.centre_of_employee(session, principal, employee) if employee else None
    if employee is None or centre_id is None:
        return None
    month = now.astimezone(_SHANGHAI).strftime("%Y-%m")
    return OwnStanding(
        month=month,
        ruling=own_month(session, policies, centre_id, employee, month),
        to_answer=to_answer(session, principal, now),
        unread=unread_count(session, principal),
    )
