from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.clock import Clock
from app.kernel.jobs import Job, OutsideJob, Transactions
from app.notify import spread, store
from app.notify.sending import Outside, send_due
from app.notify.service import SPREAD
from app.runtime import runtime


def _spread(session: Session, now: dt.datetime) -> int:
    return spread.spread_notices(session, now, runtime().policies, runtime().settings)


def _count(session: Session, now: dt.datetime) -> int:
    return spread.count_for_robots(session, now, runtime().policies)


def _send(transactions: Transactions, clock: Clock) -> int:
    here = runtime()
    return send_due(transactions, clock, Outside(here.settings, here.keys, here.policies))


def _prune(session: Session, now: dt.datetime) -> int:
    policy = runtime().policies.latest("notify").body
    gone = outbox.prune(session, now - dt.timedelta(days=policy["delivery_days"]), (*spread.TOPICS, SPREAD))
    return gone + store.prune(session, now - dt.timedelta(days=policy["notice_days"]))


JOBS = (
    Job(name="spread_notices", every_s=15, run=_spread),
    Job(name="count_for_robots", every_s=60, run=_count),
    OutsideJob(name="send_notices", every_s=15, run=_send),
    Job(name="prune_notices", every_s=86_400, run=_prune),
)
