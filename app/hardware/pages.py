"""Damage and loss for the desk: the list, a report, one case with all its acts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.hardware import differing, disposing, forms, reporting, store, views
from app.hardware.answering import answers_at
from app.hardware.api import tools
from app.hardware.case_pages import case_page, refused
from app.hardware.exporting import workbook
from app.hardware.lives import service_life
from app.hardware.states import Case
from app.hardware.tools import DECIDERS, KINDS, MAX_PHOTOS, REPORTERS, VIEWERS, case_path
from app.hardware.words import FOR_PAGES
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now, see_other
from app.http.transaction import open_write
from app.http.uploads import photos_of, send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line, wrong
from app.people import names_of
from app.registry import Handset, find_handset, live_centres

hardware_pages = Blueprint("hardware_pages", __name__)
_TAGS = 2000
_EXPORTED = 200
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_RUNNING = "running"
"""A filter: every state that is not over."""


@hardware_pages.get("/hardware")
@access(*VIEWERS)
def cases() -> str:
    session, who, args = db.session(), current_principal(), request.args
    page = views.case_page(
        session, who, sort=args.get("sort", ""), cursor=args.get("cursor") or None, **_filters(args)
    )
    return render_template(
        "hardware/list.html", lines=views.lines(session, page.items), next_cursor=page.next_cursor,
        counts=store.counts(session, who), centres=live_centres(session, who), sort=args.get("sort", "-created"),
        may_report=who.has_any(*REPORTERS), filtered=any(args.get(n) for n in ("q", "state", "kind", "centre")),
        **FOR_PAGES,
    )  # fmt: skip


def _filters(args: Mapping[str, str]) -> dict[str, Any]:
    state, kind = args.get("state", ""), args.get("kind", "")
    known = [state] if state in set(Case) else []
    return {
        "wanted": [str(s) for s in FOR_PAGES["open_cases"]] if state == _RUNNING else known,
        "kind": kind if kind in KINDS else None,
        "centre_id": parse_id(args.get("centre", "")),
        "words": one_line(args.get("q", ""), 100),
    }


@hardware_pages.get("/hardware/cases.xlsx")
@access(*VIEWERS)
def export() -> Response:
    """The list as filtered, all pages of it."""
    session, who, args = db.session(), current_principal(), request.args
    found, cursor = [], None
    while True:
        page = views.case_page(
            session, who, sort=args.get("sort", ""), cursor=cursor, limit=_EXPORTED, **_filters(args)
        )
        found += views.lines(session, page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    note_reading("hardware", filters=args, count=len(found), action="hardware.exported")
    answer = Response(workbook(found), content_type=_XLSX)
    answer.headers["Content-Disposition"] = "attachment; filename=hardware-cases.xlsx"
    return answer


@hardware_pages.get("/hardware/new")
@access(*REPORTERS)
def new_case() -> str:
    return _form(request.args)


@hardware_pages.post("/hardware/new")
@access(*REPORTERS, late_transaction=True)
def report() -> Response:
    try:
        photos = photos_of(request.files.getlist("photos"), MAX_PHOTOS)
        session, who = open_write(), current_principal()
        given = forms.report(request.form, _phone(), tuple(p.data for p in photos))
        case = reporting.report(session, who, tools(), given, page_now())
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, _form(request.form, exc))
    flash("已登记。请相关人员陈述情况，然后作出认定。", "success")
    return see_other(case_path(case.id))


def _phone() -> uuid.UUID:
    """By id where a link brought it, else by its asset tag, as people know it."""
    named = parse_id(request.values.get("handset", ""))
    if named is not None:
        return find_handset(db.session(), current_principal(), named).id
    found = store.phone_by_tag(db.session(), current_principal(), request.values.get("phone", "").strip())
    if found is None:
        raise wrong("phone", "没有这个资产编号的手机")
    return found


def _form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    named, leg_id = parse_id(texts.get("handset", "")), parse_id(texts.get("leg", ""))
    phone = find_handset(session, who, named) if named else None
    changes = differing.liable_changes(session, who, leg_id, phone.id) if phone and leg_id else []
    labels = differing.condition_labels(session, tools().policies, phone.centre_id) if phone else {}
    return render_template(
        "hardware/new.html", texts=texts, refusal=refusal, phone=phone, leg_id=leg_id if changes else None,
        changes=[differing.plain(change, labels) for change in changes],
        reported=differing.reported(session, phone.id, changes) if phone else {}, now_local=forms.local(now),
        tags=[] if phone else store.phone_tags(session, who, _TAGS), max_photos=MAX_PHOTOS,
        answers=answers_at(session, phone.id, now) if phone and not changes else None,
        life=service_life(session, phone.id, policies=tools().policies) if phone else None, **FOR_PAGES,
    )  # fmt: skip


@hardware_pages.get("/hardware/<uuid:case_id>")
@access(*VIEWERS)
def one_case(case_id: uuid.UUID) -> str:
    return case_page(case_id)


@hardware_pages.get("/hardware/<uuid:case_id>/photos/<sha256>")
@access(*SIGNED_IN)
def photo(case_id: uuid.UUID, sha256: str) -> Response:
    if sha256 not in views.photos_of(db.session(), current_principal(), case_id):
        raise NotFound("没有这张照片 / no such photo")
    return send_picture(sha256)


@hardware_pages.get("/hardware/disposals")
@access(*VIEWERS)
def disposal_list() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", "waiting")
    page = disposing.disposals(
        session, who, state=state if state in FOR_PAGES["disposal_words"] else None,
        centre_id=parse_id(args.get("centre", "")), words=one_line(args.get("q", ""), 100), cursor=args.get("cursor"),
    )  # fmt: skip
    phones = store.rows_of(session, Handset, [row.handset_id for row in page.items])
    return render_template(
        "hardware/disposals.html", rows=page.items, phones=phones, next_cursor=page.next_cursor, state=state,
        names=names_of(session, {row.ordered_by for row in page.items}), centres=live_centres(session, who),
        may_cancel=who.has_any(*DECIDERS), **FOR_PAGES,
    )  # fmt: skip


@hardware_pages.post("/hardware/disposals/<uuid:disposal_id>/cancel")
@access(*DECIDERS)
def cancel(disposal_id: uuid.UUID) -> Response:
    session = db.session()
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with session.begin_nested():
            disposing.cancel_disposal(
                session,
                current_principal(),
                disposal_id,
                reason=request.form.get("reason", ""),
                now=page_now(),
            )
    except DomainError as exc:
        flash(exc.detail, "error")
        return see_other("/hardware/disposals")
    flash("已取消，这台手机不再待销毁。", "success")
    return see_other("/hardware/disposals")
