"""Whose interest a test of a phone touches."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.duty.facts import excuse_facts
from app.kernel.tenancy import SYSTEM
from app.registry import history_of, holder_of


def answerable(session: Session, handset_id: uuid.UUID, at: dt.datetime) -> frozenset[uuid.UUID]:
    """The employees who have a stake in a phone at an instant: its custodian, also while he has entrusted it, and the
    delegate. None of them tests it or judges a report about it. Internal: asks no principal.
    """
    held = holder_of(session, SYSTEM, handset_id, at)
    found = {held.employee_id} if held is not None and held.employee_id is not None else set()
    for fact in excuse_facts(session, handset_id):
        if fact.delegate is not None and fact.start <= at and (fact.end is None or at < fact.end):
            found.add(fact.delegate)
    return frozenset(found)


def answerable_within(
    session: Session, handset_id: uuid.UUID, start: dt.datetime, end: dt.datetime | None
) -> frozenset[uuid.UUID]:
    """As `answerable`, of every instant of `[start, end)`; `end` None: open."""
    held = [(one.since, one.until, one.employee_id) for one in history_of(session, SYSTEM, handset_id)]
    held += [(fact.start, fact.end, fact.delegate) for fact in excuse_facts(session, handset_id)]
    return frozenset(
        who
        for since, until, who in held
        if who is not None and (end is None or since < end) and (until is None or until > start)
    )
