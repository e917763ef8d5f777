"""The board of verdicts, by phone and by finding, and one phone's findings with what to do about them."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, render_template, request

from app.compliance import exemption_store
from app.compliance.board_rules import EXEMPT, SEVERITIES, STATUSES, Wanted
from app.compliance.board_service import board, export_lines, finding_board
from app.compliance.exporting import workbook
from app.compliance.finding_words import FOR_PAGES, TITLES
from app.compliance.phone_service import phone_page
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.labels import labels_among, labels_for
from app.registry import live_centres
from app.runtime import runtime

compliance_pages = Blueprint("compliance_pages", __name__)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAX_SUBJECT = 600


@compliance_pages.get("/compliance")
@access(*STAFF)
def compliance() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    here, wanted = runtime(), _wanted()
    centres = live_centres(session, who)
    shared = {
        "wanted": wanted,
        "centres": centres,
        "labels": labels_among(session, here.policies, [centre for centre, _ in centres]),
        "asked": exemption_store.waiting(session, who),
        "narrowed": any(request.args.get(n) for n in ("q", "status", "severity", "code", "centre")),
        **FOR_PAGES,
    }
    if request.args.get("by") == "finding":
        found = finding_board(session, who, wanted, here.policies, now)
        return render_template("compliance/findings.html", board=found, **shared)
    return render_template(
        "compliance/board.html", board=board(session, who, wanted, here.policies, now), **shared
    )


def _wanted() -> Wanted:
    """What the address asks for; what makes no sense there is as if it were not there."""
    args = request.args
    code = args.get("code") if args.get("code") in TITLES else None
    return Wanted(
        text=one_line(args.get("q", ""), 100),
        centre_id=parse_id(args.get("centre", "")),
        status=args.get("status") if args.get("status") in (*STATUSES, EXEMPT) else None,
        severity=args.get("severity") if args.get("severity") in SEVERITIES else None,
        code=code,
        subject=one_line(args["subject"], _MAX_SUBJECT) if code and "subject" in args else None,
        sort=args.get("sort", "worst"),
        page=args.get("page", 1, type=int),
    )


@compliance_pages.get("/compliance/findings.xlsx")
@access(*STAFF)
def export() -> Response:
    """The phones as filtered, all of them, with a row for each of their findings."""
    session, who, now = db.session(), current_principal(), page_now()
    policies = runtime().policies
    lines = list(export_lines(session, who, _wanted(), policies, now))
    labels = labels_among(session, policies, {line.centre_id for line, _ in lines})
    note_reading("compliance", filters=request.args, count=len(lines), action="list.exported")
    answer = Response(workbook(lines, labels), content_type=_XLSX)
    answer.headers["Content-Disposition"] = "attachment; filename=compliance.xlsx"
    return answer


@compliance_pages.get("/compliance/phones/<uuid:handset_id>")
@access(*STAFF)
def phone(handset_id: uuid.UUID) -> str:
    session, who, here = db.session(), current_principal(), runtime()
    page = phone_page(
        session, who, handset_id, policies=here.policies, cursor=request.args.get("cursor"), now=page_now()
    )
    return render_template(
        "compliance/phone.html",
        page=page,
        labels=labels_for(session, here.policies, page.phone.centre_id),
        **FOR_PAGES,
    )
