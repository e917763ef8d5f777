from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.allowlist.drafting import forget_old
from app.kernel.jobs import Job


def _forget(session: Session, now: dt.datetime) -> int:
    return forget_old(session, now)


JOBS = (Job(name="forget_allowlist_drafts", every_s=3600, run=_forget),)
