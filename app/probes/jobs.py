from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.probes.reach import watch_reach
from app.probes.schedule import end_unanswered, plan_day, prune, send_due, weigh_failed
from app.runtime import runtime


def _plan(session: Session, now: dt.datetime) -> int:
    return plan_day(session, runtime().policies, now)


def _send(session: Session, now: dt.datetime) -> int:
    policies = runtime().policies
    return end_unanswered(session, policies, now) + send_due(session, policies, now)


def _watch(session: Session, now: dt.datetime) -> int:
    return watch_reach(session, runtime().policies, now)


def _prune(session: Session, now: dt.datetime) -> int:
    return prune(session, runtime().policies, now)


JOBS = (
    Job(name="plan_probes", every_s=600, run=_plan),
    Job(name="send_probes", every_s=15, run=_send),
    Job(name="weigh_failed_probes", every_s=30, run=weigh_failed),
    Job(name="watch_reach", every_s=300, run=_watch),
    Job(name="prune_probes", every_s=86_400, run=_prune),
)
