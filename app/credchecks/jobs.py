from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.credchecks.cases import close_restored, lapse, tell_due
from app.credchecks.opening import open_due
from app.credchecks.settling import settle_open
from app.credchecks.telling import remind
from app.credchecks.tools import Tools
from app.kernel.jobs import Job
from app.runtime import runtime


def _tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.vault, here.keys)


def _open(session: Session, now: dt.datetime) -> int:
    return open_due(session, _tools(), now)


def _settle(session: Session, now: dt.datetime) -> int:
    return settle_open(session, _tools(), now)


def _remind(session: Session, now: dt.datetime) -> int:
    return remind(session, runtime().policies, now)


def _cases(session: Session, now: dt.datetime) -> int:
    policies = runtime().policies
    return (
        tell_due(session, policies, now)
        + lapse(session, policies, now)
        + close_restored(session, policies, now)
    )


JOBS = (
    Job(name="open_rounds", every_s=60, run=_open),
    Job(name="settle_rounds", every_s=60, run=_settle),
    Job(name="remind_rounds", every_s=600, run=_remind),
    Job(name="change_cases", every_s=60, run=_cases),
)
