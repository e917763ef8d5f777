from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.incidents.settling import queue_changed, settle_due
from app.kernel.jobs import Job
from app.runtime import runtime


def _settle(session: Session, now: dt.datetime) -> int:
    return settle_due(session, now, runtime().policies)


def _compare(session: Session, now: dt.datetime) -> int:
    return queue_changed(session, now, runtime().policies)


JOBS = (
    Job(name="settle_incidents", every_s=15, run=_settle),
    Job(name="queue_changed_phones", every_s=60, run=_compare),
)
