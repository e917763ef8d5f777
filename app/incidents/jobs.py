from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.incidents.pending import queue_changed
from app.incidents.pruning import cutoff, prune_boots
from app.incidents.settling import settle_due
from app.kernel.jobs import Job
from app.runtime import runtime

_PHONES_PRUNED = 500


def _settle(session: Session, now: dt.datetime) -> int:
    return settle_due(session, now, runtime().policies)


def _compare(session: Session, now: dt.datetime) -> int:
    return queue_changed(session, now, runtime().policies)


def _prune(session: Session, now: dt.datetime) -> int:
    policies = runtime().policies
    return prune_boots(session, now, policies, cutoff(now, policies), _PHONES_PRUNED)


JOBS = (
    Job(name="settle_incidents", every_s=10, run=_settle),
    Job(name="queue_changed_phones", every_s=60, run=_compare),
    Job(name="prune_boots", every_s=86_400, run=_prune),
)
