"""Queries of tests. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.probes.model import OutOfReach, Probe
from app.probes.states import ENDED, OPEN, Event, State, advance

PLANNED_LATE = "planned_late"
_CHUNK = 200
"""Rows of one INSERT: SQLite binds at most 32,766 values."""


def insert_probes(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Register tests; those that stand already (one of that day and number, one that was asked for) are left out."""
    made = 0
    for start in range(0, len(rows), _CHUNK):
        new = insert_into(session, Probe).values(list(rows[start : start + _CHUNK]))
        made += len(session.execute(new.on_conflict_do_nothing().returning(Probe.id)).all())
    return made


def move(session: Session, probe: Probe, event: Event, **changes: Any) -> State:
    """Advance a test and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    after = advance(State(probe.state), event)
    conflict = Conflict("this test changed in the same moment: look again", code="probe_state")
    change_if(session, probe, ("state",), conflict, state=after, **changes)
    return after


def find(session: Session, principal: Principal, probe_id: uuid.UUID) -> Probe | None:
    query = select(Probe).where(Probe.id == probe_id, within(principal, Probe.centre_id))
    return session.scalar(query.execution_options(populate_existing=True))


def by_command(session: Session, command_id: uuid.UUID) -> Probe | None:
    return session.scalar(select(Probe).where(Probe.command_id == command_id))


def standing(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> Probe | None:
    """The test of a phone that runs, or else one that is due: there is no need for another."""
    query = select(Probe).where(
        Probe.handset_id == handset_id, Probe.state.in_(OPEN), Probe.planned_at <= now
    )
    return session.scalar(query.order_by(Probe.state.desc(), Probe.planned_at).limit(1))


def due(session: Session, now: dt.datetime, limit: int) -> Sequence[Probe]:
    """What should be sent now, oldest first, locked; another scheduler's are left out."""
    query = select(Probe).where(Probe.state == State.PLANNED, Probe.planned_at <= now)
    query = query.order_by(Probe.planned_at).limit(limit).with_for_update(skip_locked=True)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def running(session: Session) -> Sequence[Probe]:
    query = select(Probe).where(Probe.state == State.SENT).order_by(Probe.sent_at)
    return session.scalars(
        query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    ).all()


def busy_handsets(session: Session, handset_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """The phones among these of which a test runs."""
    query = select(Probe.handset_id).where(Probe.handset_id.in_(handset_ids), Probe.state == State.SENT)
    return set(session.scalars(query))


def to_settle(session: Session, now: dt.datetime, limit: int) -> Sequence[Probe]:
    query = select(Probe).where(Probe.settle_at <= now).order_by(Probe.settle_at).limit(limit)
    return session.scalars(
        query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    ).all()


def failed(session: Session, handset_id: uuid.UUID) -> Sequence[Probe]:
    query = select(Probe).where(Probe.handset_id == handset_id, Probe.state == State.NOT_REACHED)
    return session.scalars(query.order_by(Probe.planned_at, Probe.id)).all()


def planned_on(
    session: Session, centre_ids: Collection[uuid.UUID], day: str, start: dt.datetime, end: dt.datetime
) -> set[uuid.UUID]:
    """The phones whose tests of that day, which lie in `[start, end)`, are registered already."""
    query = select(Probe.handset_id).where(
        Probe.centre_id.in_(centre_ids), Probe.planned_at >= start, Probe.planned_at < end, Probe.day == day
    )
    return set(session.scalars(query.distinct()))


def query(
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    states: Collection[str] = (),
) -> Select[Probe]:
    """Tests that were sent or have ended: what is only planned is told to nobody, and what was planned too late for
    its day never was a test.
    """
    found = select(Probe).where(
        within(principal, Probe.centre_id),
        Probe.state != State.PLANNED,
        or_(Probe.reason.is_(None), Probe.reason != PLANNED_LATE),
    )
    if centre_id is not None:
        found = found.where(Probe.centre_id == centre_id)
    if handset_id is not None:
        found = found.where(Probe.handset_id == handset_id)
    if states:
        found = found.where(Probe.state.in_(states))
    return found


def of_handsets(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], since: dt.datetime
) -> Sequence[Probe]:
    """Tests since then that were sent or have ended, oldest first."""
    found = query(principal).where(Probe.handset_id.in_(handset_ids), Probe.planned_at >= since)
    return session.scalars(found.order_by(Probe.planned_at, Probe.id)).all()


def remaining(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], day: str, now: dt.datetime
) -> dict[uuid.UUID, int]:
    """How many tests of that day are still to come, never when."""
    found = (
        select(Probe.handset_id, func.count().label("number"))
        .where(
            within(principal, Probe.centre_id),
            Probe.handset_id.in_(handset_ids),
            Probe.day == day,
            Probe.state == State.PLANNED,
            Probe.planned_at > now,
        )
        .group_by(Probe.handset_id)
    )
    return {row.handset_id: row.number for row in session.execute(found)}


def not_reached_since(session: Session, principal: Principal, since: dt.datetime) -> set[uuid.UUID]:
    """The phones with a test since then that did not reach them."""
    found = select(Probe.handset_id).where(
        within(principal, Probe.centre_id), Probe.state == State.NOT_REACHED, Probe.planned_at >= since
    )
    return set(session.scalars(found.distinct()))


def out_of_reach(session: Session) -> dict[uuid.UUID, OutOfReach]:
    return {row.handset_id: row for row in session.scalars(select(OutOfReach))}


def out_of_reach_ids(session: Session, principal: Principal) -> set[uuid.UUID]:
    return set(session.scalars(select(OutOfReach.handset_id).where(within(principal, OutOfReach.centre_id))))


def drop_out_of_reach(session: Session, rows: Iterable[OutOfReach]) -> None:
    for row in rows:
        session.delete(row)
    session.flush()


def prune(session: Session, before: dt.datetime) -> int:
    """Forget tests that ended long ago, and days that nobody sent."""
    old = or_(Probe.finished_at < before, and_(Probe.finished_at.is_(None), Probe.planned_at < before))
    gone = delete(Probe).where(Probe.state.in_(ENDED), old).returning(Probe.id)
    return len(session.scalars(gone).all())
