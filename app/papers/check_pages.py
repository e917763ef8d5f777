"""Is this paper genuine? For anybody who holds it in his hands: by its QR, by number and code, or by the PDF itself.

Whoever asks learns the kind, number, centre, date and title of a paper whose code he has, and nothing else.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, g, render_template, request

from app.http.access import PUBLIC, access
from app.http.bodies import reading_body
from app.http.identity import sign_in_limits
from app.http.pages import page_now
from app.http.transaction import write_apart
from app.kernel.db import db
from app.kernel.texts import one_line
from app.papers import store
from app.papers.checking import overall
from app.papers.listing import whole_of
from app.papers.model import Paper
from app.papers.pages import look_at
from app.papers.service import paper_of_file
from app.papers.words import VERDICT_WORDS
from app.people import check_keys, take_try, was_right

check_pages = Blueprint("paper_check", __name__)
_MAX_BYTES = 24 * 2**20
_UNKNOWN = "没有查到这张单据。请核对编号和核对码；如果都没有错，它不是本系统出具的。"
_STRANGE = "本系统没有生成过这个文件。另存、打印扫描或改动过的文件都无法识别：请改用单据上的编号和核对码。"
_TOO_OFTEN = "查得太多了，请过一会儿再试。"


@check_pages.get("/p/<code>")
@access(PUBLIC)
def by_code(code: str) -> Response | str:
    return _looked_up(code, "")


@check_pages.get("/papers/check")
@access(PUBLIC)
def check_form() -> str:
    return _form("")


@check_pages.post("/papers/check")
@access(PUBLIC, late_transaction=True)
def check_given() -> Response | str:
    """Changes nothing; a POST, because a code in an address stays in histories and logs."""
    request.max_content_length = _MAX_BYTES
    with reading_body():
        form, upload = request.form, request.files.get("file")
    if upload is None or not upload.filename:
        return _looked_up(one_line(form.get("code", ""), 40), one_line(form.get("number", ""), 80).upper())
    data = upload.stream.read(_MAX_BYTES)
    if not _may_try():
        return _refused(_TOO_OFTEN, 429)
    paper = paper_of_file(db.session(), data)
    if paper is None:
        return _refused(_STRANGE, 404)
    return _shown(paper, data)


def _looked_up(code: str, number: str) -> Response | str:
    """By the code alone, or with the number that was typed beside it; both unknown are one answer."""
    if not _may_try():
        return _refused(_TOO_OFTEN, 429)
    paper = store.by_code(db.session(), code) if code else None
    if paper is None or (number and number != paper.number.upper()):
        return _refused(_UNKNOWN, 404)
    return _shown(paper, None)


def _may_try() -> bool:
    with write_apart() as writer:
        return take_try(writer, _keys(), sign_in_limits(), page_now()) == dt.timedelta(0)


def _keys() -> dict[str, str]:
    return check_keys(request.remote_addr or "")


def _shown(paper: Paper, given: bytes | None) -> str:
    with write_apart() as writer:
        was_right(writer, _keys())
    session = db.session()
    findings = look_at(session, paper, given)
    caller = g.get("caller")
    return render_template(
        "papers/checked.html",
        found=whole_of(session, paper),
        findings=findings,
        verdict=overall(findings),
        verdict_words=VERDICT_WORDS,
        may_open=caller is not None and store.find(session, caller, paper.id) is not None,
    )


def _form(problem: str) -> str:
    return render_template("papers/check.html", problem=problem)


def _refused(problem: str, status: int) -> Response:
    return Response(_form(problem), status=status, content_type="text/html; charset=utf-8")
