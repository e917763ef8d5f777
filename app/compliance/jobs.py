from __future__ import annotations

from app.compliance.service import rejudge_due
from app.kernel.clock import Clock
from app.kernel.jobs import OutsideJob, Transactions
from app.runtime import runtime


def _rejudge(transactions: Transactions, clock: Clock) -> int:
    return rejudge_due(transactions, runtime().policies, clock)


JOBS = (OutsideJob(name="rejudge_phones", every_s=20, run=_rejudge),)
