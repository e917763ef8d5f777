"""What is chosen from when a handover begins: posts with who holds them, and employees."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.handover.model import Handover
from app.handover.states import Case
from app.handover.store import DESK
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.registry import Employee, Post, PostHolding

_PAGE = 50


def posts(
    session: Session, principal: Principal, words: str, now: dt.datetime, *, cursor: str | None
) -> Page[Post]:
    """Those in use of the centres in which the caller may lead a handover; `words` in code, name or holder's name."""
    query = select(Post).where(Post.retired_at.is_(None), within(principal.narrowed(*DESK), Post.centre_id))
    if words:
        held = exists().where(
            PostHolding.post_id == Post.id, PostHolding.employee_id == Employee.id, *_in_force(now),
            Employee.name.icontains(words, autoescape=True),
        )  # fmt: skip
        query = query.where(
            or_(
                Post.code.icontains(words, autoescape=True), Post.name.icontains(words, autoescape=True), held
            )
        )
    keys = [SortKey("code", Post.code), SortKey("id", Post.id)]
    return paginate(session, query, keys, cursor=cursor, limit=_PAGE)


def _in_force(now: dt.datetime):  # type: ignore[no-untyped-def]
    ends = or_(PostHolding.valid_to.is_(None), PostHolding.valid_to > now)
    return PostHolding.voided_at.is_(None), PostHolding.valid_from <= now, ends


def holders(session: Session, post_ids: Collection[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, str]:
    """The names of who holds these posts now."""
    query = (
        select(PostHolding.post_id, Employee.name)
        .join(Employee, Employee.id == PostHolding.employee_id)
        .where(PostHolding.post_id.in_(post_ids), *_in_force(now))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def open_cases_of(session: Session, post_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The open case of each of these posts."""
    query = select(Handover.post_id, Handover.id).where(
        Handover.post_id.in_(post_ids), Handover.state == Case.OPEN
    )
    return {row[0]: row[1] for row in session.execute(query)}


def live_employees(session: Session, centre_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    """(id, name with number) of a centre's employees, by number. Internal: the caller may act in the centre."""
    query = select(Employee).where(Employee.centre_id == centre_id, Employee.retired_at.is_(None))
    return [
        (row.id, f"{row.name}（{row.number}）") for row in session.scalars(query.order_by(Employee.number))
    ]
