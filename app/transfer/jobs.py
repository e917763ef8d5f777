"""What time brings: silence, copies that nobody needs, papers to be made, transfers that lie about."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.runtime import runtime
from app.transfer.copies import sweep_copies
from app.transfer.papering import issue_missing
from app.transfer.running import hear_silence, remind
from app.transfer.tools import Tools


def _tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.blobs, here.keys)


def _silence(session: Session, now: dt.datetime) -> int:
    return hear_silence(session, _tools(), now)


def _copies(session: Session, now: dt.datetime) -> int:
    return sweep_copies(session, _tools(), now)


def _papers(session: Session, now: dt.datetime) -> int:
    return issue_missing(session, runtime().keys, now)


def _remind(session: Session, now: dt.datetime) -> int:
    return remind(session, _tools(), now)


JOBS = (
    Job(name="transfer_silence", every_s=60, run=_silence),
    Job(name="transfer_copies", every_s=600, run=_copies),
    Job(name="transfer_papers", every_s=30, run=_papers),
    Job(name="transfer_reminders", every_s=3600, run=_remind),
)
