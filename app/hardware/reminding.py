"""Tasks that come by time alone."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.allowance import closed_until
from app.hardware import store
from app.hardware.deducting import task_key
from app.hardware.model import HardwareCase
from app.hardware.noting import ask
from app.hardware.rules import day_of, month_of
from app.hardware.states import Appeal, Case
from app.hardware.tools import FINANCE, case_path
from app.registry import Employee
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
    for order in store.open_orders(session, _SWEEP):
        case = session.get_one(HardwareCase, order.case_id)
        if month < order.first_month or case.appeal == Appeal.FILED:
            continue
        if case.appeal == Appeal.NONE and case.appeal_until is not None and now < case.appeal_until:
            continue
        closed = closed_until(session, order.centre_id)
        taken = any(part.month == month for part in store.instalments(session, order.id))
        if taken or (closed is not None and month <= closed):
            continue
        person = session.get_one(Employee, order.employee_id)
        asked += open_task(
            session, key=task_key(order, month), kind="hardware", centre_id=order.centre_id,
            title=f"确认 {month} 赔付扣款：{person.name}",
            body="填写本人当月可扣的上限：不超过法定比例，扣后不低于最低工资。没有确认就不扣。",
            link=f"{case_path(case.id)}#money", handset_id=case.handset_id, roles=FINANCE, now=now,
        )  # fmt: skip
    return asked
