"""Queries of reports. A report's state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.moving import change_if
from app.kernel.spans import holds_at
from app.kernel.tenancy import Principal, within
from app.registry import Grid, Household, KitAssignment, Post
from app.reports.model import CustomerReport, ReportChange, ReportHour, ReportIntake
from app.reports.states import Event, State, advance


def count_form(session: Session, bucket: str, hour: dt.datetime) -> int:
    """One more form of this code in this hour; how many there are with it. Two at once are both counted."""
    new = insert_into(session, ReportHour).values(bucket=bucket, hour=hour, number=1)
    more = new.on_conflict_do_update(
        index_elements=["bucket", "hour"], set_={"number": ReportHour.number + 1}
    )
    return int(session.execute(more.returning(ReportHour.number)).scalar_one())


def insert_intake(session: Session, values: Mapping[str, Any]) -> None:
    """A form that was sent before (the same hidden key) is not written again."""
    new = insert_into(session, ReportIntake).values(**values)
    session.execute(new.on_conflict_do_nothing(index_elements=["form_key"]))


def waiting(session: Session, limit: int) -> Sequence[ReportIntake]:
    query = select(ReportIntake).where(ReportIntake.taken_at.is_(None)).order_by(ReportIntake.received_at)
    return session.scalars(query.limit(limit).with_for_update(skip_locked=True)).all()


def insert_report(session: Session, values: Mapping[str, Any]) -> CustomerReport:
    row = CustomerReport(**values)
    session.add(row)
    session.flush()
    return row


def find(session: Session, principal: Principal, report_id: uuid.UUID) -> CustomerReport | None:
    query = select(CustomerReport).where(
        CustomerReport.id == report_id, within(principal, CustomerReport.centre_id)
    )
    return session.scalar(query.execution_options(populate_existing=True))


def move(session: Session, report: CustomerReport, event: Event, **changes: Any) -> None:
    """Advance a report. Raise `Conflict` when it moved meanwhile or may not move so."""
    conflict = Conflict("刚有人处理了这条反映，请刷新 / somebody judged it just now", code="report_state")
    after = advance(State(report.state), event)
    change_if(session, report, ("state",), conflict, state=after, **changes)


def add_change(session: Session, report: CustomerReport, event: Event, **values: Any) -> None:
    session.add(
        ReportChange(
            id=new_id(), centre_id=report.centre_id, report_id=report.id, event=event,
            household_id=report.household_id, handset_id=report.handset_id, called_at=report.called_at, **values,
        )
    )  # fmt: skip
    session.flush()


def changes(session: Session, report_id: uuid.UUID) -> Sequence[ReportChange]:
    query = select(ReportChange).where(ReportChange.report_id == report_id)
    return session.scalars(query.order_by(ReportChange.at, ReportChange.id)).all()


def confirmed(session: Session, handset_id: uuid.UUID) -> Sequence[CustomerReport]:
    query = select(CustomerReport).where(
        CustomerReport.handset_id == handset_id, CustomerReport.state == State.CONFIRMED
    )
    return session.scalars(query).all()


def probed_since(session: Session, post_id: uuid.UUID, since: dt.datetime) -> bool:
    query = select(CustomerReport.id).where(
        CustomerReport.post_id == post_id, CustomerReport.probed_at > since
    )
    return session.scalar(query.limit(1)) is not None


def grid_of(session: Session, post_id: uuid.UUID) -> uuid.UUID:
    return session.execute(select(Post.grid_id).where(Post.id == post_id)).scalar_one()


def rooms(session: Session, grid_id: uuid.UUID) -> dict[uuid.UUID, str]:
    """The households of a grid that are in use, by their rooms. Internal: of a report that the caller may see."""
    query = select(Household.id, Household.room).where(
        Household.grid_id == grid_id, Household.retired_at.is_(None)
    )
    return {row.id: row.room for row in session.execute(query.order_by(Household.room))}


def phone_of(session: Session, post_id: uuid.UUID, at: dt.datetime) -> uuid.UUID | None:
    """The phone that belonged to a post at an instant; of several the one that came last."""
    query = select(KitAssignment.handset_id).where(
        KitAssignment.post_id == post_id,
        KitAssignment.handset_id.is_not(None),
        KitAssignment.voided_at.is_(None),
        holds_at(KitAssignment.valid_from, KitAssignment.valid_to, at),
    )
    return session.scalar(query.order_by(KitAssignment.valid_from.desc(), KitAssignment.id.desc()).limit(1))


def query(
    principal: Principal,
    *,
    state: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[CustomerReport]:
    found = select(CustomerReport).where(within(principal, CustomerReport.centre_id))
    if state:
        found = found.where(CustomerReport.state == state)
    if centre_id:
        found = found.where(CustomerReport.centre_id == centre_id)
    if handset_id:
        found = found.where(CustomerReport.handset_id == handset_id)
    if words:
        found = found.where(_named(words))
    return found


def _named(words: str) -> ColumnElement[bool]:
    post = exists().where(Post.id == CustomerReport.post_id, Post.name.icontains(words, autoescape=True))
    return or_(CustomerReport.room.icontains(words, autoescape=True), post)


def counts(session: Session, principal: Principal) -> dict[str, int]:
    query = select(CustomerReport.state, func.count()).where(within(principal, CustomerReport.centre_id))
    return {row[0]: row[1] for row in session.execute(query.group_by(CustomerReport.state))}


def merged(session: Session, buckets: Collection[str], since: dt.datetime, limit: int) -> dict[str, int]:
    """How many forms of each code were only counted since then."""
    query = select(ReportHour.bucket, func.sum(ReportHour.number - limit)).where(
        and_(ReportHour.bucket.in_(buckets), ReportHour.hour >= since, ReportHour.number > limit)
    )
    return {row[0]: int(row[1]) for row in session.execute(query.group_by(ReportHour.bucket))}


def places(session: Session, post_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Post → (its name, its grid's name). Internal: of rows that the caller may see."""
    query = select(Post.id, Post.name, Grid.name.label("grid")).join(Grid, Grid.id == Post.grid_id)
    return {row.id: (row.name, row.grid) for row in session.execute(query.where(Post.id.in_(post_ids)))}


def room_names(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(Household.id, Household.room).where(Household.id.in_(ids))
    return {row.id: row.room for row in session.execute(query)}


def others_of_household(
    session: Session, report: CustomerReport, since: dt.datetime
) -> Sequence[CustomerReport]:
    """Reports of the same household about the same post near this one; none when no household is known."""
    if report.household_id is None:
        return []
    query = select(CustomerReport).where(
        CustomerReport.household_id == report.household_id,
        CustomerReport.post_id == report.post_id,
        CustomerReport.id != report.id,
        CustomerReport.received_at >= since,
    )
    return session.scalars(query.order_by(CustomerReport.received_at).limit(20)).all()
