from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.commands.service import expire_commands
from app.commands.store import prune
from app.kernel.jobs import Job
from app.runtime import runtime


def _prune(session: Session, now: dt.datetime) -> int:
    days = runtime().policies.latest("retention").body["command_days"]
    return prune(session, now - dt.timedelta(days=days))


JOBS = (
    Job(name="expire_commands", every_s=30, run=expire_commands),
    Job(name="prune_commands", every_s=86_400, run=_prune),
)
