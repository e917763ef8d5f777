from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.commands.hooks import tell_ended
from app.commands.model import Command
from app.commands.service import expire_commands
from app.commands.store import prune
from app.kernel.jobs import Job
from app.runtime import command_hooks, runtime


def _expire(session: Session, now: dt.datetime) -> int:
    hooks = command_hooks()

    def ended(command: Command) -> None:
        tell_ended(command, hooks, session, now)

    return expire_commands(session, now, ended)


def _prune(session: Session, now: dt.datetime) -> int:
    days = runtime().policies.latest("retention").body["command_days"]
    return prune(session, now - dt.timedelta(days=days))


JOBS = (
    Job(name="expire_commands", every_s=30, run=_expire),
    Job(name="prune_commands", every_s=86_400, run=_prune),
)
