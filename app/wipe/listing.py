"""Wipes as they are looked up, for the API."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.wipe import store
from app.wipe.model import Wipe, WipeStep
from app.wipe.rails import Look, blockers
from app.wipe.rules import Blocker
from app.wipe.states import BEFORE_ORDER, State
from app.wipe.tools import Tools

_LOOKS = {State.DRAFT: Look.REQUEST, State.REQUESTED: Look.APPROVE}


@dataclass(frozen=True)
class Whole:
    """A wipe, what stands in its way while nothing has left for the phone, and what happened so far."""

    row: Wipe
    blockers: Sequence[Blocker]
    steps: Sequence[WipeStep]


def whole(
    session: Session, principal: Principal, tools: Tools, wipe_id: uuid.UUID, now: dt.datetime
) -> Whole:
    """Raise `NotFound`."""
    row = store.find(session, principal, wipe_id)
    state = State(row.state)
    found: Sequence[Blocker] = ()
    if state in BEFORE_ORDER:
        found = blockers(session, tools, row, _LOOKS.get(state, Look.RELEASE), now, by=principal.user)
    return Whole(row, found, store.steps_of(session, row.id))


def list_wipes(
    session: Session,
    principal: Principal,
    *,
    states: Collection[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Wipe]:
    """The one that changed last first."""
    found = store.query(principal, states=states, centre_id=centre_id, handset_id=handset_id, words=words)
    keys = [
        SortKey("updated_at", Wipe.updated_at, descending=True),
        SortKey("id", Wipe.id, descending=True),
    ]
    return paginate(session, found, keys, cursor=cursor, limit=limit)
