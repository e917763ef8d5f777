"""Staff's pages: reports to judge, and the codes to print."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from itertools import groupby

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import SHANGHAI, page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.registry import live_centres
from app.reports import code_service, service, views
from app.reports.code_store import PostCode
from app.reports.model import CustomerReport
from app.reports.pictures import picture
from app.reports.rules import MATCHES, WHEN
from app.runtime import runtime

reports_pages = Blueprint("report_pages", __name__)
_JUDGES = ("operations", "lead")
_MAKERS = ("operations", "lead", "it")
_LOCAL = "%Y-%m-%dT%H:%M"
_EVENTS: Mapping[str, str] = {"confirm": "核实", "reject": "不采纳", "undo": "撤销处理"}
_WORDS = {
    "state_words": {
        "new": ("busy", "待核实"),
        "confirmed": ("bad", "已核实"),
        "rejected": ("quiet", "不采纳"),
    },
    "match_words": MATCHES,
    "when_words": WHEN,
}


@reports_pages.get("/reports")
@access(*STAFF)
def reports() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", "new")
    page = views.report_lines(
        session,
        who,
        state=state if state in _WORDS["state_words"] else None,
        centre_id=parse_id(args.get("centre", "")),
        handset_id=parse_id(args.get("phone", "")),
        words=one_line(args.get("q", ""), 100),
        cursor=args.get("cursor"),
    )
    return render_template(
        "reports/list.html",
        lines=page.items,
        next_cursor=page.next_cursor,
        counts=views.counts(session, who),
        centres=live_centres(session, who),
        **_WORDS,
    )


@reports_pages.get("/reports/<uuid:report_id>")
@access(*STAFF)
def report(report_id: uuid.UUID) -> str:
    return _report_page(report_id)


@reports_pages.post("/reports/<uuid:report_id>/confirm")
@access(*_JUDGES)
def confirm(report_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    form = request.form
    try:
        service.confirm(
            session,
            who,
            report_id,
            household_id=parse_id(form.get("household_id", "")) or uuid.UUID(int=0),
            called_at=_called_at(service.get(session, who, report_id), form.get("called_at", "")),
            reason=form.get("reason", ""),
            policies=runtime().policies,
            now=page_now(),
        )
    except (Invalid, Conflict) as exc:
        status = next(code for kind, code in STATUS.items() if isinstance(exc, kind))
        page = _report_page(report_id, problem=exc.detail, called=form.get("called_at", ""))
        return Response(page, status=status, content_type="text/html; charset=utf-8")
    flash("已核实，作为一次客户反映计入证据。", "success")
    return see_other(f"/reports/{report_id}")


@reports_pages.post("/reports/<uuid:report_id>/reject")
@access(*_JUDGES)
def reject(report_id: uuid.UUID) -> Response:
    reason = request.form.get("reason", "")
    service.reject(db.session(), current_principal(), report_id, reason=reason, now=page_now())
    flash("已记为不采纳。", "success")
    return see_other(f"/reports/{report_id}")


@reports_pages.post("/reports/<uuid:report_id>/undo")
@access(*_JUDGES)
def undo(report_id: uuid.UUID) -> Response:
    service.undo(
        db.session(),
        current_principal(),
        report_id,
        reason=request.form.get("reason", ""),
        policies=runtime().policies,
        now=page_now(),
    )
    flash("已撤销，回到待核实。", "success")
    return see_other(f"/reports/{report_id}")


def _report_page(report_id: uuid.UUID, *, problem: str = "", called: str | None = None) -> str:
    view = views.report_view(db.session(), current_principal(), report_id, runtime().policies)
    found = view.line.report
    if called is None:
        at = found.called_at or (found.received_at if found.when_said == "now" else None)
        called = at.astimezone(SHANGHAI).strftime(_LOCAL) if at else ""
    return render_template(
        "reports/report.html", view=view, called=called, problem=problem, event_words=_EVENTS, **_WORDS
    )


def _called_at(found: CustomerReport, text: str) -> dt.datetime:
    """The instant in the form; its minute is the report's own where it names that one. Raise `Invalid`."""
    try:
        at = dt.datetime.strptime(text, _LOCAL).replace(tzinfo=SHANGHAI)
    except ValueError:
        raise Invalid("请填写拨打时间 / give the time of the call") from None
    received = found.received_at
    return received if at == received.astimezone(SHANGHAI).replace(second=0, microsecond=0) else at


@reports_pages.get("/reports/codes")
@access(*STAFF)
def codes() -> str:
    session, who = db.session(), current_principal()
    posts = code_service.post_codes(session, who, parse_id(request.args.get("centre", "")))
    lacking = {post.centre_id: post.centre_name for post in posts if post.code is None}
    return render_template(
        "reports/codes.html",
        codes=posts,
        without=[(i, name) for i, name in lacking.items() if who.may(i, *_MAKERS)],
        may=who.has_any(*_MAKERS),
        centres=live_centres(session, who),
        fixed_address=runtime().settings.public_url is not None,
    )


@reports_pages.get("/reports/codes/sheet")
@access(*STAFF)
def sheet() -> str:
    """The pictures to print, centre by centre, in the order of their grids."""
    posts = code_service.post_codes(
        db.session(), current_principal(), parse_id(request.args.get("centre", ""))
    )
    return render_template(
        "reports/sheet.html",
        sheets=_cards(posts),
        fixed_address=runtime().settings.public_url is not None,
    )


def _cards(posts: Iterable[PostCode]) -> list[tuple[str, list[dict[str, str]]]]:
    base = (runtime().settings.public_url or request.host_url).rstrip("/")
    sheets = []
    for centre, members in groupby(posts, key=lambda post: post.centre_name):
        cards = [
            {
                "name": f"{post.grid_name} · {post.post_name}",
                "address": f"{base}/r/{post.code}",
                "picture": picture(f"{base}/r/{post.code}"),
            }
            for post in members
            if post.code
        ]
        if cards:
            sheets.append((centre, cards))
    return sheets


@reports_pages.post("/reports/codes/make")
@access(*_MAKERS)
def make_codes() -> Response:
    centre_id = parse_id(request.form.get("centre_id", ""))
    if centre_id is None:
        raise Invalid("请选择服务中心 / choose a centre")
    who = current_principal()
    if not who.sees(centre_id):
        raise Forbidden("您在该服务中心没有这项权限 / this centre is not yours", code="foreign_centre")
    made = code_service.make_missing(db.session(), who, centre_id, page_now())
    flash(f"已生成 {made} 个码。", "success")
    return see_other("/reports/codes")


@reports_pages.post("/reports/codes/<uuid:post_id>/renew")
@access(*_MAKERS)
def renew_code(post_id: uuid.UUID) -> Response:
    reason = one_line(request.form.get("reason", ""), 200)
    if not reason:
        raise Invalid("请写明换码的原因 / say why")
    code_service.renew(db.session(), current_principal(), post_id, reason=reason, now=page_now())
    flash("已换码，请重新打印；旧码不再有效。", "success")
    return see_other("/reports/codes")
