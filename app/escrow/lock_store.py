from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.commands import FINAL, Command
from app.escrow.lock_model import LockOrder
from app.escrow.lock_rules import ACTIVE, LockEvent, LockState, advance
from app.kernel.errors import Conflict
from app.kernel.moving import change_if


def active_on(session: Session, handset_id: uuid.UUID) -> LockOrder | None:
    query = select(LockOrder).where(LockOrder.handset_id == handset_id, LockOrder.state.in_(ACTIVE))
    return session.scalar(query.execution_options(populate_existing=True))


def by_command(session: Session, command_id: uuid.UUID) -> LockOrder | None:
    query = select(LockOrder).where(LockOrder.command_id == command_id)
    return session.scalar(query.execution_options(populate_existing=True))


def by_id(session: Session, order_id: uuid.UUID) -> LockOrder | None:
    return session.get(LockOrder, order_id, populate_existing=True)


def of_secret(session: Session, secret_id: uuid.UUID, limit: int) -> list[LockOrder]:
    """The newest first."""
    query = select(LockOrder).where(LockOrder.secret_id == secret_id)
    return list(session.scalars(query.order_by(LockOrder.asked_at.desc(), LockOrder.id.desc()).limit(limit)))


def wrong_tries(session: Session, secret_id: uuid.UUID, since: dt.datetime | None) -> int:
    """How often the phone said that the password in force since then is wrong."""
    wrong = or_(LockOrder.outcome == "mismatch", LockOrder.reason == "mismatch")
    query = select(func.count()).select_from(LockOrder).where(LockOrder.secret_id == secret_id, wrong)
    if since is not None:
        query = query.where(LockOrder.at >= since)
    return session.scalar(query) or 0


def move(session: Session, order: LockOrder, event: LockEvent, **changes: Any) -> None:
    """Raise `Conflict` when it moved meanwhile or may not move so."""
    after = advance(LockState(order.state), event)
    faster = Conflict("刚刚有了变化，请刷新 / it changed in the same moment", code="lock_state")
    change_if(session, order, ("state",), faster, state=after, **changes)


def left_behind(session: Session, limit: int) -> list[tuple[LockOrder, str | None]]:
    """Active orders whose command has ended, or is gone (None), with the command's state."""
    query = select(LockOrder, Command.state).outerjoin(Command, Command.id == LockOrder.command_id)
    query = query.where(LockOrder.state.in_(ACTIVE), Command.id.is_(None) | Command.state.in_(FINAL))
    return [(row[0], row[1]) for row in session.execute(query.order_by(LockOrder.id).limit(limit))]
