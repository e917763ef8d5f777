from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.observers.gateway_watch import watch_gateways
from app.observers.watch import beat_server, prune, watch_sites
from app.runtime import runtime


def _beat(session: Session, now: dt.datetime) -> int:
    beat_server(session, runtime().policies, now)
    return 0


def _watch(session: Session, now: dt.datetime) -> int:
    return watch_sites(session, runtime().policies, now)


def _gateways(session: Session, now: dt.datetime) -> int:
    return watch_gateways(session, runtime().policies, now)


def _prune(session: Session, now: dt.datetime) -> int:
    return prune(session, runtime().policies, now)


JOBS = (
    Job(name="beat_server", every_s=10, run=_beat),
    Job(name="watch_sites", every_s=60, run=_watch),
    Job(name="watch_gateways", every_s=300, run=_gateways),
    Job(name="prune_observers", every_s=86_400, run=_prune),
)
