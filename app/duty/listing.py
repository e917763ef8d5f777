"""Pages of delegations and excuses, the latest first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.duty import store
from app.duty.model import Delegation, Excuse
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal


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
