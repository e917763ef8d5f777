"""Exemptions from findings: the list, asking for one, one with what may be done about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.compliance import exemption_listing as listing
from app.compliance import exemption_service as service
from app.compliance.exemption_rules import EXEMPTABLE, PHONE_ONLY, end_of, latest_day
from app.compliance.exemption_states import WORDS, State
from app.compliance.exporting import exemptions_book
from app.compliance.finding_words import FOR_PAGES, TITLES
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import SHANGHAI, local_path, page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.paging import MAX_LIMIT
from app.kernel.texts import one_line, wrong
from app.labels import labels_among
from app.registry import find_handset, live_centres
from app.runtime import runtime

exemption_pages = Blueprint("exemption_pages", __name__)
_HOME = "/compliance/exemptions"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_USUAL_DAYS = 30
_FILTERS = ("q", "state", "code", "centre", "phone")
ACTS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "approve": (
        "已批准，从现在起生效；手机会马上重新判定。",
        lambda s, p, i, note, now: service.approve(s, p, i, note=note, now=now),
    ),
    "decline": ("已标为不批准。", lambda s, p, i, note, now: service.decline(s, p, i, note=note, now=now)),
    "withdraw": ("申请已撤回。", lambda s, p, i, _, now: service.withdraw(s, p, i, now=now)),
    "end": (
        "例外已结束，手机会马上重新判定。",
        lambda s, p, i, note, now: service.end(s, p, i, note=note, now=now),
    ),
}


@exemption_pages.get("/compliance/exemptions")
@access(*STAFF)
def exemptions() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    sort = args.get("sort", listing.LATEST)
    page = listing.exemptions(session, who, sort=sort, cursor=args.get("cursor"), **_filters(args))
    return render_template(
        "compliance/exemptions.html", lines=listing.lines(session, who, page.items, now),
        next_cursor=page.next_cursor, centres=live_centres(session, who), sort=sort, state_words=WORDS,
        exemptable=EXEMPTABLE, may_ask=who.has_any(*service.ASKERS), narrowed=any(args.get(n) for n in _FILTERS),
        labels=_labels(), **FOR_PAGES,
    )  # fmt: skip


def _filters(args: Mapping[str, str]) -> dict[str, Any]:
    return {
        "wanted": [args["state"]] if args.get("state") in set(State) else [],
        "centre_id": parse_id(args.get("centre", "")),
        "handset_id": parse_id(args.get("phone", "")),
        "code": args.get("code") if args.get("code") in EXEMPTABLE else None,
        "words": one_line(args.get("q", ""), 100),
    }


@exemption_pages.get("/compliance/exemptions.xlsx")
@access(*STAFF)
def export() -> Response:
    """The list as filtered, all pages of it."""
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    found, cursor = [], None
    while True:
        page = listing.exemptions(session, who, cursor=cursor, limit=MAX_LIMIT, **_filters(args))
        found += listing.lines(session, who, page.items, now)
        cursor = page.next_cursor
        if cursor is None:
            break
    note_reading("exemptions", filters=args, count=len(found), action="list.exported")
    answer = Response(exemptions_book(found, _labels()), content_type=_XLSX)
    answer.headers["Content-Disposition"] = "attachment; filename=exemptions.xlsx"
    return answer


@exemption_pages.get("/compliance/exemptions/new")
@access(*service.ASKERS)
def new_exemption() -> str:
    return _form(request.args)


@exemption_pages.post("/compliance/exemptions")
@access(*service.ASKERS)
def ask() -> Response:
    form = request.form
    try:
        asked = service.Asked(
            handset_id=parse_id(form.get("phone", "")),
            centre_id=None if form.get("phone") else parse_id(form.get("centre", "")),
            code=form.get("code", ""), subject=form.get("subject", ""), reason=form.get("reason", ""),
            valid_to=end_of(_day(form, "last")),
        )  # fmt: skip
        row = service.ask(
            db.session(), current_principal(), asked, policies=runtime().policies, now=page_now()
        )
    except DomainError as exc:
        db.session().rollback()
        return _refused(exc, _form(form, exc))
    flash("已申请，等待另一人批准；批准以前照常判定。", "success")
    return see_other(f"{_HOME}/{row.id}")


def _day(form: Mapping[str, str], name: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(form.get(name, ""))
        if not 2000 <= day.year <= 2100:
            raise ValueError
    except ValueError:
        raise wrong(name, "请填写日期") from None
    return day


def _form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    """For one phone where `phone` names it, else for a centre of the caller's."""
    session, who, now = db.session(), current_principal(), page_now()
    handset_id = parse_id(texts.get("phone", ""))
    phone = find_handset(session, who, handset_id) if handset_id is not None else None
    centres = [(i, name) for i, name in live_centres(session, who) if who.may(i, *service.ASKERS)]
    centre_id = (
        phone.centre_id
        if phone
        else parse_id(texts.get("centre", "")) or (centres[0][0] if centres else None)
    )
    policies = runtime().policies
    longest = service.max_days(session, policies, centre_id) if centre_id else 0
    codes = sorted(EXEMPTABLE if phone else EXEMPTABLE - PHONE_ONLY, key=lambda code: TITLES[code])
    return render_template(
        "compliance/ask.html", texts=texts, refusal=refusal, phone=phone, centres=centres, codes=codes,
    longest=longest, last=latest_day(now, min(longest, _USUAL_DAYS)), until=latest_day(now, longest),
        today=now.astimezone(SHANGHAI).date(), labels=_labels(), **FOR_PAGES,
    )  # fmt: skip


@exemption_pages.get("/compliance/exemptions/<uuid:exemption_id>")
@access(*STAFF)
def exemption(exemption_id: uuid.UUID) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    row = listing.one(session, who, exemption_id)
    (line,) = listing.lines(session, who, [row], now)
    return render_template("compliance/exemption.html", line=line, row=row, labels=_labels(), **FOR_PAGES)


@exemption_pages.post("/compliance/exemptions/<uuid:exemption_id>/<any(approve, decline, withdraw, end):act>")
@access(*service.ASKERS)
def act_on_exemption(exemption_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it."""
    done, perform = ACTS[act]
    session = db.session()
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with session.begin_nested():
            perform(session, current_principal(), exemption_id, request.form.get("note", ""), page_now())
    except DomainError as exc:
        flash(exc.detail, "error")
    else:
        flash(done, "success")
    back = local_path(request.form.get("back"))
    return see_other(back if back != "/" else f"{_HOME}/{exemption_id}")


def _labels() -> Mapping[str, str]:
    session = db.session()
    centres = [centre for centre, _ in live_centres(session, current_principal())]
    return labels_among(session, runtime().policies, centres)


def _refused(error: DomainError, page: str) -> Response:
    """The form again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")
