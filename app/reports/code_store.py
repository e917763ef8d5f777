"""Queries of codes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, select, text, update
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.kernel.tenancy import Principal, within
from app.registry import Grid, Post, ServiceCentre
from app.reports.model import CustomerReport, ReportCode, ReportHour, ReportIntake

_LIVE = text("retired_at IS NULL")


@dataclass(frozen=True)
class PostCode:
    """A post in use with its code, or without one."""

    post_id: uuid.UUID
    post_code: str
    post_name: str
    grid_name: str
    centre_id: uuid.UUID
    centre_name: str
    code_id: uuid.UUID | None
    code: str | None
    since: dt.datetime | None


def code_id(session: Session, code: str) -> uuid.UUID | None:
    """The id of a code that holds now, whosever it is."""
    query = select(ReportCode.id).where(ReportCode.code == code, ReportCode.retired_at.is_(None))
    return session.scalar(query)


def codes(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ReportCode]:
    return {row.id: row for row in session.scalars(select(ReportCode).where(ReportCode.id.in_(ids)))}


def of_post(session: Session, post_id: uuid.UUID) -> ReportCode | None:
    query = select(ReportCode).where(ReportCode.post_id == post_id, ReportCode.retired_at.is_(None))
    return session.scalar(query.execution_options(populate_existing=True))


def find_post(session: Session, principal: Principal, post_id: uuid.UUID) -> Post | None:
    return session.scalar(select(Post).where(Post.id == post_id, within(principal, Post.centre_id)))


def insert_code(session: Session, values: Mapping[str, Any]) -> bool:
    """False when the post has one."""
    new = insert_into(session, ReportCode).values(**values)
    new = new.on_conflict_do_nothing(index_elements=["post_id"], index_where=_LIVE)
    return session.scalar(new.returning(ReportCode.id)) is not None


def retire(session: Session, row: ReportCode, now: dt.datetime) -> bool:
    """False when it was renewed meanwhile."""
    live = update(ReportCode).where(ReportCode.id == row.id, ReportCode.retired_at.is_(None))
    done = live.values(retired_at=now).returning(ReportCode.id)
    return session.execute(done.execution_options(synchronize_session=False)).one_or_none() is not None


def posts(session: Session, principal: Principal, centre_id: uuid.UUID | None) -> Sequence[PostCode]:
    """The posts in use by centre, grid and code."""
    live = and_(ReportCode.post_id == Post.id, ReportCode.retired_at.is_(None))
    query = (
        select(
            Post.id, Post.code, Post.name, Grid.name, Post.centre_id, ServiceCentre.name, ReportCode.id,
            ReportCode.code, ReportCode.created_at,
        )
        .join(Grid, Grid.id == Post.grid_id)
        .join(ServiceCentre, ServiceCentre.id == Post.centre_id)
        .outerjoin(ReportCode, live)
        .where(Post.retired_at.is_(None), within(principal, Post.centre_id))
        .order_by(ServiceCentre.code, Grid.code, Post.code)
    )  # fmt: skip
    if centre_id:
        query = query.where(Post.centre_id == centre_id)
    return [PostCode(*row) for row in session.execute(query)]


def prune(session: Session, intake_before: dt.datetime, said_before: dt.datetime) -> int:
    """Forget forms that were taken in, counts that no limit looks at, and what customers wrote long ago."""
    gone = delete(ReportIntake).where(
        ReportIntake.taken_at.is_not(None), ReportIntake.received_at < intake_before
    )
    forms = session.scalars(gone.returning(ReportIntake.id)).all()
    session.execute(delete(ReportHour).where(ReportHour.hour < said_before))
    old = and_(CustomerReport.received_at < said_before, CustomerReport.said + CustomerReport.room != "")
    blank = update(CustomerReport).where(old).values(said="", room="")
    rows = session.scalars(
        blank.returning(CustomerReport.id).execution_options(synchronize_session=False)
    ).all()
    return len(forms) + len(rows)
