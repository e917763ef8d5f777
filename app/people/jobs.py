"""What of signing in is thrown away, and when."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.people import key_store

# A session's row outlives it for a while, so that somebody can still see where he was signed in.
_SESSIONS_KEPT = dt.timedelta(days=30)
# Longer than any brake's memory: a row that no brake looks at any more.
_BRAKES_KEPT = dt.timedelta(days=31)


def _prune(session: Session, now: dt.datetime) -> int:
    sessions = key_store.prune_sessions(session, now - _SESSIONS_KEPT)
    return sessions + key_store.prune_brakes(session, now - _BRAKES_KEPT)


JOBS = (Job(name="prune_sign_in", every_s=3600, run=_prune),)
