"""Queries of tasks. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, text, true
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Handset
from app.tasks.model import IS_OPEN, Task
from app.tasks.states import Event, State, advance


def insert_new(session: Session, values: Mapping[str, Any]) -> bool:
    """Open a task; False when one with its key is open."""
    new = insert_into(session, Task).values(**values)
    new = new.on_conflict_do_nothing(index_elements=["key"], index_where=text(IS_OPEN))
    return session.scalar(new.returning(Task.id)) is not None


def find(session: Session, principal: Principal, task_id: uuid.UUID) -> Task | None:
    query = select(Task).where(Task.id == task_id, within(principal, Task.centre_id))
    return session.scalar(query.execution_options(populate_existing=True))


def open_one(session: Session, key: str) -> Task | None:
    query = select(Task).where(Task.key == key, Task.state == State.OPEN)
    return session.scalar(query.execution_options(populate_existing=True))


def move(session: Session, task: Task, event: Event, **changes: Any) -> None:
    """Advance a task and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    conflict = Conflict(
        "这件待办刚被别人改动，请刷新 / the task changed in this moment: look again", code="task_state"
    )
    after = advance(State(task.state), event)
    change_if(session, task, ("state",), conflict, state=after, **changes)


def query(
    principal: Principal,
    *,
    state: str | None = State.OPEN,
    mine: bool = False,
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    due_before: dt.datetime | None = None,
) -> Select[Task]:
    """`state` None: all that have ended."""
    found = select(Task).where(within(principal, Task.centre_id))
    found = found.where(Task.state == state if state else Task.state != State.OPEN)
    if mine:
        found = found.where(_for(principal))
    if kind:
        found = found.where(Task.kind == kind)
    if centre_id:
        found = found.where(Task.centre_id == centre_id)
    if handset_id:
        found = found.where(Task.handset_id == handset_id)
    if words:
        found = found.where(
            or_(Task.title.icontains(words, autoescape=True), Task.body.icontains(words, autoescape=True))
        )
    if due_before:
        found = found.where(Task.due_at < due_before)
    return found


def _for(principal: Principal) -> ColumnElement[bool]:
    """Tasks of his own roles, each in the centre where he has it."""
    rights = principal.rights or {(role, None) for role in principal.roles}
    ways = [_for_role(role, centre) for role, centre in rights]
    return or_(*ways) if ways else false()


def _for_role(role: str, centre: uuid.UUID | None) -> ColumnElement[bool]:
    here = Task.centre_id == centre if centre is not None else true()
    return here if role == "admin" else and_(here, Task.roles.contains(f"|{role}|", autoescape=True))


def count(session: Session, query: Select[Task]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def kinds(session: Session, principal: Principal) -> list[str]:
    """The kinds of the tasks that are open."""
    found = select(Task.kind).where(Task.state == State.OPEN, within(principal, Task.centre_id))
    return list(session.scalars(found.distinct().order_by(Task.kind)))


def phone_tags(session: Session, principal: Principal, handset_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(Handset.id, Handset.asset_tag).where(
        Handset.id.in_(handset_ids), within(principal, Handset.centre_id)
    )
    return {row.id: row.asset_tag for row in session.execute(query)}
