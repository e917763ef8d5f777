"""Queries of the queue. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, text
from sqlalchemy.orm import Session

from app.commands.model import IS_ACTIVE, Command
from app.commands.rules import KINDS
from app.commands.states import ACTIVE, AT_AGENT, FINAL, WAITING, Event, State, advance
from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within

_ADDRESSED = frozenset(kind.name for kind in KINDS.values() if kind.addressed)


def insert_new(session: Session, values: Mapping[str, Any]) -> bool:
    """Put a command in the queue; False when an active one of the same phone and dedup key stands there."""
    new = insert_into(session, Command).values(**values)
    new = new.on_conflict_do_nothing(index_elements=["handset_id", "dedup_key"], index_where=text(IS_ACTIVE))
    return session.scalar(new.returning(Command.id)) is not None


def find(session: Session, principal: Principal, command_id: uuid.UUID) -> Command | None:
    query = select(Command).where(Command.id == command_id, within(principal, Command.centre_id))
    return session.scalar(query.execution_options(populate_existing=True))


def active(session: Session, handset_id: uuid.UUID, dedup_key: str) -> Command | None:
    query = select(Command).where(
        Command.handset_id == handset_id, Command.dedup_key == dedup_key, Command.state.in_(ACTIVE)
    )
    return session.scalar(query.execution_options(populate_existing=True))


def of_key(session: Session, handset_id: uuid.UUID, dedup_key: str) -> Sequence[Command]:
    query = select(Command).where(Command.handset_id == handset_id, Command.dedup_key == dedup_key)
    return session.scalars(query.order_by(Command.created_at, Command.id)).all()


def older_waiting(session: Session, handset_id: uuid.UUID, kind: str, but: uuid.UUID) -> Sequence[Command]:
    query = select(Command).where(Command.handset_id == handset_id, Command.kind == kind, Command.id != but)
    return session.scalars(query.where(Command.state.in_(WAITING)).with_for_update()).all()


def move(session: Session, command: Command, event: Event, **changes: Any) -> State:
    """Advance a command and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    after = advance(State(command.state), event)
    conflict = Conflict("this command changed in the same moment: look again", code="command_state")
    change_if(session, command, ("state", "attempts"), conflict, state=after, **changes)
    return after


def query(
    principal: Principal,
    *,
    states: Collection[str] = (),
    kind: str | None = None,
    handset_id: uuid.UUID | None = None,
    centre_id: uuid.UUID | None = None,
) -> Select[Command]:
    found = select(Command).where(within(principal, Command.centre_id))
    if states:
        found = found.where(Command.state.in_(states))
    if kind:
        found = found.where(Command.kind == kind)
    if handset_id:
        found = found.where(Command.handset_id == handset_id)
    if centre_id:
        found = found.where(Command.centre_id == centre_id)
    return found


def _leasable(agent_id: uuid.UUID, now: dt.datetime, kinds: Collection[str]) -> tuple[Any, ...]:
    # What an agent once had and may have begun goes to no other: a second try is the one thing that must not be.
    only_his = Command.kind.in_({kind.name for kind in KINDS.values() if kind.one_agent})
    free = or_(
        Command.agent_id.is_(None),
        Command.agent_id == agent_id,
        (Command.state == State.NOT_NOW) & Command.kind.not_in(_ADDRESSED),
    )
    return (
        Command.state.in_(WAITING),
        Command.due_at <= now,
        Command.expires_at > now,
        Command.kind.in_(kinds),
        or_(~only_his, free),
    )


def waiting_handsets(
    session: Session,
    centre_id: uuid.UUID,
    agent_id: uuid.UUID,
    now: dt.datetime,
    kinds: Collection[str],
    limit: int,
) -> set[uuid.UUID]:
    """The phones of a centre for which a command could be leased to the agent now; usually none."""
    found = select(Command.handset_id).where(Command.centre_id == centre_id, *_leasable(agent_id, now, kinds))
    return set(session.scalars(found.distinct().limit(limit)))


def leasable(
    session: Session,
    centre_id: uuid.UUID,
    agent_id: uuid.UUID,
    handset_ids: Collection[uuid.UUID],
    now: dt.datetime,
    kinds: Collection[str],
    limit: int,
) -> Sequence[Command]:
    """Commands to lease, oldest first, about these phones or addressed to the agent. On PostgreSQL they are locked, and
    those that another locked are left out.
    """
    named = Command.kind.in_(_ADDRESSED) & (Command.agent_id == agent_id)
    found = select(Command).where(
        Command.centre_id == centre_id,
        or_(Command.handset_id.in_(handset_ids), named),
        *_leasable(agent_id, now, kinds),
    )
    found = found.order_by(Command.created_at, Command.id).limit(limit)
    locked = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.scalars(locked).all()


def overdue(session: Session, now: dt.datetime, limit: int) -> Sequence[Command]:
    """Commands that waited past their expiry, and such as an agent held past its lease."""
    late = Command.state.in_(WAITING) & (Command.expires_at <= now)
    lost = Command.state.in_(AT_AGENT) & (Command.lease_until <= now)
    found = select(Command).where(or_(late, lost)).order_by(Command.id).limit(limit)
    locked = found.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.scalars(locked).all()


def prune(session: Session, before: dt.datetime) -> int:
    gone = delete(Command).where(Command.state.in_(FINAL), Command.finished_at < before)
    return len(session.scalars(gone.returning(Command.id)).all())


def active_counts(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, int]:
    query = select(Command.handset_id, func.count().label("number")).where(
        Command.handset_id.in_(handset_ids), Command.state.in_(ACTIVE), within(principal, Command.centre_id)
    )
    found = session.execute(query.group_by(Command.handset_id))
    return {row.handset_id: row.number for row in found}
