from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.allowance.correcting import recheck
from app.allowance.telling import ask_to_close, tell_lines
from app.allowance.tools import Tools
from app.kernel.jobs import Job
from app.runtime import runtime


def _recheck(session: Session, now: dt.datetime) -> int:
    return recheck(session, Tools(runtime().policies, runtime().blobs), now)


def _ask(session: Session, now: dt.datetime) -> int:
    return ask_to_close(session, runtime().policies, now)


JOBS = (
    Job(name="recheck_allowances", every_s=300, run=_recheck),
    Job(name="tell_allowances", every_s=20, run=tell_lines),
    Job(name="ask_to_close_months", every_s=3600, run=_ask),
)
