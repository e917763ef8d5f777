"""Queries of assessments and replacement requests. A state changes only by compare-and-set."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.contracts import states
from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within

T = TypeVar("T", Assessment, ReplacementRequest)


def find(
    session: Session, principal: Principal, kind: type[T], row_id: uuid.UUID, *, lock: bool = False
) -> T:
    """Raise `NotFound`, also for a foreign centre's. `lock`: until the transaction ends nobody else gets it so."""
    query = select(kind).where(kind.id == row_id, within(principal, kind.centre_id))
    query = query.with_for_update() if lock else query
    row: T | None = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这份记录 / no such record")
    return row


def move_assessment(session: Session, row: Assessment, event: states.AssessmentEvent, **changes: Any) -> None:
    """Advance it and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    after = states.advance_assessment(states.Assessment(row.state), event)
    _change(session, row, state=after, **changes)


def move_request(
    session: Session, row: ReplacementRequest, event: states.RequestEvent, **changes: Any
) -> None:
    after = states.advance_request(states.Request(row.state), event)
    _change(session, row, state=after, **changes)


def write(session: Session, row: Assessment | ReplacementRequest, **changes: Any) -> None:
    """Change what it says while it stays in its state, unless somebody else wrote meanwhile."""
    _change(session, row, **changes)


def _change(session: Session, row: Assessment | ReplacementRequest, **changes: Any) -> None:
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment: look again", code="contract_state")
    change_if(session, row, ("state", "version"), conflict, version=row.version + 1, **changes)


def live_assessment(session: Session, contract_id: uuid.UUID) -> Assessment | None:
    query = select(Assessment).where(
        Assessment.contract_id == contract_id, Assessment.state.in_(states.LIVE_ASSESSMENTS)
    )
    return session.scalar(query)


def live_of(session: Session, contract_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Assessment]:
    """The live assessment of each of these contracts that has one."""
    query = select(Assessment).where(
        Assessment.contract_id.in_(contract_ids), Assessment.state.in_(states.LIVE_ASSESSMENTS)
    )
    return {row.contract_id: row for row in session.scalars(query)}


def assessments_of(session: Session, contract_id: uuid.UUID) -> Sequence[Assessment]:
    query = select(Assessment).where(Assessment.contract_id == contract_id)
    return session.scalars(query.order_by(Assessment.created_at, Assessment.id)).all()


def confirmed(session: Session) -> Iterator[Assessment]:
    """Those that both signed, be they voided since or not."""
    query = select(Assessment).where(
        Assessment.state.in_((states.Assessment.CONFIRMED, states.Assessment.VOIDED))
    )
    yield from session.scalars(query.order_by(Assessment.id).execution_options(yield_per=200))


def live_request(session: Session, assessment_id: uuid.UUID) -> ReplacementRequest | None:
    query = select(ReplacementRequest).where(
        ReplacementRequest.assessment_id == assessment_id, ReplacementRequest.state.in_(states.LIVE_REQUESTS)
    )
    return session.scalar(query)


def requests_of(session: Session, assessment_id: uuid.UUID) -> Sequence[ReplacementRequest]:
    query = select(ReplacementRequest).where(ReplacementRequest.assessment_id == assessment_id)
    return session.scalars(query.order_by(ReplacementRequest.created_at, ReplacementRequest.id)).all()


def keeping(session: Session, number_id: uuid.UUID) -> Sequence[Assessment]:
    """Confirmed assessments of a number's contracts that said: keep."""
    query = (
        select(Assessment)
        .join(NumberContract, NumberContract.id == Assessment.contract_id)
        .where(
            NumberContract.number_id == number_id,
            Assessment.state == states.Assessment.CONFIRMED,
            Assessment.conclusion == "keep",
        )
    )
    return session.scalars(query).all()


def listed(
    principal: Principal,
    kind: type[T],
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
) -> Select[T]:
    query = select(kind).where(within(principal, kind.centre_id))
    if wanted:
        query = query.where(kind.state.in_(wanted))
    if centre_id is not None:
        query = query.where(kind.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(kind.handset_id == handset_id)
    return query
