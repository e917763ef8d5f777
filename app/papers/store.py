"""Queries of papers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from app.kernel.blobs import Blob
from app.kernel.db import insert_into
from app.kernel.tenancy import Principal, within
from app.papers.model import Paper, PaperParty, PaperSeries

VIEWERS = ("operations", "lead", "it", "finance", "auditor")


def next_number(session: Session, series: str) -> int:
    """The next number of a series, from 1, without gaps: the row stays locked until the commit."""
    new = insert_into(session, PaperSeries).values(series=series, last=1)
    new = new.on_conflict_do_update(index_elements=["series"], set_={"last": PaperSeries.last + 1})
    return int(session.execute(new.returning(PaperSeries.last)).scalar_one())


def visible(principal: Principal) -> ColumnElement[bool]:
    """Staff see their centres' papers, anybody those that he is a party to."""
    staff = principal.has_any(*VIEWERS)
    found = within(principal.narrowed(*VIEWERS), Paper.centre_id) if staff else false()
    if principal.employee is None:
        return found
    own = select(PaperParty.paper_id).where(PaperParty.employee_id == principal.employee)
    return or_(found, Paper.id.in_(own))


def find(session: Session, principal: Principal, paper_id: uuid.UUID) -> Paper | None:
    return session.scalar(select(Paper).where(Paper.id == paper_id, visible(principal)))


def about(session: Session, principal: Principal, subject: str) -> Sequence[Paper]:
    query = select(Paper).where(Paper.subject == subject, visible(principal))
    return session.scalars(query.order_by(Paper.issued_at, Paper.id)).all()


def missing_blobs(session: Session, names: Sequence[str]) -> list[str]:
    kept = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(names))))
    return [name for name in names if name not in kept]


def correction_of(session: Session, paper_id: uuid.UUID) -> Paper | None:
    """The paper that took this one's place."""
    return session.scalar(select(Paper).where(Paper.corrects == paper_id))
