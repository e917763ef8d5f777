"""The months for people: overview, one centre's month, closing, corrections, payroll's sheet, a person's book."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.allowance import lists, views
from app.allowance.api import export_response, tools
from app.allowance.closing import close_month, require_month
from app.allowance.correcting import correct, recheck_month
from app.allowance.exporting import EXPORTERS, export
from app.allowance.rules import is_month, month_after, month_of
from app.allowance.tools import CLOSERS, VIEWERS
from app.allowance.words import FOR_PAGES, LINE
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.errors import FieldError, Invalid
from app.kernel.texts import one_line
from app.ledger import list_entries, reversals_of
from app.people import names_of

allowance_pages = Blueprint("allowance_pages", __name__)
_PAGE = 100


@allowance_pages.get("/allowance")
@access(*VIEWERS)
def overview() -> str:
    now = page_now()
    asked = request.args.get("month", "")
    month = asked if is_month(asked) else month_after(month_of(now), -1)
    centres = views.overview(db.session(), current_principal(), tools(), month)
    words, state = one_line(request.args.get("q", ""), 100), request.args.get("state", "")
    shown = [
        c
        for c in centres
        if words.casefold() in f"{c.centre.code} {c.centre.name}".casefold()
        and (not state or state == ("closed" if c.row else "open"))
    ]
    return render_template(
        "allowance/overview.html",
        **FOR_PAGES,
        month=month,
        before=month_after(month, -1),
        after=month_after(month) if month < month_of(now) else None,
        centres=shown,
        total=len(centres),
        words=words,
        state=state,
        now=now,
    )


@allowance_pages.get("/allowance/<month>/<uuid:centre_id>")
@access(*VIEWERS)
def month_page(month: str, centre_id: uuid.UUID) -> str:
    require_month(month)
    session, who, now = db.session(), current_principal(), page_now()
    view = views.month_view(session, who, tools(), centre_id, month, now)
    words, sort = one_line(request.args.get("q", ""), 100), request.args.get("sort", "")
    state = request.args.get("state", "")
    lines = views.chosen(view.lines, words, state if state in LINE else "", sort)
    page = max(1, min(request.args.get("page", 1, type=int), -(-len(lines) // _PAGE)))
    by = [view.row.closed_by] if view.row else []
    return render_template(
        "allowance/month.html",
        **FOR_PAGES,
        view=view,
        sums={name: view.sum(name) for name in LINE},
        lines=lines[(page - 1) * _PAGE : page * _PAGE],
        found=len(lines),
        page=page,
        pages=-(-len(lines) // _PAGE),
        words=words,
        state=state,
        sort=sort,
        names=names_of(session, [*by, *(e.created_by for e in view.exports)]),
        may_close=who.may(centre_id, *CLOSERS),
        may_export=who.may(centre_id, *EXPORTERS),
        now=now,
    )


@allowance_pages.post("/allowance/<month>/<uuid:centre_id>/close")
@access(*CLOSERS)
def close_page(month: str, centre_id: uuid.UUID) -> Response:
    """The month is typed by hand: a click alone does not close it."""
    form = request.form
    if form.get("confirm", "").strip() != month:
        message = f"请输入 {month} 确认关账 / type the month to confirm"
        raise Invalid("没有关账 / not closed", fields=[FieldError("confirm", "confirm", message)])
    close_month(
        db.session(),
        current_principal(),
        tools(),
        centre_id,
        month,
        seen=form.get("seen", ""),
        now=page_now(),
    )
    flash(f"{month} 已关账。通知正在发给每位员工。", "success")
    return see_other(f"/allowance/{month}/{centre_id}")


@allowance_pages.post("/allowance/<month>/<uuid:centre_id>/correct")
@access(*CLOSERS)
def correct_page(month: str, centre_id: uuid.UUID) -> Response:
    session, who, form = db.session(), current_principal(), request.form
    row = lists.closed_month(session, who, centre_id, month)
    number = correct(
        session,
        who,
        tools(),
        row.id,
        seen=form.get("seen", ""),
        reason=form.get("reason", ""),
        now=page_now(),
    )
    flash(f"已更正 {number} 人，原记录保留并冲回。", "success")
    return see_other(f"/allowance/{month}/{centre_id}")


@allowance_pages.post("/allowance/<month>/<uuid:centre_id>/recheck")
@access(*CLOSERS)
def recheck_page(month: str, centre_id: uuid.UUID) -> Response:
    """What the job does every few minutes, at once."""
    session, who = db.session(), current_principal()
    row = lists.closed_month(session, who, centre_id, month)
    who.require_role(centre_id, *CLOSERS)
    number = recheck_month(session, tools(), row, page_now())
    flash(f"已核对，{number} 人有更正。" if number else "已核对，没有需要补发的差异。", "success")
    return see_other(f"/allowance/{month}/{centre_id}")


@allowance_pages.post("/allowance/<month>/<uuid:centre_id>/export")
@access(*EXPORTERS)
def export_page(month: str, centre_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    row = lists.closed_month(session, who, centre_id, month)
    made = export(session, who, tools(), row.id, page_now())
    flash(f"工资表已生成：{made.people} 人。请在下面下载。", "success")
    return see_other(f"/allowance/{month}/{centre_id}#exports")


@allowance_pages.get("/allowance/exports/<uuid:export_id>.xlsx")
@access(*EXPORTERS)
def export_file(export_id: uuid.UUID) -> Response:
    return export_response(export_id)


@allowance_pages.get("/allowance/people/<uuid:employee_id>")
@access(*VIEWERS)
def person_page(employee_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    asked = request.args.get("month", "")
    month = asked if is_month(asked) else None
    person = lists.person(session, who, employee_id)
    page = list_entries(
        session, who, employee_id=employee_id, month=month, cursor=request.args.get("cursor") or None
    )
    revisions = lists.lines_of_person(session, who, employee_id)
    return render_template(
        "allowance/person.html",
        **FOR_PAGES,
        person=person,
        entries=page.items,
        next_cursor=page.next_cursor,
        reversals=reversals_of(session, [e.id for e in page.items]),
        names=names_of(session, {e.booked_by for e in page.items}),
        lines=list(zip(views.line_views(session, revisions), revisions, strict=True)),
        balances=lists.balances(session, who, employee_id),
        month=month,
    )


@allowance_pages.get("/allowance/lines/<uuid:line_id>/trace.jsonl")
@access(*VIEWERS)
def trace_file(line_id: uuid.UUID) -> Response:
    """The trace that a closed line was ruled by, for `flask uptime replay`."""
    data = lists.trace_of_line(db.session(), current_principal(), tools(), line_id)
    response = Response(data, content_type="application/jsonl")
    response.headers["Content-Disposition"] = f"attachment; filename=trace-{line_id}.jsonl"
    return response
