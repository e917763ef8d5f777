"""Who answers for a phone at an instant: the post that it belongs to, and the employee who holds that post (R01)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from app.kernel.spans import holds_at, overlaps
from app.kernel.tenancy import Principal, within
from app.registry.model import Employee, Post
from app.registry.ties import KitAssignment, PostHolding

_CHUNK = 500


@dataclass(frozen=True)
class Custody:
    """A stretch in which one post has the phone and one employee, or nobody (None), holds the post.

    Half-open: from `since` until `until` (None: open). `assignment_id` and `holding_id` are its evidence.
    """

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    post_id: uuid.UUID
    post_code: str
    post_name: str
    employee_id: uuid.UUID | None
    employee_number: str | None
    employee_name: str | None
    since: dt.datetime
    until: dt.datetime | None
    assignment_id: uuid.UUID
    holding_id: uuid.UUID | None


_COLUMNS = (
    KitAssignment.id,
    KitAssignment.handset_id,
    KitAssignment.centre_id,
    KitAssignment.valid_from,
    KitAssignment.valid_to,
    Post.id.label("post_id"),
    Post.code,
    Post.name,
    PostHolding.id.label("holding_id"),
    PostHolding.valid_from.label("held_from"),
    PostHolding.valid_to.label("held_to"),
    Employee.id.label("employee_id"),
    Employee.number,
    Employee.name.label("employee_name"),
)


def holder_of(
    session: Session, principal: Principal, handset_id: uuid.UUID, instant: dt.datetime
) -> Custody | None:
    """The custody that holds at the instant; None when the phone belonged to no post, or to one of a foreign centre."""
    return holders_of(session, principal, [handset_id], instant).get(handset_id)


def holders_of(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], instant: dt.datetime
) -> dict[uuid.UUID, Custody]:
    """As `holder_of`, for many phones; those without custody are absent.

    While nobody holds the post, `since` and `until` are those of the phone at the post; `history_of` cuts finer.
    """
    found: dict[uuid.UUID, Custody] = {}
    ids = list(handset_ids)
    held = and_(
        PostHolding.post_id == KitAssignment.post_id,
        PostHolding.voided_at.is_(None),
        holds_at(PostHolding.valid_from, PostHolding.valid_to, instant),
    )
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(*_COLUMNS)
            .join(Post, Post.id == KitAssignment.post_id)
            .outerjoin(PostHolding, held)
            .outerjoin(Employee, Employee.id == PostHolding.employee_id)
            .where(
                KitAssignment.handset_id.in_(ids[start : start + _CHUNK]),
                KitAssignment.voided_at.is_(None),
                holds_at(KitAssignment.valid_from, KitAssignment.valid_to, instant),
                within(principal, KitAssignment.centre_id),
            )
        )
        for row in session.execute(query):
            found[row.handset_id] = _custody(row, row.valid_from, row.valid_to)
    return found


def held_by(
    session: Session, principal: Principal, employee_id: uuid.UUID, instant: dt.datetime
) -> list[Custody]:
    """The phones that an employee answers for at the instant, by the post's code."""
    query = (
        select(*_COLUMNS)
        .join(Post, Post.id == KitAssignment.post_id)
        .join(PostHolding, PostHolding.post_id == KitAssignment.post_id)
        .join(Employee, Employee.id == PostHolding.employee_id)
        .where(
            PostHolding.employee_id == employee_id,
            PostHolding.voided_at.is_(None),
            holds_at(PostHolding.valid_from, PostHolding.valid_to, instant),
            KitAssignment.handset_id.is_not(None),
            KitAssignment.voided_at.is_(None),
            holds_at(KitAssignment.valid_from, KitAssignment.valid_to, instant),
            within(principal, KitAssignment.centre_id),
        )
        .order_by(Post.code, KitAssignment.valid_from)
    )
    return [_custody(row, row.valid_from, row.valid_to) for row in session.execute(query)]


def history_of(session: Session, principal: Principal, handset_id: uuid.UUID) -> list[Custody]:
    """Every stretch of custody, oldest first, with the stretches in which nobody held the post told as such."""
    return _history(session, principal, KitAssignment.handset_id == handset_id)


def history_in(
    session: Session, principal: Principal, centre_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> list[Custody]:
    """The stretches of every phone of a centre that share an instant with `[start, end)`; not cut at its edges."""
    touching = overlaps(KitAssignment.valid_from, KitAssignment.valid_to, start, end)
    found = _history(
        session,
        principal,
        KitAssignment.centre_id == centre_id,
        KitAssignment.handset_id.is_not(None),
        touching,
    )
    return [part for part in found if part.since < end and (part.until is None or part.until > start)]


def _history(session: Session, principal: Principal, *conditions: ColumnElement[bool]) -> list[Custody]:
    held = and_(PostHolding.post_id == KitAssignment.post_id, PostHolding.voided_at.is_(None))
    query = (
        select(*_COLUMNS)
        .join(Post, Post.id == KitAssignment.post_id)
        .outerjoin(PostHolding, held)
        .outerjoin(Employee, Employee.id == PostHolding.employee_id)
        .where(*conditions, KitAssignment.voided_at.is_(None), within(principal, KitAssignment.centre_id))
        .order_by(KitAssignment.valid_from, PostHolding.valid_from)
    )
    by_assignment: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        by_assignment[row.id].append(row)
    return [part for rows in by_assignment.values() for part in _stretches(rows)]


def _stretches(rows: list[Any]) -> Iterable[Custody]:
    """Cut one assignment at the edges of the holdings that touch it; `rows` are in the order of their beginning."""
    first = rows[0]
    at: dt.datetime = first.valid_from
    end: dt.datetime | None = first.valid_to
    for row in rows:
        if row.holding_id is None or (end is not None and row.held_from >= end):
            continue
        if row.held_to is not None and row.held_to <= at:
            continue
        if row.held_from > at:
            yield _custody(row, at, row.held_from, vacant=True)
        since = max(at, row.held_from)
        until = _earlier(end, row.held_to)
        yield _custody(row, since, until)
        if until is None:
            return
        at = until
    if end is None or at < end:
        yield _custody(first, at, end, vacant=True)


def _earlier(one: dt.datetime | None, other: dt.datetime | None) -> dt.datetime | None:
    return min((t for t in (one, other) if t is not None), default=None)


def _custody(row: Any, since: dt.datetime, until: dt.datetime | None, *, vacant: bool = False) -> Custody:
    held = row.holding_id is not None and not vacant
    return Custody(
        handset_id=row.handset_id,
        centre_id=row.centre_id,
        post_id=row.post_id,
        post_code=row.code,
        post_name=row.name,
        employee_id=row.employee_id if held else None,
        employee_number=row.number if held else None,
        employee_name=row.employee_name if held else None,
        since=max(since, row.held_from) if held else since,
        until=_earlier(until, row.held_to) if held else until,
        assignment_id=row.id,
        holding_id=row.holding_id if held else None,
    )
