"""What time brings: a new phone that did not come, a month that finance has yet to confirm."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.hardware.reminding import ask_for_months, ask_for_overdue
from app.hardware.watching import look_for_lost
from app.kernel.jobs import Job
from app.runtime import runtime


def _lost(session: Session, now: dt.datetime) -> int:
    return look_for_lost(session, runtime().policies, now)


JOBS = (
    Job(name="hardware_overdue", every_s=3600, run=ask_for_overdue),
    Job(name="hardware_lost_seen", every_s=60, run=_lost),
    Job(name="hardware_instalments", every_s=3600, run=ask_for_months),
)
