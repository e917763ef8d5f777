from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.escrow.due import expire_reveals, mark_left, mark_old
from app.escrow.lock_results import settle_orders
from app.kernel.jobs import Job
from app.runtime import runtime


def _left(session: Session, now: dt.datetime) -> int:
    return mark_left(session, runtime().policies, now)


def _old(session: Session, now: dt.datetime) -> int:
    return mark_old(session, runtime().policies, now)


JOBS = (
    Job(name="expire_reveals", every_s=60, run=expire_reveals),
    Job(name="settle_lock_orders", every_s=30, run=settle_orders),
    Job(name="renew_after_leaving", every_s=600, run=_left),
    Job(name="renew_old_secrets", every_s=120, run=_old),
)
