from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.clock import Clock
from app.kernel.jobs import Job, OutsideJob, Transactions
from app.runtime import runtime
from app.trail.sending import checkpoint_now, send_checkpoints


def _sign(session: Session, now: dt.datetime) -> int:
    here = runtime()
    return 0 if checkpoint_now(session, here.keys, here.settings, now) is None else 1


def _send(transactions: Transactions, clock: Clock) -> int:
    here = runtime()
    return send_checkpoints(transactions, clock, here.settings, here.policies)


JOBS = (
    Job(name="sign_checkpoint", every_s=3600, run=_sign),
    OutsideJob(name="send_checkpoints", every_s=60, run=_send),
)
