"""Pages of delegations and excuses, the latest first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duty import store
from app.duty.facts import excuse_facts
from app.duty.messages import REASONS
from app.duty.model import Delegation, Excuse
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.registry import Employee


def delegations(
    session: Session,
    principal: Principal,
    now: dt.datetime,
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Delegation]:
    query = store.listed(
        principal, Delegation, now, wanted=wanted, centre_id=centre_id, handset_id=handset_id, words=words
    )
    keys = [
        SortKey("created_at", Delegation.created_at, descending=True),
        SortKey("id", Delegation.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def excuses(
    session: Session,
    principal: Principal,
    now: dt.datetime,
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Excuse]:
    query = store.listed(
        principal, Excuse, now, wanted=wanted, centre_id=centre_id, handset_id=handset_id, words=words
    )
    keys = [SortKey("filed_at", Excuse.filed_at, descending=True), SortKey("id", Excuse.id, descending=True)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def one_delegation(
    session: Session, principal: Principal, delegation_id: uuid.UUID, now: dt.datetime
) -> Delegation:
    """Raise `NotFound`, also for what is not the caller's to see."""
    return store.find(session, principal, Delegation, delegation_id, now)


def one_excuse(session: Session, principal: Principal, excuse_id: uuid.UUID, now: dt.datetime) -> Excuse:
    """As `one_delegation`."""
    return store.find(session, principal, Excuse, excuse_id, now)


@dataclass(frozen=True)
class Standing:
    """What holds for a phone now: the reason's `word`, until when (None: open), and who answers where that changed."""

    word: str
    start: dt.datetime
    end: dt.datetime | None
    delegate: str


def standing(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> list[Standing]:
    """The delegations and excuses of one phone that hold now. Internal: the caller has looked for the phone."""
    facts = [
        fact
        for fact in excuse_facts(session, handset_id)
        if fact.start <= now and (fact.end is None or now < fact.end)
    ]
    names = store.labels(session, Employee, {fact.delegate for fact in facts if fact.delegate})
    return [
        Standing(
            REASONS.get(fact.reason, "委托"), fact.start, fact.end,
            names[fact.delegate] if fact.delegate else "",
        )
        for fact in facts
    ]  # fmt: skip


def to_answer(session: Session, principal: Principal, now: dt.datetime) -> int:
    """How many delegations wait for the caller's own answer."""
    if principal.employee is None:
        return 0
    return store.count_asked(session, principal.employee, now)
