"""Inspect a phone after its wipe, and say as the second person what the inspections mean."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request

from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import open_write
from app.http.uploads import photos_of, send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, Forbidden, NotFound
from app.wipe.confirming import (
    INSPECTORS,
    PHOTO_KINDS,
    ByHand,
    confirm_failed,
    inspect_by_hand,
    read_off_imei,
    verify,
)
from app.wipe.grading_rules import GRADE_WORDS, SEEN, Grade
from app.wipe.hook import tools
from app.wipe.inspecting import ASKERS, ask_inspection
from app.wipe.inspection_views import picture_of
from app.wipe.pages import refused, wipe_page
from app.wipe.tools import VIEWERS, wipe_path

inspection_pages = Blueprint("wipe_inspection_pages", __name__)
_MAX_EACH = 2


@inspection_pages.post("/wipes/<uuid:wipe_id>/inspections/ask")
@access(*ASKERS)
def ask(wipe_id: uuid.UUID) -> Response:
    try:
        ask_inspection(db.session(), current_principal(), wipe_id, now=page_now())
    except DomainError as exc:
        return _again(wipe_id, exc, "ask")
    flash("已叫网关读取这部手机，读到以后结果会显示在这里。", "success")
    return see_other(f"{wipe_path(wipe_id)}#inspection")


@inspection_pages.post("/wipes/<uuid:wipe_id>/inspections")
@access(*INSPECTORS, late_transaction=True)
def by_hand(wipe_id: uuid.UUID) -> Response:
    try:
        photos = [
            (kind, picture.data)
            for kind in PHOTO_KINDS
            for picture in photos_of(request.files.getlist(f"photo_{kind}"), _MAX_EACH)
        ]
        form = request.form
        given = ByHand(
            {key: form.get(f"seen_{key}", "") for key in SEEN},
            form.get("typed_imei", ""),
            photos,
            form.get("words", ""),
        )
        session = open_write()
        row = inspect_by_hand(session, current_principal(), wipe_id, given, tools=tools(), now=page_now())
    except DomainError as exc:
        return _again(wipe_id, exc, "inspect")
    flash(f"检查已记下。现在的结论：{GRADE_WORDS[Grade(row.grade)] if row.grade else '没有'}。", "success")
    return see_other(f"{wipe_path(wipe_id)}#inspection")


@inspection_pages.post("/wipes/<uuid:wipe_id>/inspections/imei")
@access(*INSPECTORS)
def imei(wipe_id: uuid.UUID) -> Response:
    who, typed = current_principal(), request.form.get("typed_imei", "")
    try:
        row = read_off_imei(db.session(), who, wipe_id, typed, tools=tools(), now=page_now())
    except DomainError as exc:
        return _again(wipe_id, exc, "imei")
    flash(f"IMEI 已记下。现在的结论：{GRADE_WORDS[Grade(row.grade)] if row.grade else '没有'}。", "success")
    return see_other(f"{wipe_path(wipe_id)}#inspection")


@inspection_pages.post("/wipes/<uuid:wipe_id>/inspections/<any(verify, fail):act>")
@access(*INSPECTORS)
def confirm(wipe_id: uuid.UUID, act: str) -> Response:
    form, session, who, now = request.form, db.session(), current_principal(), page_now()
    words = form.get("words", "")
    try:
        if act == "verify":
            verify(
                session, who, wipe_id, grade_seen=form.get("grade", ""), words=words, tools=tools(), now=now
            )
            flash("已确认清除。下一步：执行人和检查人签字，出具证明。", "success")
            return see_other(f"{wipe_path(wipe_id)}/certificate")
        confirm_failed(session, who, wipe_id, words=words, tools=tools(), now=now)
    except DomainError as exc:
        return _again(wipe_id, exc, act)
    flash("已记为没有清除。", "success")
    return see_other(wipe_path(wipe_id))


@inspection_pages.get("/wipes/<uuid:wipe_id>/pictures/<sha256>")
@access(*VIEWERS)
def picture(wipe_id: uuid.UUID, sha256: str) -> Response:
    """A photo of an inspection or a drawn signature of this wipe."""
    return send_picture(picture_of(db.session(), current_principal(), wipe_id, sha256))


def _again(wipe_id: uuid.UUID, exc: DomainError, act: str) -> Response:
    if isinstance(exc, NotFound | Forbidden):
        raise exc
    db.session().rollback()
    return refused(exc, wipe_page(wipe_id, exc, act))
