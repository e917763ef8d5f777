from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.readings.store import prune_sightings
from app.runtime import runtime


def _prune(session: Session, now: dt.datetime) -> int:
    days = runtime().policies.latest("retention").body["sighting_days"]
    return prune_sightings(session, now - dt.timedelta(days=days))


JOBS = (Job(name="prune_sightings", every_s=86_400, run=_prune),)
