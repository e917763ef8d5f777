"""Cases at the desk, and what a butler sees of his own round and cases."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.credchecks import case_views, cases, views
from app.credchecks.states import Finding
from app.credchecks.tools import CHECKERS, VIEWERS, Tools
from app.credchecks.words import FOR_PAGES
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.registry import live_centres
from app.runtime import runtime

cases_pages = Blueprint("change_case_pages", __name__)


@cases_pages.get("/rounds/cases")
@access(*VIEWERS)
def case_list() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", "open")
    wanted = state if state == "open" or state in FOR_PAGES["case_words"] else None
    page = case_views.list_cases(
        session, who, state=wanted, centre_id=parse_id(args.get("centre", "")), words=one_line(args.get("q", ""), 100),
        cursor=args.get("cursor"),
    )  # fmt: skip
    return render_template(
        "credchecks/cases.html", **FOR_PAGES, lines=case_views.case_lines(session, who, page.items),
        next_cursor=page.next_cursor, state=state, centres=live_centres(session, who),
    )  # fmt: skip


@cases_pages.get("/rounds/cases/<uuid:case_id>")
@access(*VIEWERS)
def one_case(case_id: uuid.UUID) -> str:
    return _case_page(case_id)


def _case_page(case_id: uuid.UUID, refusal: DomainError | None = None) -> str:
    found = case_views.case_view(
        db.session(), current_principal(), case_id, policies=runtime().policies, now=page_now()
    )
    return render_template("credchecks/case.html", **FOR_PAGES, found=found, refusal=refusal)


@cases_pages.post("/rounds/cases/<uuid:case_id>/decide")
@access(*CHECKERS)
def decide(case_id: uuid.UUID) -> Response:
    form, here = request.form, runtime()
    try:
        if form.get("finding") not in list(Finding):
            raise Invalid("请选择认定结果 / choose a finding")
        cases.decide(
            db.session(), current_principal(), case_id, finding=Finding(form["finding"]), reason=form.get("reason", ""),
            tools=Tools(here.policies, here.vault, here.keys), now=page_now(),
        )  # fmt: skip
    except Invalid as exc:
        return _again(exc, case_id)
    flash("已认定，管家会收到通知。", "success")
    return see_other(f"/rounds/cases/{case_id}")


@cases_pages.post("/rounds/cases/<uuid:case_id>/answer")
@access(*CHECKERS)
def answer(case_id: uuid.UUID) -> Response:
    form, here = request.form, runtime()
    try:
        if form.get("word") not in ("uphold", "overturn"):
            raise Invalid("请选择维持或撤销 / choose")
        cases.answer(
            db.session(), current_principal(), case_id, uphold=form["word"] == "uphold", reason=form.get("reason", ""),
            tools=Tools(here.policies, here.vault, here.keys), now=page_now(),
        )  # fmt: skip
    except Invalid as exc:
        return _again(exc, case_id)
    flash("已复核，管家会收到通知。", "success")
    return see_other(f"/rounds/cases/{case_id}")


@cases_pages.post("/rounds/cases/<uuid:case_id>/statement")
@access(*CHECKERS, "butler")
def statement(case_id: uuid.UUID) -> Response:
    return _speak(case_id, cases.make_statement, "说明已提交。")


@cases_pages.post("/rounds/cases/<uuid:case_id>/appeal")
@access(*CHECKERS, "butler")
def appeal(case_id: uuid.UUID) -> Response:
    return _speak(case_id, cases.appeal, "申诉已提交，由另一人复核。")


def _speak(case_id: uuid.UUID, perform: cases.Speech, done: str) -> Response:
    who, text = current_principal(), request.form.get("text", "")
    try:
        row = perform(db.session(), who, case_id, text, policies=runtime().policies, now=page_now())
    except Invalid as exc:
        flash(exc.detail, "error")
        return see_other("/my/round")
    flash(done, "success")
    own = who.employee is not None and who.employee == row.employee_id
    return see_other("/my/round" if own else f"/rounds/cases/{case_id}")


@cases_pages.get("/my/round")
@access(*SIGNED_IN)
def my_round() -> str:
    """What was checked of his kit, by whom; and his cases."""
    session, who, now, policies = db.session(), current_principal(), page_now(), runtime().policies
    own = who.employee
    return render_template(
        "credchecks/mine.html", **FOR_PAGES, known=own is not None,
        rounds=views.own_rounds(session, own, policies=policies, now=now) if own else [],
        cases=case_views.own_cases(session, who, own, policies=policies, now=now) if own else [],
    )  # fmt: skip


def _again(error: DomainError, case_id: uuid.UUID) -> Response:
    """The page again with what is wrong. A status of 400 or more makes the edge write nothing."""
    db.session().rollback()
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    page = _case_page(case_id, error)
    return Response(page, status=status, content_type="text/html; charset=utf-8")
