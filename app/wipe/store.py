"""Queries of wipes. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import ServiceCentre
from app.wipe.model import Wipe, WipeStep
from app.wipe.states import OPEN, Event, State, advance


def find(session: Session, principal: Principal, wipe_id: uuid.UUID) -> Wipe:
    """Raise `NotFound`, also for a foreign centre's."""
    row = session.scalar(
        select(Wipe)
        .where(Wipe.id == wipe_id, within(principal, Wipe.centre_id))
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound("没有这条清除记录 / no such wipe")
    return row


def by_id(session: Session, wipe_id: uuid.UUID | None) -> Wipe | None:
    """Internal: asks no principal."""
    return None if wipe_id is None else session.get(Wipe, wipe_id, populate_existing=True)


def open_of(session: Session, handset_id: uuid.UUID) -> Wipe | None:
    """The wipe of a phone that has not ended; there is at most one."""
    query = select(Wipe).where(Wipe.handset_id == handset_id, Wipe.state.in_(OPEN))
    return session.scalar(query.execution_options(populate_existing=True))


def newest_of(session: Session, handset_id: uuid.UUID) -> Wipe | None:
    query = select(Wipe).where(Wipe.handset_id == handset_id)
    return session.scalar(query.order_by(Wipe.created_at.desc(), Wipe.id.desc()).limit(1))


def move(session: Session, wipe: Wipe, event: Event, now: dt.datetime, **changes: Any) -> State:
    """Advance a wipe and set what goes with it; `version` counts up.

    Raise `Conflict` when it moved meanwhile, may not move so (`wipe_state`), or another wipe of this phone was opened
    since this one ended (`wipe_open`).
    """
    after = advance(State(wipe.state), event)
    faster = Conflict("刚刚有了变化，请刷新 / it changed in the same moment", code="wipe_state")
    try:
        with session.begin_nested():
            change_if(
                session, wipe, ("state", "version"), faster, state=after, version=wipe.version + 1, updated_at=now,
                **changes,
            )  # fmt: skip
    except IntegrityError as exc:
        raise Conflict(
            "这台手机已另有一次清除在办 / another wipe of this phone is open", code="wipe_open"
        ) from exc
    return after


def write(session: Session, wipe: Wipe, now: dt.datetime, **changes: Any) -> None:
    """Change what goes with a wipe and leave its state. Raise `Conflict` when it moved meanwhile."""
    faster = Conflict("刚刚有了变化，请刷新 / it changed in the same moment", code="wipe_state")
    change_if(
        session, wipe, ("state", "version"), faster, version=wipe.version + 1, updated_at=now, **changes
    )


def steps_of(session: Session, wipe_id: uuid.UUID) -> Sequence[WipeStep]:
    """In order."""
    query = select(WipeStep).where(WipeStep.wipe_id == wipe_id)
    return session.scalars(query.order_by(WipeStep.at, WipeStep.id)).all()


def query(
    principal: Principal,
    *,
    states: Collection[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[Wipe]:
    """Wipes within the caller's centres. `words` are looked for in tag, serial, brand and model."""
    found = select(Wipe).where(within(principal, Wipe.centre_id))
    if states:
        found = found.where(Wipe.state.in_(states))
    if centre_id is not None:
        found = found.where(Wipe.centre_id == centre_id)
    if handset_id is not None:
        found = found.where(Wipe.handset_id == handset_id)
    if words:
        named = (Wipe.asset_tag, Wipe.serial, Wipe.brand, Wipe.model)
        hits = [column.icontains(words, autoescape=True) for column in named]
        found = found.where(hits[0] | hits[1] | hits[2] | hits[3])
    return found


def state_counts(
    session: Session, principal: Principal, centre_id: uuid.UUID | None = None
) -> dict[str, int]:
    found = select(Wipe.state, func.count()).where(within(principal, Wipe.centre_id)).group_by(Wipe.state)
    if centre_id is not None:
        found = found.where(Wipe.centre_id == centre_id)
    return {row[0]: row[1] for row in session.execute(found)}


def due(
    session: Session, states: Collection[str], column: Any, before: dt.datetime, limit: int
) -> Sequence[Wipe]:
    """Wipes in these states whose instant in a column has come."""
    found = select(Wipe).where(Wipe.state.in_(states), column <= before).order_by(Wipe.id).limit(limit)
    locked = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.scalars(locked).all()


def count_releases(
    session: Session, since: dt.datetime, *, by: str | None = None, centre_id: uuid.UUID | None = None
) -> int:
    """How often something was released since then, by one person or in one centre."""
    found = select(func.count()).select_from(WipeStep)
    found = found.where(WipeStep.step.in_(("release", "guide")), WipeStep.at > since)
    if by is not None:
        found = found.where(WipeStep.by == by)
    if centre_id is not None:
        found = found.where(WipeStep.centre_id == centre_id)
    return session.scalar(found) or 0


def wrong_words(session: Session, by: str, since: dt.datetime) -> int:
    """How often this person typed a tag or an IMEI wrong since then, of whatever phone."""
    found = select(func.count()).select_from(WipeStep)
    found = found.where(WipeStep.step == "typed_wrong", WipeStep.by == by, WipeStep.at > since)
    return session.scalar(found) or 0


def lock_centre(session: Session, centre_id: uuid.UUID) -> None:
    """Until the transaction ends nobody else releases in this centre: two at once would both be the last allowed."""
    session.execute(select(ServiceCentre.id).where(ServiceCentre.id == centre_id).with_for_update())
