"""The list of incidents, the page of one with its evidence, and what people do about it; for staff and for butlers."""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import SIGNED_IN, STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.incidents import store, words
from app.incidents.evidence import answer_names, evidence_of
from app.incidents.service import MAX_TEXT, Word, appeal, decide, decide_appeal
from app.incidents.states import State
from app.incidents.tracing import trace_of_incident
from app.incidents.views import DEFAULT_SORT, SORTS, conditions, figures, incidents_of
from app.kernel.db import db
from app.kernel.errors import Forbidden
from app.kernel.ids import parse_id
from app.runtime import runtime

incident_pages = Blueprint("incident_pages", __name__)
_MONTHS_OFFERED = 24
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_WORDS = {
    "status_words": words.STATUS,
    "status_kind": words.STATUS_KIND,
    "status_means": words.STATUS_MEANS,
    "meaning": words.meaning,
    "state_words": words.STATE,
    "kind_words": words.KIND,
    "source_words": words.SOURCE,
    "source_means": words.SOURCE_MEANS,
    "policy_words": words.POLICY,
    "month_words": words.month_words,
    "hit_clock": words.clock,
    "change_words": words.change_words,
    "max_text": MAX_TEXT,
}


def _filters() -> dict[str, Any]:
    month = request.args.get("month", "")
    return {
        "month": month if _MONTH.fullmatch(month) else None,
        "centre_id": parse_id(request.args.get("centre", "")),
        "handset_id": parse_id(request.args.get("phone", "")),
        "words": request.args.get("q", "")[:100],
    }


@incident_pages.get("/incidents")
@access(*STAFF)
def incidents() -> str:
    session, who = db.session(), current_principal()
    narrowed = _filters()
    status, state = request.args.get("status", ""), request.args.get("state", "")
    sort = request.args.get("sort", DEFAULT_SORT)
    page = incidents_of(
        session,
        who,
        statuses=(status,) if status in words.STATUS else (),
        states=(state,) if state in set(State) else (),
        gone=request.args.get("gone") == "1",
        sort=sort if sort in SORTS else DEFAULT_SORT,
        cursor=request.args.get("cursor"),
        **narrowed,
    )
    return render_template(
        "incidents/list.html",
        incidents=page.items,
        next_cursor=page.next_cursor,
        phones=store.phone_tags(session, {row.handset_id for row in page.items}),
        answers=answer_names(session, page.items),
        centres=store.centres(session, who),
        months=store.months(session, who, _MONTHS_OFFERED),
        figures=figures(session, who, conditions(**narrowed)),
        sort=sort,
        status=status,
        state=state,
        **_WORDS,
    )


@incident_pages.get("/incidents/<uuid:incident_id>")
@access(*STAFF)
def incident(incident_id: uuid.UUID) -> str:
    return _page(incident_id, named=True)


@incident_pages.get("/incidents/<uuid:incident_id>/trace.jsonl")
@access(*STAFF)
def trace(incident_id: uuid.UUID) -> Response:
    policies = runtime().policies
    told = trace_of_incident(db.session(), current_principal(), policies, incident_id, page_now())
    name = f'attachment; filename="trace-{incident_id}.jsonl"'
    return Response(told, mimetype="application/x-ndjson", headers={"Content-Disposition": name})


@incident_pages.post("/incidents/<uuid:incident_id>/decide")
@access("lead")
def decide_incident(incident_id: uuid.UUID) -> Response:
    policies = runtime().policies
    decide(db.session(), current_principal(), incident_id, _word(), now=page_now(), policies=policies)
    flash("决定已记录，当事人会收到通知。", "success")
    return see_other(f"/incidents/{incident_id}")


@incident_pages.post("/incidents/<uuid:incident_id>/appeal/decide")
@access("lead", "operations")
def review_incident(incident_id: uuid.UUID) -> Response:
    policies = runtime().policies
    decide_appeal(db.session(), current_principal(), incident_id, _word(), now=page_now(), policies=policies)
    flash("复核已记录，当事人会收到通知。", "success")
    return see_other(f"/incidents/{incident_id}")


@incident_pages.get("/my/incidents")
@access(*SIGNED_IN)
def my_incidents() -> str:
    session, who = db.session(), current_principal()
    if who.employee is None:
        raise Forbidden("您的账号没有对应的员工 / your account is no employee's", code="no_employee")
    page = incidents_of(session, who, employee_id=who.employee, cursor=request.args.get("cursor"))
    return render_template(
        "incidents/mine.html",
        incidents=page.items,
        next_cursor=page.next_cursor,
        phones=store.phone_tags(session, {row.handset_id for row in page.items}),
        **_WORDS,
    )


@incident_pages.get("/my/incidents/<uuid:incident_id>")
@access(*SIGNED_IN)
def my_incident(incident_id: uuid.UUID) -> str:
    return _page(incident_id, named=False)


@incident_pages.post("/my/incidents/<uuid:incident_id>/appeal")
@access(*SIGNED_IN)
def appeal_incident(incident_id: uuid.UUID) -> Response:
    appeal(db.session(), current_principal(), incident_id, request.form.get("statement", ""), now=page_now())
    flash("申诉已提交，将由另一人复核。", "success")
    return see_other(f"/my/incidents/{incident_id}")


def _page(incident_id: uuid.UUID, *, named: bool) -> str:
    who = current_principal()
    view = evidence_of(db.session(), who, runtime().policies, incident_id, page_now(), named=named)
    return render_template(
        "incidents/incident.html", view=view, row=view.row, named=named, me=who.employee, **_WORDS
    )


def _word() -> Word:
    """The decision of the form, about the version that its page showed."""
    version = request.form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    return Word(request.form.get("status", ""), request.form.get("reason", ""), seen)
