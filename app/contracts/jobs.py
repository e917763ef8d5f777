from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.contracts.warning_service import forget_retired, warn_of_ends
from app.kernel.jobs import Job
from app.runtime import runtime


def warn(session: Session, now: dt.datetime) -> int:
    return warn_of_ends(session, runtime().policies, now) + forget_retired(session, now)


JOBS = (Job(name="warn_of_contract_ends", every_s=600, run=warn),)
