"""What contracts, assessments and requests tell of the life of a number, a phone or a post."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.contracts import store, work_store
from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.contracts.rules import CONCLUSIONS, SHANGHAI, end_of
from app.contracts.states import ASSESSMENT_WORDS, REQUEST_WORDS
from app.contracts.states import Assessment as AssessmentState
from app.contracts.states import Request as RequestState
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.registry import Number

ROOM = "contracts"
T = TypeVar("T", Assessment, ReplacementRequest)


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Those that the caller may see, in no order."""
    found: list[LifeEvent] = []
    if subject.kind == "number":
        found += _contracts(session, principal, subject)
    if subject.kind in ("number", "handset", "post"):
        found += [_assessed(row) for row in _rows(session, principal, Assessment, subject)]
    if subject.kind in ("handset", "post"):
        found += [_asked(row) for row in _rows(session, principal, ReplacementRequest, subject)]
    return found


def _contracts(session: Session, principal: Principal, subject: Subject) -> Iterator[LifeEvent]:
    query = select(NumberContract).join(Number, Number.id == NumberContract.number_id)
    for row in session.scalars(query.where(NumberContract.number_id == subject.id, store.visible(principal))):
        begins = dt.datetime.combine(row.starts_on, dt.time(), SHANGHAI).astimezone(dt.UTC)
        void = f"；已作废：{row.void_reason}" if row.voided_at is not None else ""
        yield LifeEvent(
            at=begins, until=end_of(row.ends_on), title=f"合约 {row.carrier} {row.plan_name}",
            detail=f"{row.starts_on} 至 {row.ends_on}{void}", link=f"/contracts/{row.id}", room=ROOM,
        )  # fmt: skip


def _rows(session: Session, principal: Principal, kind: type[T], subject: Subject) -> list[T]:
    query = work_store.listed(principal, kind)
    if subject.kind == "post":
        query = query.where(kind.post_id == subject.id)
    elif subject.kind == "handset" and kind is ReplacementRequest:
        either = (
            ReplacementRequest.handset_id == subject.id,
            ReplacementRequest.new_handset_id == subject.id,
        )
        query = query.where(or_(*either))
    elif subject.kind == "handset":
        query = query.where(kind.handset_id == subject.id)
    else:
        query = query.where(Assessment.number_id == subject.id)
    return list(session.scalars(query))


def _assessed(row: Assessment) -> LifeEvent:
    words = ASSESSMENT_WORDS[AssessmentState(row.state)]
    conclusion = f"{CONCLUSIONS[row.conclusion]}：{row.reason}" if row.conclusion else ""
    at = row.decided_at or row.submitted_at or row.created_at
    return LifeEvent(at, f"合约到期评估：{words}", conclusion, f"/contracts/assessments/{row.id}", ROOM)


def _asked(row: ReplacementRequest) -> LifeEvent:
    words = REQUEST_WORDS[RequestState(row.state)]
    return LifeEvent(
        row.updated_at,
        f"换机申请：{words}",
        f"{row.brand} {row.model}",
        f"/contracts/requests/{row.id}",
        ROOM,
    )
