from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.calldesk.service import keep_lists
from app.kernel.jobs import Job
from app.runtime import runtime


def _keep(session: Session, now: dt.datetime) -> int:
    return keep_lists(session, runtime().policies, now)


JOBS = (Job(name="keep_dial_lists", every_s=120, run=_keep),)
