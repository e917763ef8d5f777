"""Papers for people: lists, one paper whole, and what a checker may be told of one."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.papers import store
from app.papers.document import Document, blobs_of
from app.papers.kinds import KINDS
from app.papers.model import Paper
from app.papers.reading import document_of
from app.papers.service import get_paper


@dataclass(frozen=True)
class Wanted:
    """None and "" do not narrow; `start` ≤ issued < `end`; `words`: in number, title, subtitle, or a party's name."""

    centre_id: uuid.UUID | None = None
    kind: str = ""
    subject: str = ""
    words: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None


def list_papers(
    session: Session,
    principal: Principal,
    wanted: Wanted,
    *,
    own: bool = False,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Paper]:
    """The newest first. `own`: only those that the caller is a party to."""
    query = store.query(
        principal,
        own=own,
        centre_id=wanted.centre_id,
        kind=wanted.kind,
        subject=wanted.subject,
        words=wanted.words,
        start=wanted.start,
        end=wanted.end,
    )
    keys = [
        SortKey("issued_at", Paper.issued_at, descending=True),
        SortKey("id", Paper.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


@dataclass(frozen=True)
class Whole:
    """A paper with its document, None when that was altered; the paper that it corrects, the one that corrects it, and
    the names of its parties.
    """

    paper: Paper
    document: Document | None
    corrects: Paper | None
    corrected_by: Paper | None
    parties: Sequence[str]
    centre: str

    @property
    def label(self) -> str:
        return KINDS[self.paper.kind].label


def whole_paper(session: Session, principal: Principal, paper_id: uuid.UUID) -> Whole:
    """Raise `NotFound`, also for one that the caller may not see."""
    return whole_of(session, get_paper(session, principal, paper_id))


def whole_of(session: Session, paper: Paper) -> Whole:
    return Whole(
        paper=paper,
        document=document_of(paper),
        corrects=session.get(Paper, paper.corrects) if paper.corrects else None,
        corrected_by=store.correction_of(session, paper.id),
        parties=store.party_names(session, paper.id),
        centre=store.names_of_centre(session, paper.centre_id)[1],
    )


def picture_of(session: Session, principal: Principal, paper_id: uuid.UUID, name: str) -> str:
    """The name itself, when the paper shows that picture. Raise `NotFound`: a blob is no public file."""
    document = document_of(get_paper(session, principal, paper_id))
    if document is None or name not in blobs_of(document):
        raise NotFound("这张单据没有这个图片 / no such picture of this paper")
    return name


def papers_of(
    session: Session, principal: Principal, employee_id: uuid.UUID, *, limit: int
) -> Sequence[Paper]:
    """Those that a person is a party to, as far as the caller may see them; the newest first."""
    return store.papers_of_party(session, principal, employee_id, limit)
