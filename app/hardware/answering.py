"""Who answers for a phone at an instant: by an accepted delegation (N01), else by its post (R01)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duty import excuse_facts
from app.hardware.rules import SHANGHAI
from app.kernel.tenancy import SYSTEM
from app.registry import Employee, find_handset, holder_of


@dataclass(frozen=True)
class Answers:
    """`employee_id` None: nobody, or it cannot be told. `why` is for people, and stands in the case."""

    employee_id: uuid.UUID | None
    name: str
    post_id: uuid.UUID | None
    why: str


def answers_at(session: Session, handset_id: uuid.UUID, at: dt.datetime) -> Answers:
    """Internal: the caller has looked for the phone."""
    held = holder_of(session, SYSTEM, handset_id, at)
    post_id = held.post_id if held else None
    for fact in excuse_facts(session, handset_id):
        if fact.delegate is not None and fact.start <= at and (fact.end is None or at < fact.end):
            person = session.get_one(Employee, fact.delegate)
            why = f"{moment(at)} 手机已委托给 {person.name}（N01，{span(fact.start, fact.end)}）"
            return Answers(person.id, person.name, post_id, why)
    if held is None:
        return Answers(None, "", None, f"{moment(at)} 手机不属于任何岗位")
    if held.employee_id is None:
        return Answers(None, "", post_id, f"{moment(at)} 岗位 {held.post_name} 没有人任职")
    why = (
        f"{moment(at)} 由 {held.employee_name} 保管（岗位 {held.post_name}，{span(held.since, held.until)}）"
    )
    return Answers(held.employee_id, held.employee_name or "", post_id, why)


def may_report_own(session: Session, handset_id: uuid.UUID, employee_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether the phone is his to speak of now."""
    find_handset(session, SYSTEM, handset_id)
    return answers_at(session, handset_id, now).employee_id == employee_id


def moment(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def span(start: dt.datetime, end: dt.datetime | None) -> str:
    return f"{moment(start)} 起" if end is None else f"{moment(start)} 至 {moment(end)}"
