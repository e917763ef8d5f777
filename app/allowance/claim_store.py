"""Queries of claims. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.allowance.model import TopupClaim
from app.allowance.states import COUNTS, Event, State, advance
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within


def find(
    session: Session, principal: Principal, claim_id: uuid.UUID, *, lock: bool = False
) -> TopupClaim | None:
    """Within the caller's centres, or his own wherever it was filed."""
    mine = within(principal, TopupClaim.centre_id)
    if principal.employee is not None:
        mine = or_(mine, TopupClaim.employee_id == principal.employee)
    query = select(TopupClaim).where(TopupClaim.id == claim_id, mine)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def used(
    session: Session, sha256: str, number: str | None, paid_on: dt.date, besides: uuid.UUID | None = None
) -> TopupClaim | None:
    """The claim that the same receipt stands in already, in any centre."""
    same = or_(TopupClaim.receipt_sha256 == sha256, TopupClaim.file_sha256 == sha256)
    if number is not None:
        same = or_(same, (TopupClaim.receipt_number == number) & (TopupClaim.paid_on == paid_on))
    query = select(TopupClaim).where(same, TopupClaim.state.in_(COUNTS))
    if besides is not None:
        query = query.where(TopupClaim.id != besides)
    return session.scalar(query.order_by(TopupClaim.created_at).limit(1))


def approved_fen(session: Session, employee_id: uuid.UUID, month: str) -> int:
    """What was approved of a person's month and stands; call under the centre's lock."""
    query = select(func.coalesce(func.sum(TopupClaim.approved_fen), 0)).where(
        TopupClaim.employee_id == employee_id, TopupClaim.month == month, TopupClaim.state == State.APPROVED
    )
    return int(session.scalar(query) or 0)


def of_month(
    session: Session, centre_id: uuid.UUID, employee_id: uuid.UUID, month: str, state: State
) -> Sequence[TopupClaim]:
    query = select(TopupClaim).where(
        TopupClaim.centre_id == centre_id,
        TopupClaim.employee_id == employee_id,
        TopupClaim.month == month,
        TopupClaim.state == state,
    )
    return session.scalars(query.order_by(TopupClaim.id).with_for_update()).all()


def people_with_claims(session: Session, centre_id: uuid.UUID, month: str) -> set[uuid.UUID]:
    query = select(TopupClaim.employee_id).where(
        TopupClaim.centre_id == centre_id,
        TopupClaim.month == month,
        TopupClaim.state.in_((State.APPROVED, State.REVERSED)),
    )
    return set(session.scalars(query.distinct()))


def query(
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
    month: str | None = None,
    state: str | None = None,
) -> Select[TopupClaim]:
    found = select(TopupClaim).where(within(principal, TopupClaim.centre_id))
    wanted = {
        TopupClaim.centre_id: centre_id,
        TopupClaim.employee_id: employee_id,
        TopupClaim.month: month,
        TopupClaim.state: state,
    }
    return found.where(*[column == value for column, value in wanted.items() if value])


def move(session: Session, claim: TopupClaim, event: Event, now: dt.datetime, **changes: Any) -> None:
    """Advance a claim and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    after = advance(State(claim.state), event)
    conflict = Conflict(
        "这张单据刚被他人处理，请刷新 / this claim changed in the same moment", code="claim_state"
    )
    change_if(
        session, claim, ("state", "version"), conflict,
        state=after, version=claim.version + 1, updated_at=now, **changes,
    )  # fmt: skip
