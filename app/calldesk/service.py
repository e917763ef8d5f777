"""A call's result, and what follows from it at once."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy.orm import Session

from app.dialling import DialTest, draw_centre, lapse_centre, record_result
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, effective_many
from app.probes import start_probe
from app.registry import live_centres

log = structlog.get_logger(__name__)


def take_result(
    session: Session,
    principal: Principal,
    call_id: uuid.UUID,
    number_id: uuid.UUID,
    result: str,
    now: dt.datetime,
) -> DialTest:
    """Record what was heard; after `powered_off` a probe goes out at once, for the carriers say so also of a phone
    without coverage. Raise as `dialling.record_result`.
    """
    test = record_result(session, principal, call_id, number_id, result, now)
    if result == "powered_off":
        try:
            with session.begin_nested():
                start_probe(session, principal, test.handset_id, "person", now)
        except DomainError as exc:  # a phone retired meanwhile, say: what was heard stands all the same
            log.warning("dial_test_without_probe", test=str(test.id), code=exc.code)
    return test


def keep_lists(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Draw today's lists and clear old calls away, in every centre; how many calls came or went."""
    ids = [centre_id for centre_id, _ in live_centres(session, SYSTEM)]
    changed = 0
    for centre_id, policy in effective_many(session, policies, "dialling", ids).items():
        changed += lapse_centre(session, centre_id, policy, now)
        changed += draw_centre(session, centre_id, policy, now)
    return changed
