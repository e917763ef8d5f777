from __future__ import annotations

from app.kernel.clock import Clock
from app.kernel.jobs import OutsideJob, Transactions
from app.remedy.hook import tools
from app.remedy.timing import follow_all, sweep_all


def _follow(transactions: Transactions, clock: Clock) -> int:
    return follow_all(transactions, clock, tools())


def _sweep(transactions: Transactions, clock: Clock) -> int:
    return sweep_all(transactions, clock, tools())


JOBS = (
    OutsideJob(name="follow_verdicts", every_s=20, run=_follow),
    OutsideJob(name="sweep_remedies", every_s=20, run=_sweep),
)
