"""What time brings: cases that come due, and the checkpoint after a completed handover."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.audit import last_checkpoint
from app.handover import store
from app.handover.warning import warn_of_due
from app.kernel.db import to_us
from app.kernel.jobs import Job
from app.runtime import runtime
from app.trail import checkpoint_now


def warn(session: Session, now: dt.datetime) -> int:
    return warn_of_due(session, policies=runtime().policies, now=now)


def checkpoint_handovers(session: Session, now: dt.datetime) -> int:
    """Sign the audit trail once a handover is completed: its events are in it only after their own commit."""
    here = runtime()
    newest = store.newest_completion(session)
    last = last_checkpoint(session, here.keys)
    if newest is None or (last is not None and last.at_us > to_us(newest)):
        return 0
    return int(checkpoint_now(session, here.keys, here.settings, now) is not None)


JOBS = (
    Job(name="warn_of_handovers", every_s=600, run=warn),
    Job(name="checkpoint_handovers", every_s=20, run=checkpoint_handovers),
)
