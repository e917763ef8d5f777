"""What time brings: delegations that end, repairs that last."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.duty import store
from app.duty.delegations import end_by_time
from app.duty.excuses import FILERS, repair_key
from app.duty.messages import tag_of, tell_delegation
from app.duty.model import Delegation
from app.duty.rules import bound_until
from app.duty.states import Delegation as State
from app.duty.states import DelegationEvent as Event
from app.kernel.jobs import Job
from app.kernel.tenancy import SYSTEM
from app.policy import effective
from app.registry import history_of
from app.runtime import runtime
from app.tasks import open_task

_SWEEP = 500


def sweep_delegations(session: Session, now: dt.datetime) -> int:
    """End those whose end came, and those of which one of the two no longer has his post."""
    touched = 0
    for row in store.open_delegations(session, _SWEEP):
        if row.state == State.PROPOSED:
            touched += _lapse(session, row, now)
        else:
            touched += _end(session, row, now)
    return touched


def _lapse(session: Session, row: Delegation, now: dt.datetime) -> bool:
    if row.ends_at > now:
        return False
    end_by_time(session, row, Event.LAPSE, "", None, now)
    body = "到期前没有人接受，手机一直由您负责。"
    tell_delegation(session, row, "lapse", "委托过期未接受", body, (row.giver_id,), now)
    return True


def _end(session: Session, row: Delegation, now: dt.datetime) -> bool:
    over = _left_at(session, row, now)
    if over is not None and over < row.ends_at:
        end_by_time(session, row, Event.END, "一方已离开岗位", over, now)
        body = "委托的一方已离开岗位，委托提前结束；需要时请重新委托。"
        tell_delegation(session, row, "end", "委托提前结束", body, (row.giver_id, row.delegate_id), now)
        return True
    if row.ends_at > now:
        return False
    end_by_time(session, row, Event.END, "", None, now)
    body = "委托到期，手机重新由保管人负责。"
    tell_delegation(session, row, "end", "委托已到期", body, (row.giver_id, row.delegate_id), now)
    return True


def _left_at(session: Session, row: Delegation, now: dt.datetime) -> dt.datetime | None:
    if row.force_from is None or row.delegate_id is None:
        return None
    had = [
        (custody.since, custody.until)
        for custody in history_of(session, SYSTEM, row.handset_id)
        if custody.employee_id == row.giver_id
    ]
    return bound_until(row.force_from, now, had, store.holdings(session, row.to_post_id, row.delegate_id))


def remind_of_repairs(session: Session, now: dt.datetime) -> int:
    """Ask about repairs without an end that have lasted for policy's days: forgotten, they would excuse for ever."""
    asked = 0
    for row in store.open_repairs(session):
        days = effective(session, runtime().policies, "duty", row.centre_id).body["repair_remind_days"]
        number = (now - row.starts_at) // dt.timedelta(days=days)
        if number <= row.reminded:
            continue
        row.reminded = number
        asked += open_task(
            session, key=repair_key(row), kind="repair", centre_id=row.centre_id,
            title=f"维修还在进行吗：{tag_of(session, row.handset_id)}", body=row.note,
            link="/duty?show=excuses", handset_id=row.handset_id, roles=FILERS, now=now,
        )  # fmt: skip
    return asked


JOBS = (
    Job(name="sweep_delegations", every_s=60, run=sweep_delegations),
    Job(name="remind_of_repairs", every_s=3600, run=remind_of_repairs),
)
