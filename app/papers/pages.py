"""Papers for the desk and for whoever is a party to one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session

from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import SHANGHAI
from app.http.transaction import write_apart
from app.http.uploads import send_picture
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.papers import store
from app.papers.checking import Finding, check_beside, check_paper, overall
from app.papers.kinds import KINDS
from app.papers.listing import Wanted, list_papers, picture_of, whole_paper
from app.papers.model import Paper
from app.papers.printing import Press, pdf_of
from app.papers.service import get_paper
from app.papers.words import VERDICT_WORDS
from app.registry import live_centres
from app.runtime import runtime

paper_pages = Blueprint("papers", __name__)


def press() -> Press:
    here = runtime()
    return Press(write_apart, here.keys, here.blobs, here.settings, here.clock)


def look_at(session: Session, paper: Paper, given: bytes | None = None) -> list[Finding]:
    """Everything that can be checked of one paper, what it tells of included."""
    from app.rooms import subject_checks  # it knows this module

    here = runtime()
    findings = check_paper(session, here.blobs, here.keys, paper, given)
    return [*findings, *check_beside(session, here.blobs, paper, subject_checks())]


@paper_pages.get("/papers")
@access(*store.VIEWERS)
def papers() -> str:
    args = request.args
    wanted = Wanted(
        centre_id=parse_id(args.get("centre", "")),
        kind=args.get("kind", ""),
        words=one_line(args.get("q", ""), 100),
        start=_day(args.get("from", "")),
        end=_day(args.get("to", ""), 1),
    )
    return _list("papers/list.html", wanted, own=False)


@paper_pages.get("/my/papers")
@access(*SIGNED_IN)
def my_papers() -> str:
    if current_principal().employee is None:
        raise NotFound("您的账号没有对应的员工档案 / your account is of no employee")
    return _list("papers/mine.html", Wanted(), own=True)


def _list(template: str, wanted: Wanted, *, own: bool) -> str:
    session, who = db.session(), current_principal()
    page = list_papers(session, who, wanted, own=own, cursor=request.args.get("cursor"))
    return render_template(
        template,
        papers=page.items,
        next_cursor=page.next_cursor,
        parties=store.party_names_of(session, [paper.id for paper in page.items]),
        corrected=store.numbers_of(session, [paper.id for paper in page.items]),
        kinds=KINDS,
        centres=live_centres(session, who),
        narrowed=any(request.args.get(name) for name in ("centre", "kind", "q", "from", "to")),
    )


def _day(text: str, add: int = 0) -> dt.datetime | None:
    """The beginning of a day in Shanghai; None for what is no day."""
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=add)
    except (ValueError, OverflowError):
        return None
    return dt.datetime.combine(day, dt.time(), SHANGHAI)


@paper_pages.get("/papers/<uuid:paper_id>")
@access(*SIGNED_IN)
def one_paper(paper_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    found = whole_paper(session, who, paper_id)
    findings = look_at(session, found.paper)
    page = render_template(
        "papers/paper.html",
        found=found,
        findings=findings,
        verdict=overall(findings),
        verdict_words=VERDICT_WORDS,
        staff=who.may(found.paper.centre_id, *store.VIEWERS),
    )
    _note(found.paper)
    return page


@paper_pages.get("/papers/<uuid:paper_id>.pdf")
@access(*SIGNED_IN)
def paper_pdf(paper_id: uuid.UUID) -> Response:
    return pdf_response(paper_id)


def pdf_response(paper_id: uuid.UUID) -> Response:
    session = db.session()
    paper = get_paper(session, current_principal(), paper_id)
    data = pdf_of(session, press(), paper)
    answer = Response(data, content_type="application/pdf")
    # Shown in the browser; saved, it is named by its number, which no other paper has.
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in paper.number)
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-cache"
    _note(paper)
    return answer


def _note(paper: Paper) -> None:
    note_reading("papers", action="paper.read", subject=f"paper:{paper.id}")


@paper_pages.get("/papers/<uuid:paper_id>/pictures/<name>")
@access(*SIGNED_IN)
def paper_picture(paper_id: uuid.UUID, name: str) -> Any:
    return send_picture(picture_of(db.session(), current_principal(), paper_id, name))
