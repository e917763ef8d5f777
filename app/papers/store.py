"""Queries of papers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Select, false, or_, select, update
from sqlalchemy.orm import Session, undefer

from app.kernel.blobs import Blob
from app.kernel.db import insert_into
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal, within
from app.papers.model import Paper, PaperParty, PaperSeries
from app.registry import Company, District, Employee, ServiceCentre

_CHUNK = 100
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
    return or_(found, Paper.id.in_(_papers_of(principal.employee)))


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


def pdf_name(session: Session, paper_id: uuid.UUID) -> str | None:
    return session.scalar(select(Paper.pdf_sha256).where(Paper.id == paper_id))


def set_pdf(session: Session, paper_id: uuid.UUID, name: str, now: dt.datetime) -> bool:
    """False when another was set in this moment."""
    change = update(Paper).where(Paper.id == paper_id, Paper.pdf_sha256.is_(None))
    change = change.values(pdf_sha256=name, printed_at=now).returning(Paper.id)
    return session.scalar(change.execution_options(synchronize_session=False)) is not None


def names_of_centre(session: Session, centre_id: uuid.UUID) -> tuple[str, str]:
    """Of the company and of the centre."""
    query = (
        select(Company.name, ServiceCentre.name)
        .join(District, District.id == ServiceCentre.district_id)
        .join(Company, Company.id == District.company_id)
        .where(ServiceCentre.id == centre_id)
    )
    company, centre = session.execute(query).one()
    return company, centre


def all_papers(session: Session) -> Iterator[Paper]:
    """A hundred at a time: years of papers with their texts do not fit in memory."""
    last: uuid.UUID | None = None
    while True:
        query = select(Paper).options(undefer(Paper.document)).order_by(Paper.id).limit(_CHUNK)
        chunk = session.scalars(query if last is None else query.where(Paper.id > last)).all()
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1].id
        session.expire_all()


def has_paper(session: Session, text: str) -> bool:
    paper_id = parse_id(text)
    return paper_id is not None and session.scalar(select(Paper.id).where(Paper.id == paper_id)) is not None


def by_code(session: Session, code: str) -> Paper | None:
    """For the check page, which is nobody's and everybody's: by what was printed, whatever the centre."""
    return session.scalar(select(Paper).where(Paper.code == code))


def by_number(session: Session, number: str) -> Paper | None:
    return session.scalar(select(Paper).where(Paper.number == number))


def by_pdf(session: Session, sha256: str) -> Paper | None:
    return session.scalar(select(Paper).where(Paper.pdf_sha256 == sha256))


def query(
    principal: Principal,
    *,
    own: bool,
    centre_id: uuid.UUID | None,
    kind: str,
    subject: str,
    words: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
) -> Select[Paper]:
    found = select(Paper).where(visible(principal))
    if own:
        found = found.where(Paper.id.in_(_papers_of(principal.employee)))
    if centre_id is not None:
        found = found.where(Paper.centre_id == centre_id)
    if kind:
        found = found.where(Paper.kind == kind)
    if subject:
        found = found.where(Paper.subject == subject)
    if words:
        people = select(PaperParty.paper_id).join(Employee, Employee.id == PaperParty.employee_id)
        people = people.where(or_(Employee.name.icontains(words, autoescape=True), Employee.number == words))
        texts = (Paper.number, Paper.title, Paper.about)
        found = found.where(
            or_(*(text.icontains(words, autoescape=True) for text in texts), Paper.id.in_(people))
        )
    if start is not None:
        found = found.where(Paper.issued_at >= start)
    return found if end is None else found.where(Paper.issued_at < end)


def _papers_of(employee_id: uuid.UUID | None) -> Select[uuid.UUID]:
    return select(PaperParty.paper_id).where(PaperParty.employee_id == employee_id)


def party_names(session: Session, paper_id: uuid.UUID) -> list[str]:
    query = select(Employee.name).join(PaperParty, PaperParty.employee_id == Employee.id)
    return list(session.scalars(query.where(PaperParty.paper_id == paper_id).order_by(Employee.number)))


def party_names_of(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Paper → the names of its parties."""
    query = select(PaperParty.paper_id, Employee.name).join(Employee, Employee.id == PaperParty.employee_id)
    found: dict[uuid.UUID, list[str]] = {}
    for paper_id, name in session.execute(
        query.where(PaperParty.paper_id.in_(ids)).order_by(Employee.number)
    ):
        found.setdefault(paper_id, []).append(name)
    return found


def numbers_of(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Paper → the number of the one that corrects it."""
    rows = session.execute(select(Paper.corrects, Paper.number).where(Paper.corrects.in_(ids)))
    return {corrected: number for corrected, number in rows if corrected is not None}


def papers_of_party(
    session: Session, principal: Principal, employee_id: uuid.UUID, limit: int
) -> Sequence[Paper]:
    query = select(Paper).where(visible(principal), Paper.id.in_(_papers_of(employee_id)))
    return session.scalars(query.order_by(Paper.issued_at.desc()).limit(limit)).all()
