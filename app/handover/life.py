"""What handovers tell of the life of a phone, a number, an account, a post or a person."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import Handover, HandoverLeg
from app.handover.records import name_of
from app.handover.rules import KIND_WORDS, REASONS
from app.handover.states import CASE_WORDS, Case
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject

_ROOM = "handover"
_MOST = 500


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Every case and every signed leg that the caller may see, the oldest first."""
    rows = list(session.scalars(_cases(principal, subject).order_by(Handover.started_at).limit(_MOST)))
    events = [_case_event(case) for case in rows]
    for case in rows:
        events += [_leg_event(session, case, leg) for leg in _signed(session, case.id)]
    return sorted(events, key=lambda event: event.at)


def _cases(principal: Principal, subject: Subject) -> Any:
    if subject.kind == "post":
        return store.cases(principal, post_id=subject.id)
    if subject.kind == "employee":
        return store.cases(principal, employee_id=subject.id)
    return store.cases(principal, item_key=f"{subject.kind}:{subject.id}")


def _signed(session: Session, handover_id: uuid.UUID) -> list[HandoverLeg]:
    return [leg for leg in store.legs_of(session, handover_id) if leg.completed_at is not None]


def _case_event(case: Handover) -> LifeEvent:
    what = KIND_WORDS[case.kind]
    state = "" if case.state == Case.OPEN else f"，{CASE_WORDS[case.state]}"
    return LifeEvent(
        at=case.started_at, title=f"开始{what}", detail=f"{REASONS[case.reason]}{state}", room=_ROOM,
        link=f"/handovers/{case.id}", until=case.ended_at,
    )  # fmt: skip


def _leg_event(session: Session, case: Handover, leg: HandoverLeg) -> LifeEvent:
    assert leg.completed_at is not None
    giver = name_of(session, leg.giver_id, leg.giver_user)
    receiver = name_of(session, leg.receiver_id, leg.receiver_user)
    what = "更正签完" if leg.corrects_id else f"{KIND_WORDS[case.kind]}签完"
    link = f"/papers/{leg.paper_id}" if leg.paper_id else f"/handovers/{case.id}"
    return LifeEvent(leg.completed_at, what, f"{giver} → {receiver}", link, _ROOM)
