from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.fleet.service import NONCE_KEPT
from app.fleet.store import prune_nonces, prune_requests, prune_tokens
from app.kernel.jobs import Job
from app.runtime import runtime


def _nonces(session: Session, now: dt.datetime) -> int:
    return prune_nonces(session, now - NONCE_KEPT)


def _requests(session: Session, now: dt.datetime) -> int:
    before = now - dt.timedelta(days=runtime().policies.latest("retention").body["agent_request_days"])
    return prune_requests(session, before) + prune_tokens(session, before)


JOBS = (
    Job(name="prune_agent_nonces", every_s=300, run=_nonces),
    Job(name="prune_agent_requests", every_s=86_400, run=_requests),
)
