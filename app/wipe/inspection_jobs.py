from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.kernel.clock import Clock
from app.kernel.db import db
from app.kernel.jobs import Job, OutsideJob, Transactions
from app.papers import Press
from app.runtime import runtime
from app.wipe.inspecting import ask_inspections
from app.wipe.sealing import seal_waiting


def _ask(session: Session, now: dt.datetime) -> int:
    return ask_inspections(session, runtime().policies, now)


def _seal(transactions: Transactions, clock: Clock) -> int:
    """Printing takes seconds: outside of every write transaction."""
    here = runtime()
    press = Press(transactions, here.keys, here.blobs, here.settings, clock)
    with Session(db.engine) as reader:
        return seal_waiting(reader, press, here.vault)


JOBS = (
    Job(name="inspect_wipes", every_s=60, run=_ask),
    OutsideJob(name="sign_certificates", every_s=120, run=_seal),
)
