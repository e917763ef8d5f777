from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.remedy.hook import tools
from app.remedy.timing import follow, sweep


def _follow(session: Session, now: dt.datetime) -> int:
    return follow(session, tools(), now)


def _sweep(session: Session, now: dt.datetime) -> int:
    return sweep(session, tools(), now)


JOBS = (
    Job(name="follow_verdicts", every_s=20, run=_follow),
    Job(name="sweep_remedies", every_s=20, run=_sweep),
)
