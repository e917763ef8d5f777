from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.reports.code_store import prune
from app.reports.intake_service import take_reports
from app.runtime import runtime


def _take(session: Session, now: dt.datetime) -> int:
    return take_reports(session, runtime().policies, now)


def _prune(session: Session, now: dt.datetime) -> int:
    body = runtime().policies.latest("reports").body
    return prune(
        session, now - dt.timedelta(days=body["intake_days"]), now - dt.timedelta(days=body["said_days"])
    )


JOBS = (
    # Often: a probe is worth most while the customer still cannot get through.
    Job(name="take_reports", every_s=5, run=_take),
    Job(name="prune_reports", every_s=86_400, run=_prune),
)
