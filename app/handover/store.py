"""Queries of handovers. Staff see their centres' cases, a butler those in which he gives or receives."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from app.handover import model, states
from app.handover.model import (
    Handover,
    HandoverException,
    HandoverItem,
    HandoverLeg,
    HandoverPhoto,
    HandoverRound,
    HandoverSignature,
    HandoverTest,
)
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.people import user_of_employee
from app.registry import Employee, Post, PostHolding

DESK = ("operations", "lead")
"""Who prepares a handover; the lead of the case is one of them."""
VIEWERS = (*DESK, "it", "finance", "auditor")
T = TypeVar("T", bound=model.OfCentre)


def visible(principal: Principal) -> ColumnElement[bool]:
    staff = principal.has_any(*VIEWERS)
    found = within(principal.narrowed(*VIEWERS), Handover.centre_id) if staff else false()
    if principal.employee is None:
        return found
    mine = or_(Handover.giver_id == principal.employee, Handover.receiver_id == principal.employee)
    return or_(found, mine)


def find(session: Session, principal: Principal, handover_id: uuid.UUID, *, lock: bool = False) -> Handover:
    """Raise `NotFound`, also for one that the caller may not see. `lock`: until the transaction ends nobody else moves
    anything of this case.
    """
    query = select(Handover).where(Handover.id == handover_id, visible(principal))
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if row is None:
        raise NotFound("没有这次交接 / no such handover")
    return row


def find_leg(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, lock: bool = False
) -> tuple[Handover, HandoverLeg]:
    """A leg with its case. A butler sees only the legs in which he is a side. Raise `NotFound`."""
    leg = session.get(HandoverLeg, leg_id)
    if leg is None:
        raise _no_leg()
    case = find(session, principal, leg.handover_id, lock=lock)
    if lock:
        session.refresh(leg)
    own = principal.employee is not None and principal.employee in (leg.giver_id, leg.receiver_id)
    if not own and not principal.may(case.centre_id, *VIEWERS):
        raise _no_leg()
    return case, leg


def _no_leg() -> NotFound:
    return NotFound("没有这份交接记录 / no such leg of a handover")


def move_case(session: Session, case: Handover, event: states.CaseEvent, **changes: Any) -> None:
    after = states.advance(states.Case(case.state), event)
    change_if(session, case, ("state",), faster(), state=after, **changes)


def move_leg(session: Session, leg: HandoverLeg, event: states.LegEvent, **changes: Any) -> None:
    after = states.advance(states.Leg(leg.state), event)
    change_if(session, leg, ("state", "rounds"), faster(), state=after, **changes)


def faster() -> Conflict:
    return Conflict("刚刚被别人处理了，请刷新 / somebody was faster: look again", code="handover_state")


def legs_of(session: Session, handover_id: uuid.UUID) -> list[HandoverLeg]:
    """In their order, corrections behind what they correct."""
    query = select(HandoverLeg).where(HandoverLeg.handover_id == handover_id)
    query = query.order_by(HandoverLeg.number, HandoverLeg.correction)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def legs_of_each(session: Session, handover_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[HandoverLeg]]:
    """As `legs_of`, of many cases."""
    query = select(HandoverLeg).where(HandoverLeg.handover_id.in_(handover_ids))
    found: dict[uuid.UUID, list[HandoverLeg]] = {}
    for leg in session.scalars(query.order_by(HandoverLeg.number, HandoverLeg.correction)):
        found.setdefault(leg.handover_id, []).append(leg)
    return found


def posts_of(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Post]:
    return {row.id: row for row in session.scalars(select(Post).where(Post.id.in_(ids)))}


def one(session: Session, table: type[T], row_id: uuid.UUID) -> T:
    row = session.get(table, row_id, populate_existing=True)
    if row is None:
        raise NotFound("没有这条记录 / no such record")
    return row


def items_of(session: Session, leg_id: uuid.UUID, *, removed: bool = False) -> list[HandoverItem]:
    """On the list, in its order; with `removed` those too that were taken off."""
    query = select(HandoverItem).where(HandoverItem.leg_id == leg_id)
    if not removed:
        query = query.where(HandoverItem.removed_reason.is_(None))
    query = query.order_by(HandoverItem.place, HandoverItem.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def photos_of(session: Session, item_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[HandoverPhoto]]:
    """Those that are shown, by item, in the order in which they came."""
    query = select(HandoverPhoto).where(
        HandoverPhoto.item_id.in_(item_ids), HandoverPhoto.dropped_at.is_(None)
    )
    found: dict[uuid.UUID, list[HandoverPhoto]] = {}
    for photo in session.scalars(query.order_by(HandoverPhoto.added_at, HandoverPhoto.id)):
        found.setdefault(photo.item_id, []).append(photo)
    return found


def has_picture(session: Session, leg_id: uuid.UUID, sha256: str) -> bool:
    """Whether a blob is a picture of one of the leg's items (dropped ones too), or a signature under its texts."""
    photo = exists().where(
        HandoverPhoto.item_id == HandoverItem.id,
        HandoverItem.leg_id == leg_id,
        HandoverPhoto.sha256 == sha256,
    )
    ink = exists().where(
        HandoverSignature.round_id == HandoverRound.id,
        HandoverRound.leg_id == leg_id,
        HandoverSignature.ink == sha256,
    )
    return bool(session.scalar(select(or_(photo, ink))))


def tests_of(session: Session, leg_id: uuid.UUID) -> list[HandoverTest]:
    query = select(HandoverTest).where(HandoverTest.leg_id == leg_id).order_by(HandoverTest.key)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def exceptions_of(session: Session, leg_id: uuid.UUID) -> list[HandoverException]:
    query = select(HandoverException).where(HandoverException.leg_id == leg_id)
    return list(session.scalars(query.order_by(HandoverException.at, HandoverException.id)))


def rounds_of(session: Session, leg_id: uuid.UUID) -> list[HandoverRound]:
    query = select(HandoverRound).where(HandoverRound.leg_id == leg_id).order_by(HandoverRound.number)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def open_round(session: Session, leg: HandoverLeg) -> HandoverRound:
    """The text that is up for signing. Raise `Conflict` without one."""
    query = select(HandoverRound).where(HandoverRound.leg_id == leg.id, HandoverRound.outcome.is_(None))
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Conflict("现在没有待签字的文本 / no text is up for signing", code="handover_state")
    return found


def signatures_of(session: Session, round_id: uuid.UUID) -> list[HandoverSignature]:
    query = select(HandoverSignature).where(HandoverSignature.round_id == round_id)
    return list(session.scalars(query.order_by(HandoverSignature.at, HandoverSignature.id)))


def signed_round(session: Session, leg_id: uuid.UUID) -> HandoverRound | None:
    query = select(HandoverRound).where(HandoverRound.leg_id == leg_id, HandoverRound.outcome == "signed")
    return session.scalar(query)


def completed_legs(
    session: Session,
    *,
    post_id: uuid.UUID | None = None,
    handset_ids: Iterable[uuid.UUID] = (),
    before: dt.datetime | None = None,
    limit: int = 1,
) -> list[HandoverLeg]:
    """Records of a post or of phones, without corrections, the latest first."""
    query = select(HandoverLeg).join(Handover, Handover.id == HandoverLeg.handover_id)
    query = query.where(HandoverLeg.state == states.Leg.COMPLETED, HandoverLeg.corrects_id.is_(None))
    ids = list(handset_ids)
    if ids:
        query = query.where(
            exists().where(
                HandoverItem.leg_id == HandoverLeg.id,
                HandoverItem.handset_id.in_(ids),
                HandoverItem.removed_reason.is_(None),
            )
        )
    if post_id is not None:
        query = query.where(Handover.post_id == post_id)
    if before is not None:
        query = query.where(HandoverLeg.completed_at < before)
    order = (HandoverLeg.completed_at.desc(), HandoverLeg.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def corrections_of(session: Session, leg_id: uuid.UUID) -> list[HandoverLeg]:
    """The completed and the open ones, the oldest first."""
    query = select(HandoverLeg).where(
        HandoverLeg.corrects_id == leg_id, HandoverLeg.state != states.Leg.CANCELLED
    )
    return list(session.scalars(query.order_by(HandoverLeg.correction)))


def last_correction(session: Session, handover_id: uuid.UUID, number: int) -> int:
    query = select(func.max(HandoverLeg.correction)).where(
        HandoverLeg.handover_id == handover_id, HandoverLeg.number == number
    )
    return session.scalar(query) or 0


def open_case_of_post(session: Session, post_id: uuid.UUID) -> Handover | None:
    query = select(Handover).where(Handover.post_id == post_id, Handover.state == states.Case.OPEN)
    return session.scalar(query)


def cases(
    principal: Principal,
    *,
    state: str | None = None,
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    post_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    item_key: str = "",
    words: str = "",
    due_before: dt.datetime | None = None,
) -> Any:
    query = select(Handover).where(visible(principal))
    for column, value in (
        (Handover.state, state),
        (Handover.kind, kind),
        (Handover.centre_id, centre_id),
        (Handover.post_id, post_id),
    ):
        if value:
            query = query.where(column == value)
    if employee_id is not None:
        query = query.where(or_(Handover.giver_id == employee_id, Handover.receiver_id == employee_id))
    if handset_id is not None:
        query = query.where(_has_item(f"handset:{handset_id}"))
    if item_key:
        query = query.where(_has_item(item_key))
    if words:
        query = query.where(_named(words))
    if due_before is not None:
        query = query.where(Handover.due_at < due_before)
    return query


def _has_item(key: str) -> ColumnElement[bool]:
    return exists().where(
        HandoverLeg.handover_id == Handover.id, HandoverItem.leg_id == HandoverLeg.id, HandoverItem.key == key
    )


def _named(words: str) -> ColumnElement[bool]:
    """In the post's code or name, or in either employee's name or number."""
    posts = select(Post.id).where(
        or_(Post.code.icontains(words, autoescape=True), Post.name.icontains(words, autoescape=True))
    )
    people = select(Employee.id).where(
        or_(
            Employee.name.icontains(words, autoescape=True), Employee.number.icontains(words, autoescape=True)
        )
    )
    # Lists by themselves: for each case anew the database would read every employee.
    return or_(Handover.post_id.in_(posts), Handover.giver_id.in_(people), Handover.receiver_id.in_(people))


def open_cases(session: Session, *, warned_below: int, limit: int) -> list[Handover]:
    """Of every centre, the first due first. Internal."""
    query = select(Handover).where(Handover.state == states.Case.OPEN, Handover.warned < warned_below)
    return list(session.scalars(query.order_by(Handover.due_at).limit(limit)))


def legs_concerning(employee_id: uuid.UUID) -> Any:
    """The legs in which an employee is a side, but those that wait for another leg."""
    return select(HandoverLeg).where(
        or_(HandoverLeg.giver_id == employee_id, HandoverLeg.receiver_id == employee_id),
        HandoverLeg.state != states.Leg.WAITING,
    )


def find_post(session: Session, principal: Principal, post_id: uuid.UUID) -> Post:
    row = session.scalar(select(Post).where(Post.id == post_id, within(principal, Post.centre_id)))
    if row is None:
        raise NotFound("没有这个岗位 / no such post")
    return row


def find_employee(session: Session, principal: Principal, employee_id: uuid.UUID) -> Employee:
    query = select(Employee).where(Employee.id == employee_id, within(principal, Employee.centre_id))
    row = session.scalar(query)
    if row is None:
        raise NotFound("没有这个员工，或不在您的服务中心 / no such employee within your centres")
    return row


def employees(session: Session, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, Employee]:
    wanted = {found for found in ids if found is not None}
    query = select(Employee).where(Employee.id.in_(wanted))
    return {row.id: row for row in session.scalars(query)} if wanted else {}


def retired_holders(session: Session, principal: Principal, now: dt.datetime) -> list[tuple[Employee, Post]]:
    """Employees who are retired and still hold a post of the caller's centres."""
    query = (
        select(Employee, Post)
        .join(PostHolding, PostHolding.employee_id == Employee.id)
        .join(Post, Post.id == PostHolding.post_id)
        .where(
            Employee.retired_at.is_not(None),
            PostHolding.voided_at.is_(None),
            and_(
                PostHolding.valid_from <= now, or_(PostHolding.valid_to.is_(None), PostHolding.valid_to > now)
            ),
            within(principal, Post.centre_id),
        )
        .order_by(Employee.number, Post.code)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def has_user(session: Session, employee_id: uuid.UUID | None) -> bool:
    return employee_id is not None and user_of_employee(session, employee_id) is not None


def newest_completion(session: Session) -> dt.datetime | None:
    return session.scalar(select(func.max(HandoverLeg.completed_at)))


def rows_to_verify(session: Session, after: uuid.UUID | None, limit: int) -> Sequence[HandoverLeg]:
    """Completed legs in the order of their ids."""
    query = select(HandoverLeg).where(HandoverLeg.state == states.Leg.COMPLETED)
    if after is not None:
        query = query.where(HandoverLeg.id > after)
    return session.scalars(query.order_by(HandoverLeg.id).limit(limit)).all()
