from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.jobs import Job
from app.wipe.hook import tools
from app.wipe.timing import arm, give_up, lapse, note_silence


def _silence(session: Session, now: dt.datetime) -> int:
    return note_silence(session, tools(), now)


def _give_up(session: Session, now: dt.datetime) -> int:
    return give_up(session, tools(), now)


JOBS = (
    Job(name="arm_wipes", every_s=60, run=arm),
    Job(name="lapse_wipes", every_s=600, run=lapse),
    Job(name="note_silent_wipes", every_s=60, run=_silence),
    Job(name="give_up_wipes", every_s=3600, run=_give_up),
)
