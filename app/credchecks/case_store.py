"""Queries of cases. Who sees one: staff of its centre, and the employee whom it concerns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from app.credchecks.model import ChangeCase
from app.credchecks.states import OPEN_CASES, Case, CaseEvent, advance
from app.credchecks.tools import VIEWERS
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within


def _visible(principal: Principal) -> ColumnElement[bool]:
    """All of the centres where he sits at the desk; elsewhere what concerns himself."""
    if not principal.rights:
        at_desk: ColumnElement[bool] = true() if principal.has_any(*VIEWERS) else false()
    else:
        centres = {centre for role, centre in principal.rights if role in (*VIEWERS, "admin")}
        at_desk = true() if None in centres else ChangeCase.centre_id.in_(c for c in centres if c is not None)
    desk = and_(within(principal, ChangeCase.centre_id), at_desk)
    return desk if principal.employee is None else or_(desk, ChangeCase.employee_id == principal.employee)


def find(session: Session, principal: Principal, case_id: uuid.UUID) -> ChangeCase:
    """Raise `NotFound`, also for what is not the caller's to see."""
    query = select(ChangeCase).where(ChangeCase.id == case_id, _visible(principal))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个案件 / no such case")
    return row


def open_about(session: Session, secret_id: uuid.UUID) -> ChangeCase | None:
    query = select(ChangeCase).where(ChangeCase.secret_id == secret_id, ChangeCase.state.in_(OPEN_CASES))
    return session.scalar(query.execution_options(populate_existing=True))


def cases(
    principal: Principal, *, state: str | None = None, centre_id: uuid.UUID | None = None, words: str = ""
) -> Select[ChangeCase]:
    """`state`: one of `Case`, `open` for all that are not over, None for all."""
    query = select(ChangeCase).where(_visible(principal))
    if state == "open":
        query = query.where(ChangeCase.state.in_(OPEN_CASES))
    elif state:
        query = query.where(ChangeCase.state == state)
    if centre_id:
        query = query.where(ChangeCase.centre_id == centre_id)
    if words:
        query = query.where(ChangeCase.subject_name.icontains(words, autoescape=True))
    return query


def count_open(session: Session, principal: Principal) -> int:
    query = select(func.count()).select_from(ChangeCase)
    return session.scalar(query.where(_visible(principal), ChangeCase.state.in_(OPEN_CASES))) or 0


def of_round(session: Session, round_id: uuid.UUID) -> Sequence[ChangeCase]:
    """Those that its checks found, without the mistyped ones."""
    query = select(ChangeCase).where(ChangeCase.round_id == round_id, ChangeCase.state != Case.DROPPED)
    return session.scalars(query.order_by(ChangeCase.opened_at, ChangeCase.id)).all()


def of_employee(session: Session, employee_id: uuid.UUID, limit: int) -> Sequence[ChangeCase]:
    """What he was told of, the latest first."""
    query = select(ChangeCase).where(ChangeCase.employee_id == employee_id, ChangeCase.told_at.is_not(None))
    return session.scalars(query.order_by(ChangeCase.opened_at.desc()).limit(limit)).all()


def of_subject(session: Session, subject_id: uuid.UUID, limit: int) -> Sequence[ChangeCase]:
    query = select(ChangeCase).where(ChangeCase.subject_id == subject_id, ChangeCase.state != Case.DROPPED)
    return session.scalars(query.order_by(ChangeCase.opened_at.desc()).limit(limit)).all()


def of_post(session: Session, post_id: uuid.UUID, limit: int) -> Sequence[ChangeCase]:
    query = select(ChangeCase).where(ChangeCase.post_id == post_id, ChangeCase.state != Case.DROPPED)
    return session.scalars(query.order_by(ChangeCase.opened_at.desc()).limit(limit)).all()


def to_tell(session: Session, limit: int) -> Sequence[ChangeCase]:
    return _some(session, limit, ChangeCase.told_at.is_(None))


def to_lapse(session: Session, now: dt.datetime, limit: int) -> Sequence[ChangeCase]:
    return _some(session, limit, ChangeCase.statement_until <= now)


def _some(session: Session, limit: int, condition: ColumnElement[bool]) -> Sequence[ChangeCase]:
    query = select(ChangeCase).where(ChangeCase.state == Case.OPENED, condition)
    return session.scalars(
        query.order_by(ChangeCase.opened_at).limit(limit).with_for_update(skip_locked=True)
    ).all()


def to_close(session: Session, limit: int) -> Sequence[ChangeCase]:
    query = select(ChangeCase).where(ChangeCase.state.in_((Case.DECIDED, Case.ANSWERED)))
    return session.scalars(
        query.order_by(ChangeCase.opened_at).limit(limit).with_for_update(skip_locked=True)
    ).all()


def move(session: Session, row: ChangeCase, event: CaseEvent, **values: Any) -> None:
    """Advance a case. Raise `Conflict` when it moved meanwhile or may not move so."""
    conflict = Conflict("刚有人处理了这个案件，请刷新 / somebody changed it just now", code="round_state")
    change_if(session, row, ("state",), conflict, state=advance(Case(row.state), event), **values)
