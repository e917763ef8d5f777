"""Rounds at the desk and on the lead's phone: the list, one round, one post after the other, the signed end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, render_template, request

from app.credchecks import acts, closing, exporting, listing, opening, views
from app.credchecks.rules import month_of
from app.credchecks.states import Round
from app.credchecks.tools import CHECKERS, SUBJECT, VIEWERS, Tools
from app.credchecks.words import FOR_PAGES
from app.escrow import blind_check
from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now, see_other
from app.http.problems import STATUS, Problem
from app.http.proving import signer_of_form
from app.http.transaction import open_write
from app.http.uploads import photos_of, send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid, NotFound, Unavailable
from app.kernel.ids import parse_id
from app.papers import digest, read_ink, to_plain
from app.policy import effective
from app.registry import live_centres
from app.runtime import runtime

rounds_pages = Blueprint("rounds_pages", __name__)
_JPEG = "image/jpeg"


def _tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.vault, here.keys)


def _given() -> dict[str, Any]:
    return {"tools": _tools(), "now": page_now()}


@rounds_pages.get("/rounds")
@access(*VIEWERS)
def rounds() -> str:
    session, who, args, now = db.session(), current_principal(), request.args, page_now()
    state, month = args.get("state", Round.OPEN), listing.month_of_query(args.get("month", ""))
    centres = live_centres(session, who)
    page = views.round_lines(
        session, who, state=state if state in FOR_PAGES["round_words"] else None, month=month,
        centre_id=parse_id(args.get("centre", "")), sort=args.get("sort", ""), cursor=args.get("cursor"), now=now,
    )  # fmt: skip
    have = listing.centres_with(session, month_of(now))
    return render_template(
        "credchecks/list.html", **FOR_PAGES, lines=page.items, next_cursor=page.next_cursor, state=state, month=month,
        centres=centres, sort=args.get("sort", ""), this_month=month_of(now),
        openable=[(id_, name) for id_, name in centres if id_ not in have and who.may(id_, *CHECKERS)],
        open_cases=listing.open_cases(session, who),
    )  # fmt: skip


@rounds_pages.post("/rounds")
@access(*CHECKERS)
def open_round() -> Response:
    centre_id = parse_id(request.form.get("centre", ""))
    if centre_id is None:
        raise Invalid("请选择服务中心 / choose a centre")
    row = opening.open_round(db.session(), current_principal(), centre_id=centre_id, **_given())
    flash("本月核对已开始。", "success")
    return see_other(f"/rounds/{row.id}")


@rounds_pages.get("/rounds/<uuid:round_id>")
@access(*VIEWERS)
def one_round(round_id: uuid.UUID) -> str:
    view = views.round_view(db.session(), current_principal(), round_id, page_now())
    return render_template("credchecks/round.html", **FOR_PAGES, view=view, sealed=_sealed())


@rounds_pages.get("/rounds/<uuid:round_id>/posts/<uuid:post_id>")
@access(*VIEWERS)
def one_post(round_id: uuid.UUID, post_id: uuid.UUID) -> str:
    return _post_page(round_id, post_id)


def _post_page(
    round_id: uuid.UUID, post_id: uuid.UUID, refusal: DomainError | None = None, at: str = ""
) -> str:
    line, card, lines, following = views.post_items(
        db.session(), current_principal(), round_id, post_id, policies=runtime().policies, now=page_now()
    )
    body = effective(db.session(), runtime().policies, SUBJECT, line.row.centre_id).body
    return render_template(
        "credchecks/post.html", **FOR_PAGES, line=line, card=card, lines=lines, following=following, sealed=_sealed(),
        refusal=refusal, refused_at=at, max_photos=body["max_photos"], tell_minutes=body["tell_minutes"],
    )  # fmt: skip


def _sealed() -> str:
    """Why no password can be checked now, "" when one can."""
    try:
        runtime().vault.opened()
    except Unavailable as exc:
        return exc.detail
    return ""


@rounds_pages.post("/rounds/items/<uuid:item_id>/check")
@access(*CHECKERS, late_transaction=True)
def check(item_id: uuid.UUID) -> Response:
    """Refusals are told on the post's page: whoever stands beside a butler goes on with what can be done."""
    who, session = current_principal(), db.session()
    item = listing.get_item(session, who, item_id)
    back = f"/rounds/{item.round_id}/posts/{item.post_id}#i{item_id}"
    try:
        secret_id = acts.secret_to_check(session, who, item_id, **_given())
        session.rollback()
        matched = blind_check(secret_id, request.form.get("typed", ""))
    except Unavailable as exc:
        session.rollback()
        flash(f"密码托管现在不能用，这一项保持待核对：{exc.detail}", "error")
        return see_other(back)
    except Problem as exc:
        if exc.status != 429:
            raise
        flash(exc.detail, "error")
        return see_other(back)
    acts.after_check(open_write(), who, item_id, **_given())
    flash(
        *(("一致。", "success") if matched else ("不一致：和备案的密码不同。可能输错了，可以再核对。", "bad"))
    )
    return see_other(back)


@rounds_pages.post("/rounds/items/<uuid:item_id>/attest")
@access(*CHECKERS, late_transaction=True)
def attest(item_id: uuid.UUID) -> Response:
    who, form = current_principal(), request.form
    item = listing.get_item(db.session(), who, item_id)
    round_id, post_id, centre = item.round_id, item.post_id, item.centre_id
    limit = effective(db.session(), runtime().policies, SUBJECT, centre).body["max_photos"]
    db.session().rollback()
    try:
        pictures = photos_of(request.files.getlist("photos"), limit)
        session = open_write()
        names = [runtime().blobs.put(session, picture.data, _JPEG, page_now()) for picture in pictures]
        acts.attest(
            session, who, item_id, matches=form.get("result") == "match", reason=form.get("reason", ""),
            photos=names, version=_version(), **_given(),
        )  # fmt: skip
    except Invalid as exc:
        db.session().rollback()
        return _refused(exc, _post_page(round_id, post_id, exc, str(item_id)))
    flash("已记录。", "success")
    return see_other(f"/rounds/{round_id}/posts/{post_id}#i{item_id}")


_ACTS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "unreachable": ("已记为无法核对。", acts.unreachable),
    "waive": ("已记录免核对。", acts.waive),
    "reopen": ("已改为待核对。", acts.reopen),
}


@rounds_pages.post("/rounds/items/<uuid:item_id>/<any(unreachable, waive, reopen):act>")
@access(*CHECKERS)
def enter(item_id: uuid.UUID, act: str) -> Response:
    who, session = current_principal(), db.session()
    item = listing.get_item(session, who, item_id)
    round_id, post_id = item.round_id, item.post_id
    done, perform = _ACTS[act]
    try:
        perform(session, who, item_id, reason=request.form.get("reason", ""), version=_version(), **_given())
    except Invalid as exc:
        session.rollback()
        return _refused(exc, _post_page(round_id, post_id, exc, str(item_id)))
    flash(done, "success")
    return see_other(f"/rounds/{round_id}/posts/{post_id}#i{item_id}")


@rounds_pages.post("/rounds/items/<uuid:item_id>/<any(grant, refuse):word>")
@access(*CHECKERS)
def settle_waiver(item_id: uuid.UUID, word: str) -> Response:
    item = acts.settle_waiver(
        db.session(), current_principal(), item_id, grant=word == "grant", version=_version(), **_given()
    )
    flash("已批准免核对。" if word == "grant" else "未批准，仍需核对。", "success")
    return see_other(f"/rounds/{item.round_id}/posts/{item.post_id}#i{item_id}")


@rounds_pages.get("/rounds/<uuid:round_id>/photos/<name>")
@access(*VIEWERS, "butler")
def photo(round_id: uuid.UUID, name: str) -> Response:
    if not listing.may_see_photo(db.session(), current_principal(), round_id, name):
        raise NotFound("没有这张图片 / no such picture")
    return send_picture(name)


@rounds_pages.post("/rounds/<uuid:round_id>/phones")
@access(*CHECKERS)
def ask_phones(round_id: uuid.UUID) -> Response:
    asked = acts.ask_again(db.session(), current_principal(), round_id, **_given())
    flash(f"已请网关在 {asked} 部手机上核对锁屏密码。" if asked else "没有可以由网关核对的手机。", "success")
    return see_other(f"/rounds/{round_id}")


@rounds_pages.get("/rounds/<uuid:round_id>/close")
@access(*CHECKERS)
def close_form(round_id: uuid.UUID) -> str:
    return _close_page(round_id)


def _close_page(round_id: uuid.UUID, refusal: DomainError | None = None, ink: str = "") -> str:
    row, document, left = closing.preview(db.session(), current_principal(), round_id)
    return render_template(
        "credchecks/close.html", row=row, document=to_plain(document), left=left, seen=digest(document),
        refusal=refusal, ink=ink,
    )  # fmt: skip


@rounds_pages.post("/rounds/<uuid:round_id>/close")
@access(*CHECKERS, late_transaction=True)
def close(round_id: uuid.UUID) -> Response:
    who, form = current_principal(), request.form
    try:
        ink = read_ink(form.get("ink", ""))
        signer = signer_of_form({"password": form.get("password", "")})
        closing.close(
            open_write(), who, round_id, hand=closing.Hand(signer.user, signer.name, ink), seen=form.get("seen", ""),
            blobs=runtime().blobs, **_given(),
        )  # fmt: skip
    except Invalid as exc:
        db.session().rollback()
        return _refused(exc, _close_page(round_id, exc, form.get("ink", "")))
    flash("月度核对已签名结束。", "success")
    return see_other(f"/rounds/{round_id}")


@rounds_pages.get("/rounds/<uuid:round_id>/items.xlsx")
@access(*VIEWERS)
def items_file(round_id: uuid.UUID) -> Response:
    data, name, count = exporting.export(db.session(), current_principal(), round_id)
    note_reading("round", count=count, action="round.exported", subject=f"round:{round_id}")
    answer = Response(data, content_type=exporting.XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer


def _version() -> int | None:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _refused(error: DomainError, page: str) -> Response:
    """The page again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")
