"""Queries of cases. A state changes only by compare-and-set: an update that hits no row lost against another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.duty import Delegation
from app.kernel.db import from_us, insert_into
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Handset, ServiceCentre
from app.remedy.model import IS_OPEN, RemedyCase, RemedyCursor, RemedyStep
from app.remedy.states import AT_WORK, OPEN, Event, State, advance


def find(session: Session, principal: Principal, case_id: uuid.UUID) -> RemedyCase:
    """Raise `NotFound`, also for a foreign centre's."""
    query = select(RemedyCase).where(RemedyCase.id == case_id, within(principal, RemedyCase.centre_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这条整改 / no such remedy")
    return row


def by_id(session: Session, case_id: uuid.UUID | None) -> RemedyCase | None:
    """Internal: asks no principal."""
    return None if case_id is None else session.get(RemedyCase, case_id, populate_existing=True)


def by_command(session: Session, command_id: uuid.UUID) -> RemedyCase | None:
    query = select(RemedyCase).where(RemedyCase.command_id == command_id)
    return session.scalar(query.execution_options(populate_existing=True))


def insert_new(session: Session, values: Mapping[str, Any]) -> RemedyCase | None:
    """None when an open case of the same phone, code and subject stands there."""
    new = insert_into(session, RemedyCase).values(**values)
    new = new.on_conflict_do_nothing(
        index_elements=["handset_id", "code", "subject"], index_where=text(IS_OPEN)
    )
    made = session.scalar(new.returning(RemedyCase.id))
    return None if made is None else session.get_one(RemedyCase, made)


def move(session: Session, case: RemedyCase, event: Event, **changes: Any) -> State:
    """Advance a case and set what goes with it; `version` counts up.

    Raise `Conflict`: `remedy_state` when it moved meanwhile or may not move so, `app_at_work` when another case of the
    same app of this phone is at work, or the same finding has a newer case.
    """
    after = advance(State(case.state), event)
    try:
        with session.begin_nested():
            change_if(
                session,
                case,
                ("state", "version"),
                _faster(),
                state=after,
                version=case.version + 1,
                **changes,
            )
    except IntegrityError as exc:
        raise Conflict(
            "这个应用已有一条整改正在办理 / this app is being dealt with", code="app_at_work"
        ) from exc
    return after


def write(session: Session, case: RemedyCase, **changes: Any) -> None:
    """Change what goes with a case and leave its state. Raise `Conflict` when it moved meanwhile."""
    change_if(session, case, ("state", "version"), _faster(), version=case.version + 1, **changes)


def _faster() -> Conflict:
    return Conflict("刚刚有了变化，请刷新 / it changed in the same moment", code="remedy_state")


def open_of(session: Session, handset_ids: Collection[uuid.UUID]) -> Sequence[RemedyCase]:
    """The open cases of these phones, locked."""
    query = select(RemedyCase).where(RemedyCase.handset_id.in_(handset_ids), RemedyCase.state.in_(OPEN))
    query = query.order_by(RemedyCase.handset_id, RemedyCase.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def ended_of(session: Session, handset_id: uuid.UUID) -> dict[tuple[str, str], RemedyCase]:
    """The newest ended case of each finding of a phone."""
    query = select(RemedyCase).where(RemedyCase.handset_id == handset_id, RemedyCase.state.not_in(OPEN))
    rows = session.scalars(query.order_by(RemedyCase.ended_at, RemedyCase.id)).all()
    return {(row.code, row.subject): row for row in rows}


def at_work_of(session: Session, handset_id: uuid.UUID, package: str) -> RemedyCase | None:
    query = select(RemedyCase).where(
        RemedyCase.handset_id == handset_id, RemedyCase.package == package, RemedyCase.state.in_(AT_WORK)
    )
    return session.scalar(query)


def due_phones(session: Session, now: dt.datetime, limit: int) -> list[uuid.UUID]:
    """Phones of which a case is moved by time, by centre: so its leads are told of many at once."""
    query = select(RemedyCase.centre_id, RemedyCase.handset_id).where(RemedyCase.due_at <= now).distinct()
    found = session.execute(query.order_by(RemedyCase.centre_id, RemedyCase.handset_id).limit(limit))
    return [row.handset_id for row in found]


def resting_over(session: Session, now: dt.datetime, limit: int) -> list[uuid.UUID]:
    """Phones of which a dismissal is over and nobody has looked since."""
    query = select(RemedyCase.handset_id).where(
        RemedyCase.state == State.DISMISSED, RemedyCase.rest_until <= now
    )
    return list(session.scalars(query.distinct().limit(limit)))


def end_rests(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> None:
    """Dismissals of a phone that are over, and whose finding is gone: the next one is a new finding."""
    over = (RemedyCase.state == State.DISMISSED, RemedyCase.rest_until <= now)
    session.execute(
        update(RemedyCase)
        .where(RemedyCase.handset_id == handset_id, *over)
        .values(rest_until=None)
        .execution_options(synchronize_session="fetch")
    )


def look_again(session: Session, handset_id: uuid.UUID, now: dt.datetime, at: dt.datetime | None) -> None:
    """When time looks once more at a phone that left its centre; None: its new centre has judged it."""
    over = (RemedyCase.state == State.LEFT, RemedyCase.due_at <= now)
    session.execute(
        update(RemedyCase)
        .where(RemedyCase.handset_id == handset_id, *over)
        .values(due_at=at)
        .execution_options(synchronize_session="fetch")
    )


def of_phones_gone(session: Session, limit: int) -> Sequence[RemedyCase]:
    """Open cases of phones that were retired, or that belong to another centre now."""
    query = (
        select(RemedyCase)
        .join(Handset, Handset.id == RemedyCase.handset_id)
        .where(
            RemedyCase.state.in_(OPEN),
            or_(Handset.retired_at.is_not(None), Handset.centre_id != RemedyCase.centre_id),
        )
    )
    return session.scalars(query.order_by(RemedyCase.id).limit(limit)).all()


def phones(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Handset]:
    query = select(Handset).where(Handset.id.in_(handset_ids))
    return {row.id: row for row in session.scalars(query.execution_options(populate_existing=True))}


def phone(session: Session, handset_id: uuid.UUID) -> Handset:
    return session.get_one(Handset, handset_id)


def lock_phone(session: Session, handset_id: uuid.UUID) -> Handset:
    """A hold, a new centre or a retirement that is just being written is waited for."""
    return session.get_one(Handset, handset_id, populate_existing=True, with_for_update=True)


def lock_centre(session: Session, centre_id: uuid.UUID) -> None:
    """Until the transaction ends nobody else sends in this centre: two at once would both be the last allowed."""
    session.execute(select(ServiceCentre.id).where(ServiceCentre.id == centre_id).with_for_update())


def steps_of(session: Session, case_id: uuid.UUID) -> Sequence[RemedyStep]:
    """In order."""
    query = select(RemedyStep).where(RemedyStep.case_id == case_id)
    return session.scalars(query.order_by(RemedyStep.at, RemedyStep.id)).all()


def steps_among(
    session: Session, case_ids: Collection[uuid.UUID], steps: Collection[str]
) -> Sequence[RemedyStep]:
    query = select(RemedyStep).where(RemedyStep.case_id.in_(case_ids), RemedyStep.step.in_(steps))
    return session.scalars(query.order_by(RemedyStep.at, RemedyStep.id)).all()


def count_steps(
    session: Session,
    step: str,
    since: dt.datetime,
    *,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
) -> int:
    query = select(func.count()).select_from(RemedyStep)
    query = query.where(RemedyStep.step == step, RemedyStep.at > since)
    if centre_id is not None:
        query = query.where(RemedyStep.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(RemedyStep.handset_id == handset_id)
    return session.scalar(query) or 0


def cursor(session: Session) -> tuple[dt.datetime, uuid.UUID | None]:
    """How far changes were followed; from the beginning of all where none were."""
    row = session.get(RemedyCursor, 1, populate_existing=True)
    return (from_us(0), None) if row is None else (row.at, row.after_id)


def set_cursor(session: Session, at: dt.datetime, after_id: uuid.UUID | None) -> None:
    new = insert_into(session, RemedyCursor).values(id=1, at=at, after_id=after_id)
    new = new.on_conflict_do_update(index_elements=["id"], set_={"at": at, "after_id": after_id})
    session.execute(new)


def query(
    principal: Principal,
    *,
    states: Collection[str] = (),
    code: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[RemedyCase]:
    """Cases within the caller's centres. `words` are looked for in the phone's tag, the app and what was found."""
    found = select(RemedyCase).where(within(principal, RemedyCase.centre_id))
    if states:
        found = found.where(RemedyCase.state.in_(states))
    if code:
        found = found.where(RemedyCase.code == code)
    if centre_id is not None:
        found = found.where(RemedyCase.centre_id == centre_id)
    if handset_id is not None:
        found = found.where(RemedyCase.handset_id == handset_id)
    if words:
        tagged = select(Handset.id).where(Handset.asset_tag.icontains(words, autoescape=True))
        found = found.where(
            or_(
                RemedyCase.handset_id.in_(tagged),
                RemedyCase.subject.icontains(words, autoescape=True),
                RemedyCase.words.icontains(words, autoescape=True),
            )
        )
    return found


def state_counts(session: Session, principal: Principal) -> dict[str, int]:
    found = select(RemedyCase.state, func.count()).where(within(principal, RemedyCase.centre_id))
    return {row[0]: row[1] for row in session.execute(found.group_by(RemedyCase.state))}


def codes(session: Session, principal: Principal) -> list[str]:
    """The codes that there are cases of."""
    found = select(RemedyCase.code).where(within(principal, RemedyCase.centre_id)).distinct()
    return list(session.scalars(found.order_by(RemedyCase.code)))


def entrusted(session: Session, employee_id: uuid.UUID, now: dt.datetime) -> set[uuid.UUID]:
    """Phones that are entrusted to an employee now."""
    query = select(Delegation.handset_id).where(
        Delegation.delegate_id == employee_id, Delegation.force_from <= now, Delegation.force_to > now,
        Delegation.state == "accepted",
    )  # fmt: skip
    return set(session.scalars(query))


def own(session: Session, handset_ids: Collection[uuid.UUID]) -> Sequence[RemedyCase]:
    """Open cases of phones that the caller holds."""
    found = select(RemedyCase).where(RemedyCase.handset_id.in_(handset_ids), RemedyCase.state.in_(OPEN))
    return session.scalars(found.order_by(RemedyCase.handset_id, RemedyCase.opened_at, RemedyCase.id)).all()


def phone_by_tag(session: Session, principal: Principal, tag: str) -> uuid.UUID | None:
    query = select(Handset.id).where(Handset.asset_tag == tag, within(principal, Handset.centre_id))
    return session.scalar(query)
