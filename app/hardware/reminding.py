"""Tasks that come by time alone."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.allowance import closed_until
from app.hardware import store
from app.hardware.deducting import task_key
from app.hardware.noting import ask
from app.hardware.rules import day_of, month_of
from app.hardware.states import Case
from app.hardware.tools import FINANCE, case_path
from app.tasks import open_task

_SWEEP = 500


def ask_for_overdue(session: Session, now: dt.datetime) -> int:
    """The date for the person's new phone has passed: somebody decides that the centre buys."""
    late = [
        case
        for case in store.in_states(session, [Case.DEMANDED], _SWEEP)
        if case.due_on is not None and case.due_on < day_of(now)
    ]
    body = "期限已过，本人没有提供新机：请联系本人，或转由中心购机。"
    return sum(ask(session, case, "due", "赔付新机已逾期", now, body=body) for case in late)


def ask_for_months(session: Session, now: dt.datetime) -> int:
    """The running month of each order that nobody confirmed yet; not while an appeal may come or waits."""
    month, asked = month_of(now), 0
    rows = store.unconfirmed(session, month, now)
    closed = {centre: closed_until(session, centre) for centre in {order.centre_id for order, _, _ in rows}}
    for order, case, person in rows:
        until = closed[order.centre_id]
        if until is not None and month <= until:
            continue
        asked += open_task(
            session, key=task_key(order, month), kind="hardware", centre_id=order.centre_id,
            title=f"确认 {month} 赔付扣款：{person.name}",
            body="填写本人当月可扣的上限：不超过法定比例，扣后不低于最低工资。没有确认就不扣。",
            link=f"{case_path(case.id)}#money", handset_id=case.handset_id, roles=FINANCE, now=now,
        )  # fmt: skip
    return asked
