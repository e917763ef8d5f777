"""Queries of delegations and excuses. A state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from app.duty import states
from app.duty.model import Delegation, Excuse
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.spans import holds_at, overlaps
from app.kernel.tenancy import Principal, within
from app.registry import Employee, Handset, KitAssignment, Post, PostHolding, ServiceCentre

T = TypeVar("T", Delegation, Excuse)
DESK = ("operations", "lead", "it", "finance", "auditor")
"""Who sees all of a centre. A butler sees what he gave, holds or was asked to take, and his phone's excuses."""


def lock_handset(session: Session, handset_id: uuid.UUID) -> None:
    """Until the transaction ends nobody else checks for overlaps of this phone."""
    session.execute(select(Handset.id).where(Handset.id == handset_id).with_for_update())


def find(session: Session, principal: Principal, kind: type[T], row_id: uuid.UUID, now: dt.datetime) -> T:
    """Raise `NotFound` for what does not exist or is not the caller's to see."""
    query = select(kind).where(kind.id == row_id, visible(principal, kind, now))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这条记录 / no such record")
    return row


def visible(
    principal: Principal, kind: type[Delegation] | type[Excuse], now: dt.datetime
) -> ColumnElement[bool]:
    """All of the centres where he sits at the desk; elsewhere what concerns himself."""
    at_desk = and_(within(principal, kind.centre_id), _at_desk(principal, kind))
    if kind is Excuse or principal.employee is None:
        return at_desk
    return or_(at_desk, and_(within(principal, kind.centre_id), concerns(principal.employee, now)))


def _at_desk(principal: Principal, kind: type[Delegation] | type[Excuse]) -> ColumnElement[bool]:
    if not principal.rights:
        return true() if principal.has_any(*DESK) else false()
    centres = {centre for role, centre in principal.rights if role in (*DESK, "admin")}
    return true() if None in centres else kind.centre_id.in_(c for c in centres if c is not None)


def concerns(employee_id: uuid.UUID, now: dt.datetime) -> ColumnElement[bool]:
    """Delegations that he gave, took, or is asked to take as the one who holds the post."""
    asked = and_(Delegation.delegate_id.is_(None), Delegation.to_post_id.in_(_posts_of(employee_id, now)))
    return or_(Delegation.giver_id == employee_id, Delegation.delegate_id == employee_id, asked)


def count_asked(session: Session, employee_id: uuid.UUID, now: dt.datetime) -> int:
    """Delegations that he, as the holder of the post, has yet to accept or decline."""
    query = select(func.count()).select_from(Delegation)
    query = query.where(
        Delegation.state == states.Delegation.PROPOSED,
        Delegation.ends_at > now,
        Delegation.giver_id != employee_id,
        Delegation.to_post_id.in_(_posts_of(employee_id, now)),
    )
    return session.scalar(query) or 0


def _posts_of(employee_id: uuid.UUID, now: dt.datetime) -> Select[uuid.UUID]:
    held = select(PostHolding.post_id).where(
        PostHolding.employee_id == employee_id, PostHolding.voided_at.is_(None)
    )
    return held.where(holds_at(PostHolding.valid_from, PostHolding.valid_to, now))


def holder_of_post(session: Session, post_id: uuid.UUID, instant: dt.datetime) -> Employee | None:
    query = select(Employee).join(PostHolding, PostHolding.employee_id == Employee.id)
    query = query.where(PostHolding.post_id == post_id, PostHolding.voided_at.is_(None))
    return session.scalar(query.where(holds_at(PostHolding.valid_from, PostHolding.valid_to, instant)))


def holdings(
    session: Session, post_id: uuid.UUID, employee_id: uuid.UUID
) -> list[tuple[dt.datetime, dt.datetime | None]]:
    query = select(PostHolding.valid_from, PostHolding.valid_to).where(
        PostHolding.post_id == post_id,
        PostHolding.employee_id == employee_id,
        PostHolding.voided_at.is_(None),
    )
    return [(row.valid_from, row.valid_to) for row in session.execute(query)]


def find_post(session: Session, principal: Principal, post_id: uuid.UUID) -> Post:
    query = select(Post).where(
        Post.id == post_id, Post.retired_at.is_(None), within(principal, Post.centre_id)
    )
    row = session.scalar(query)
    if row is None:
        raise NotFound("没有这个岗位 / no such post")
    return row


def overlapping_delegation(
    session: Session, handset_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> Delegation | None:
    query = select(Delegation).where(
        Delegation.handset_id == handset_id,
        Delegation.state.in_(states.OPEN_DELEGATIONS),
        Delegation.starts_at < end,
        Delegation.ends_at > start,
    )
    return session.scalar(query.limit(1))


def overlapping_excuse(
    session: Session, handset_id: uuid.UUID, reason: str, start: dt.datetime, end: dt.datetime | None
) -> Excuse | None:
    query = select(Excuse).where(
        Excuse.handset_id == handset_id,
        Excuse.reason == reason,
        Excuse.state.in_((states.Excuse.PENDING, *states.IN_FORCE_EXCUSES)),
        overlaps(Excuse.starts_at, Excuse.ends_at, start, end),
    )
    return session.scalar(query.limit(1))


def move(
    session: Session,
    row: Delegation | Excuse,
    event: states.DelegationEvent | states.ExcuseEvent,
    **changes: Any,
) -> None:
    """Advance a record and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    before = states.Delegation(row.state) if isinstance(row, Delegation) else states.Excuse(row.state)
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment: look again", code="duty_state")
    change_if(session, row, ("state",), conflict, state=states.advance(before, event), **changes)


def open_delegations(session: Session, limit: int) -> Sequence[Delegation]:
    """For the sweep: those that time or a change of posts may end."""
    query = select(Delegation).where(Delegation.state.in_(states.OPEN_DELEGATIONS))
    locked = query.order_by(Delegation.ends_at, Delegation.id).limit(limit).with_for_update(skip_locked=True)
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def open_repairs(session: Session) -> Sequence[Excuse]:
    query = select(Excuse).where(Excuse.state == states.Excuse.APPROVED, Excuse.ends_at.is_(None))
    return session.scalars(query.order_by(Excuse.id)).all()


def delegations_in_force(session: Session, handset_id: uuid.UUID) -> Sequence[Delegation]:
    query = select(Delegation).where(
        Delegation.handset_id == handset_id,
        Delegation.state.in_(states.IN_FORCE_DELEGATIONS),
        Delegation.force_to > Delegation.force_from,
    )
    return session.scalars(query.order_by(Delegation.force_from, Delegation.id)).all()


def excuses_in_force(session: Session, handset_id: uuid.UUID) -> Sequence[Excuse]:
    query = select(Excuse).where(
        Excuse.handset_id == handset_id,
        Excuse.state.in_(states.IN_FORCE_EXCUSES),
        or_(Excuse.ends_at.is_(None), Excuse.ends_at > Excuse.starts_at),
    )
    return session.scalars(query.order_by(Excuse.starts_at, Excuse.id)).all()


def unapproved(
    session: Session, handset_id: uuid.UUID, since: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """The spans of a phone that excuse it on one person's word and are not over since then."""
    query = select(Excuse.starts_at, Excuse.ends_at).where(
        Excuse.handset_id == handset_id,
        Excuse.state.in_(states.IN_FORCE_EXCUSES),
        Excuse.decided_by.is_(None),
        Excuse.ends_at > since,
    )
    return [(row.starts_at, row.ends_at) for row in session.execute(query)]


def listed(
    principal: Principal,
    kind: type[T],
    now: dt.datetime,
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[T]:
    query = select(kind).where(visible(principal, kind, now))
    if wanted:
        query = query.where(kind.state.in_(wanted))
    if centre_id is not None:
        query = query.where(kind.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(kind.handset_id == handset_id)
    if words:
        phones = select(Handset.id).where(Handset.asset_tag.icontains(words, autoescape=True))
        query = query.where(or_(kind.handset_id.in_(phones), kind.note.icontains(words, autoescape=True)))
    return query


def concerning(
    session: Session, employee_id: uuid.UUID, now: dt.datetime, limit: int
) -> Sequence[Delegation]:
    """A person's own delegations, the open ones first, then the latest."""
    query = select(Delegation).where(concerns(employee_id, now))
    order = (
        Delegation.state.not_in(states.OPEN_DELEGATIONS),
        Delegation.created_at.desc(),
        Delegation.id.desc(),
    )
    return session.scalars(query.order_by(*order).limit(limit)).all()


def excuses_of(session: Session, handset_ids: Sequence[uuid.UUID], since: dt.datetime) -> Sequence[Excuse]:
    """What is filed for these phones and not over since then."""
    query = select(Excuse).where(
        Excuse.handset_id.in_(handset_ids), or_(Excuse.ends_at.is_(None), Excuse.ends_at > since)
    )
    return session.scalars(query.order_by(Excuse.starts_at.desc(), Excuse.id)).all()


def phones_of(session: Session, employee_id: uuid.UUID, now: dt.datetime) -> Sequence[Handset]:
    """The phones that an employee has now."""
    query = (
        select(Handset)
        .join(KitAssignment, KitAssignment.handset_id == Handset.id)
        .where(
            KitAssignment.post_id.in_(_posts_of(employee_id, now)),
            KitAssignment.voided_at.is_(None),
            holds_at(KitAssignment.valid_from, KitAssignment.valid_to, now),
        )
    )
    return session.scalars(query.order_by(Handset.asset_tag)).all()


def held_posts(
    session: Session, principal: Principal, centre_id: uuid.UUID | None, now: dt.datetime
) -> list[tuple[Post, Employee]]:
    """The posts that somebody holds now, with who that is."""
    query = (
        select(Post, Employee)
        .join(PostHolding, PostHolding.post_id == Post.id)
        .join(Employee, Employee.id == PostHolding.employee_id)
        .where(
            Post.retired_at.is_(None),
            PostHolding.voided_at.is_(None),
            holds_at(PostHolding.valid_from, PostHolding.valid_to, now),
            within(principal, Post.centre_id),
        )
    )
    if centre_id is not None:
        query = query.where(Post.centre_id == centre_id)
    return [(row.Post, row.Employee) for row in session.execute(query.order_by(Post.code))]


def phone_by_tag(session: Session, principal: Principal, tag: str) -> uuid.UUID | None:
    query = select(Handset.id).where(Handset.asset_tag == tag, within(principal, Handset.centre_id))
    return session.scalar(query)


def phone_tags(session: Session, principal: Principal, limit: int) -> list[str]:
    query = select(Handset.asset_tag).where(
        Handset.retired_at.is_(None), within(principal, Handset.centre_id)
    )
    return list(session.scalars(query.order_by(Handset.asset_tag).limit(limit)))


def centres(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(
        ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id)
    )
    return [(row.id, row.name) for row in session.execute(query.order_by(ServiceCentre.code))]


def labels(
    session: Session, kind: type[Handset] | type[Post] | type[Employee], ids: set[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """What to call rows of the registry that a visible record names."""
    column = Handset.asset_tag if kind is Handset else cast(type[Post] | type[Employee], kind).name
    query = select(kind.id, column.label("label")).where(kind.id.in_(ids))
    return {row.id: row.label for row in session.execute(query)}
