from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.apps.indexing import index_changes, relist
from app.apps.store import prune
from app.kernel.jobs import Job
from app.runtime import runtime

_PHONES_AT_ONCE = 250
"""About a second's work: on SQLite nobody else writes meanwhile."""


def _index(session: Session, _now: dt.datetime) -> int:
    return index_changes(session, runtime().policies, _PHONES_AT_ONCE)


def _relist(session: Session, _now: dt.datetime) -> int:
    return relist(session, runtime().policies, _PHONES_AT_ONCE)


def _prune(session: Session, now: dt.datetime) -> int:
    return prune(
        session, now - dt.timedelta(days=runtime().policies.latest("retention").body["app_event_days"])
    )


JOBS = (
    Job(name="index_apps", every_s=15, run=_index),
    Job(name="relist_apps", every_s=60, run=_relist),
    Job(name="prune_app_events", every_s=86_400, run=_prune),
)
