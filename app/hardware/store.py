"""Queries of cases and what hangs on them. A state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from app.hardware import states
from app.hardware.model import (
    DeductionOrder,
    HardwareCase,
    HardwareRepair,
    HardwareReplacement,
    HardwareStep,
    Instalment,
    LossDeed,
    WageCap,
)
from app.hardware.tools import VIEWERS
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Employee, Handset, Number, Post, ServiceCentre, WeChatAccount

Part = TypeVar("Part", HardwareStep, HardwareRepair, HardwareReplacement, LossDeed)
L = TypeVar("L", Handset, Employee, ServiceCentre, Post, Number, WeChatAccount)


def visible(principal: Principal) -> ColumnElement[bool]:
    """All of the centres where he sits at the desk; elsewhere the cases in which he answers himself."""
    own = HardwareCase.employee_id == principal.employee if principal.employee is not None else false()
    return or_(and_(within(principal, HardwareCase.centre_id), _at_desk(principal)), own)


def _at_desk(principal: Principal) -> ColumnElement[bool]:
    if not principal.rights:
        return true() if principal.has_any(*VIEWERS) else false()
    centres = {centre for role, centre in principal.rights if role in (*VIEWERS, "admin")}
    return true() if None in centres else HardwareCase.centre_id.in_(c for c in centres if c is not None)


def find(session: Session, principal: Principal, case_id: uuid.UUID) -> HardwareCase:
    """Raise `NotFound` for what does not exist or is not the caller's to see."""
    query = select(HardwareCase).where(HardwareCase.id == case_id, visible(principal))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个损坏遗失事项 / no such case")
    return row


def move(session: Session, case: HardwareCase, event: states.CaseEvent, **changes: Any) -> None:
    """Advance a case and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    after = states.advance(states.Case(case.state), event)
    if after not in states.OPEN_CASES and "ended_at" not in changes:
        raise ValueError("a case that ends has its end")
    change(session, case, state=after, **changes)


def change(session: Session, case: HardwareCase, **changes: Any) -> None:
    """Set values of a case that nobody has moved meanwhile, else raise `Conflict`."""
    change_if(session, case, ("state", "appeal", "statement", "disputed"), _meanwhile(), **changes)


def move_part(session: Session, row: HardwareReplacement, event: states.OfferEvent, **changes: Any) -> None:
    after = states.advance(states.Offer(row.state), event)
    change_if(session, row, ("state",), _meanwhile(), state=after, **changes)


def move_order(session: Session, row: DeductionOrder, event: states.OrderEvent, **changes: Any) -> None:
    after = states.advance(states.Order(row.state), event)
    change_if(session, row, ("state", "taken_fen"), _meanwhile(), state=after, **changes)


def set_taken(session: Session, row: DeductionOrder, taken_fen: int) -> None:
    change_if(session, row, ("state", "taken_fen"), _meanwhile(), taken_fen=taken_fen)


def _meanwhile() -> Conflict:
    return Conflict("刚被别人处理过，请刷新 / changed in this moment: look again", code="hardware_state")


def running(session: Session, handset_id: uuid.UUID) -> HardwareCase | None:
    """The case of a phone that is not over. Internal."""
    return session.scalar(
        select(HardwareCase).where(
            HardwareCase.handset_id == handset_id, HardwareCase.state.in_(states.OPEN_CASES)
        )
    )


def from_handovers(session: Session, handset_id: uuid.UUID) -> Sequence[HardwareCase]:
    """The cases of a phone that came of a handover's difference, but those that were taken back. Internal."""
    query = select(HardwareCase).where(
        HardwareCase.handset_id == handset_id,
        HardwareCase.leg_id.is_not(None),
        HardwareCase.state != states.Case.DROPPED,
    )
    return session.scalars(query.order_by(HardwareCase.id)).all()


def parts(session: Session, kind: type[Part], case_id: uuid.UUID) -> Sequence[Part]:
    """What hangs on a case, the oldest first."""
    return session.scalars(select(kind).where(kind.case_id == case_id).order_by(kind.id)).all()


def still_lost(session: Session, after: uuid.UUID | None, limit: int) -> Sequence[HardwareCase]:
    """Losses of which the phone has not come back, also when another took its place; by id. Internal."""
    back = (states.Case.FOUND, states.Case.DROPPED)
    query = select(HardwareCase).where(HardwareCase.kind == "loss", HardwareCase.state.not_in(back))
    if after is not None:
        query = query.where(HardwareCase.id > after)
    return session.scalars(query.order_by(HardwareCase.id).limit(limit)).all()


def last_step(session: Session, case_id: uuid.UUID, step: str) -> HardwareStep | None:
    """Internal."""
    query = select(HardwareStep).where(HardwareStep.case_id == case_id, HardwareStep.step == step)
    return session.scalars(query.order_by(HardwareStep.id.desc()).limit(1)).first()


def replacements(session: Session, case_id: uuid.UUID) -> Sequence[HardwareReplacement]:
    return parts(session, HardwareReplacement, case_id)


def waiting_offer(session: Session, case_id: uuid.UUID) -> HardwareReplacement | None:
    return session.scalar(
        select(HardwareReplacement).where(
            HardwareReplacement.case_id == case_id, HardwareReplacement.state == states.Offer.WAITING
        )
    )


def order_of(session: Session, case_id: uuid.UUID) -> DeductionOrder | None:
    return session.scalar(
        select(DeductionOrder)
        .where(DeductionOrder.case_id == case_id)
        .execution_options(populate_existing=True)
    )


def orders_of(session: Session, case_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DeductionOrder]:
    query = select(DeductionOrder).where(DeductionOrder.case_id.in_(case_ids))
    return {row.case_id: row for row in session.scalars(query)}


def unconfirmed(
    session: Session, month: str, now: dt.datetime
) -> Sequence[tuple[DeductionOrder, HardwareCase, Employee]]:
    """Open orders of which nobody confirmed this month, and against which no appeal may come or waits."""
    confirmed = exists().where(Instalment.order_id == DeductionOrder.id, Instalment.month == month)
    may_come = and_(HardwareCase.appeal == states.Appeal.NONE, HardwareCase.appeal_until > now)
    query = (
        select(DeductionOrder, HardwareCase, Employee)
        .join(HardwareCase, HardwareCase.id == DeductionOrder.case_id)
        .join(Employee, Employee.id == DeductionOrder.employee_id)
        .where(DeductionOrder.state == states.Order.OPEN, DeductionOrder.first_month <= month, ~confirmed)
        .where(
            HardwareCase.appeal != states.Appeal.FILED, or_(~may_come, HardwareCase.appeal_until.is_(None))
        )
        .order_by(DeductionOrder.id)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def instalments(session: Session, order_id: uuid.UUID) -> Sequence[Instalment]:
    return session.scalars(
        select(Instalment).where(Instalment.order_id == order_id).order_by(Instalment.month)
    ).all()


def taken_in(session: Session, employee_id: uuid.UUID, month: str) -> int:
    """What a person's month has borne of all orders, those that were given back left out."""
    query = select(func.coalesce(func.sum(Instalment.taken_fen), 0)).where(
        Instalment.employee_id == employee_id, Instalment.month == month, Instalment.reversal_id.is_(None)
    )
    return int(session.scalar(query) or 0)


def cap_of(session: Session, employee_id: uuid.UUID, month: str) -> WageCap | None:
    return session.scalar(select(WageCap).where(WageCap.employee_id == employee_id, WageCap.month == month))


def lock_employee(session: Session, employee_id: uuid.UUID) -> None:
    """Until the transaction ends nobody else takes of this person's months: two orders share one cap."""
    session.execute(select(Employee.id).where(Employee.id == employee_id).with_for_update())


def in_states(session: Session, wanted: Sequence[str], limit: int) -> Sequence[HardwareCase]:
    """For the jobs."""
    query = select(HardwareCase).where(HardwareCase.state.in_(wanted))
    return session.scalars(query.order_by(HardwareCase.id).limit(limit)).all()


def listed(
    principal: Principal,
    *,
    wanted: Sequence[str] = (),
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[HardwareCase]:
    query = select(HardwareCase).where(visible(principal))
    if wanted:
        query = query.where(HardwareCase.state.in_(wanted))
    if kind is not None:
        query = query.where(HardwareCase.kind == kind)
    if centre_id is not None:
        query = query.where(HardwareCase.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(HardwareCase.handset_id == handset_id)
    if employee_id is not None:
        query = query.where(HardwareCase.employee_id == employee_id)
    if words:
        phones = select(Handset.id).where(Handset.asset_tag.icontains(words, autoescape=True))
        people = select(Employee.id).where(
            or_(Employee.name.icontains(words, autoescape=True), Employee.number == words)
        )
        query = query.where(
            or_(
                HardwareCase.handset_id.in_(phones),
                HardwareCase.employee_id.in_(people),
                HardwareCase.words.icontains(words, autoescape=True),
            )
        )
    return query


def counts(session: Session, principal: Principal) -> dict[str, int]:
    """State → how many of the caller's cases."""
    query = select(HardwareCase.state, func.count()).where(visible(principal)).group_by(HardwareCase.state)
    return {state: int(number) for state, number in session.execute(query)}


def rows_of(session: Session, kind: type[L], ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID, L]:
    """Rows of the registry that visible records name."""
    wanted = {i for i in ids if i is not None}
    return {row.id: row for row in session.scalars(select(kind).where(kind.id.in_(wanted)))} if wanted else {}


def choice_of_people(session: Session, principal: Principal, centre_id: uuid.UUID) -> Sequence[Employee]:
    query = select(Employee).where(
        Employee.centre_id == centre_id, Employee.retired_at.is_(None), within(principal, Employee.centre_id)
    )
    return session.scalars(query.order_by(Employee.number)).all()


def phone_by_tag(session: Session, principal: Principal, tag: str) -> uuid.UUID | None:
    query = select(Handset.id).where(Handset.asset_tag == tag, within(principal, Handset.centre_id))
    return session.scalar(query)


def phone_tags(session: Session, principal: Principal, limit: int) -> list[str]:
    query = select(Handset.asset_tag).where(
        Handset.retired_at.is_(None), within(principal, Handset.centre_id)
    )
    return list(session.scalars(query.order_by(Handset.asset_tag).limit(limit)))
