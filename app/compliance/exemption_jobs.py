from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.compliance.exemption_service import remind, sweep
from app.kernel.jobs import Job
from app.runtime import runtime


def _remind(session: Session, now: dt.datetime) -> int:
    return remind(session, runtime().policies, now)


JOBS = (
    Job(name="end_exemptions", every_s=60, run=sweep),
    Job(name="remind_of_exemptions", every_s=3600, run=_remind),
)
