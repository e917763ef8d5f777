"""The form behind a post's code. Nobody is signed in here, and nobody learns anything: every form gets one answer.

Reading the form asks the database nothing at all; sending it does the same for every code and content.
"""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from app.http.access import PUBLIC, access
from app.http.bodies import reading_body
from app.http.pages import page_now, see_other
from app.http.transaction import FORM_KEY, open_write
from app.reports.intake_service import receive
from app.reports.rules import WHEN
from app.runtime import runtime

public_pages = Blueprint("report_form", __name__)
_MAX_FORM_BYTES = 16 * 1024


@public_pages.get("/r/<code>")
@access(PUBLIC)
def form(code: str) -> str:
    return render_template("reports/public.html", code=code, when_words=WHEN, sent=False)


@public_pages.get("/r/<code>/sent")
@access(PUBLIC)
def sent(code: str) -> str:
    """After the form, so that a reload sends nothing; the same page for whatever was sent."""
    return render_template("reports/public.html", code=code, when_words=WHEN, sent=True)


@public_pages.post("/r/<code>")
@access(PUBLIC, late_transaction=True)
def send(code: str) -> Response:
    """Anybody may write here, so the form is read small and whole before the database is asked for its write lock."""
    request.max_content_length = _MAX_FORM_BYTES
    with reading_body():
        fields = request.form
    receive(
        open_write(),
        code=code,
        form_key=fields.get(FORM_KEY, ""),
        room=fields.get("room", ""),
        said=fields.get("said", ""),
        when_said=fields.get("when", ""),
        policies=runtime().policies,
        now=page_now(),
    )
    return see_other("/r/-/sent")
