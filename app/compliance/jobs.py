from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.compliance.service import rejudge
from app.kernel.jobs import Job
from app.runtime import runtime


def _rejudge(session: Session, now: dt.datetime) -> int:
    return rejudge(session, runtime().policies, now)


JOBS = (Job(name="rejudge_apps", every_s=60, run=_rejudge),)
