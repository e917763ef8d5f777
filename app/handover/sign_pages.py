"""Put a leg's text up for signing, sign it, decline it, correct it. Who signs proves himself in the same moment."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, request

from app.handover import correcting, signing, store
from app.handover.completing import AtHand
from app.handover.leg_pages import review_page, sign_page
from app.handover.leg_views import leg_path
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other, zh
from app.http.proving import signer_of_form
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import DomainError, Forbidden, NotFound
from app.papers import read_ink
from app.runtime import runtime

sign_pages = Blueprint("handover_sign_pages", __name__)
_DESK = store.DESK
_SIDES = (*_DESK, "butler")


@sign_pages.post("/handovers/legs/<uuid:leg_id>/freeze")
@access(*_DESK)
def freeze(leg_id: uuid.UUID) -> Response | str:
    def act() -> str:
        signing.freeze(db.session(), current_principal(), leg_id, policies=runtime().policies, now=page_now())
        return "已定稿，请双方签字。"

    path = f"/handovers/legs/{leg_id}"
    return _do(act, f"{path}/sign", lambda exc: review_page(leg_id, exc))


@sign_pages.post("/handovers/legs/<uuid:leg_id>/unfreeze")
@access(*_DESK)
def unfreeze(leg_id: uuid.UUID) -> Response | str:
    def act() -> str:
        reason = request.form.get("reason", "")
        signing.unfreeze(db.session(), current_principal(), leg_id, reason=reason, now=page_now())
        return "已退回清点，改好以后重新定稿、重新签字。"

    return _do(act, f"/handovers/legs/{leg_id}/items", lambda exc: sign_page(leg_id, "", "", exc))


@sign_pages.post("/handovers/legs/<uuid:leg_id>/decline")
@access(*_SIDES)
def decline(leg_id: uuid.UUID) -> Response | str:
    form = request.form

    def act() -> str:
        signing.decline(
            db.session(), current_principal(), leg_id, form.get("side", ""), words=form.get("words", ""),
            now=page_now(),
        )  # fmt: skip
        return "已记下不签的理由，单子退回清点。"

    return _do(act, f"/handovers/legs/{leg_id}/counts", lambda exc: sign_page(leg_id, "", "", exc))


@sign_pages.post("/handovers/legs/<uuid:leg_id>/sign")
@access(*_SIDES, late_transaction=True)
def sign(leg_id: uuid.UUID) -> Response | str:
    """Password and drawing are looked at before the write begins; only then is it seen whether the text still is the
    one that he read.
    """
    form, who, here, now = request.form, current_principal(), runtime(), page_now()
    side, how = form.get("side", ""), form.get("how", "")
    try:
        ink = read_ink(form.get("ink", ""))
        signer = signer_of_form(form)
        session = open_write()
        values: dict[str, Any] = {
            "signer": signer, "ink": ink.png, "digest_seen": form.get("digest", ""), "now": now,
            "at_hand": AtHand(here.policies, here.keys, here.blobs),
        }  # fmt: skip
        if how.startswith("witness"):
            reason = form.get("instead_reason", "")
            leg = signing.sign_instead(session, who, leg_id, side, reason=reason, **values)
        else:
            leg = signing.sign(session, who, leg_id, side, **values)
    except DomainError as exc:
        if isinstance(exc, NotFound):
            raise
        db.session().rollback()
        return sign_page(leg_id, side, how, exc, form)
    done = leg.completed_at is not None
    flash("双方已签字，交接完成。" if done else "已签字，等另一方。", "success")
    return see_other(f"{leg_path(leg)}/{'done' if done else 'sign'}")


@sign_pages.post("/handovers/legs/<uuid:leg_id>/correct")
@access(*_DESK)
def correct(leg_id: uuid.UUID) -> Response:
    try:
        with db.session().begin_nested():
            reason = request.form.get("reason", "")
            leg = correcting.correct(db.session(), current_principal(), leg_id, reason=reason, now=page_now())
    except DomainError as exc:
        if isinstance(exc, NotFound | Forbidden):
            raise
        flash(zh(exc.detail), "error")
        return see_other(f"/handovers/legs/{leg_id}/done")
    flash("更正单已开，照原单填好了；改正以后定稿，双方重新签字。", "success")
    return see_other(f"{leg_path(leg)}/items")


@sign_pages.post("/handovers/legs/<uuid:leg_id>/drop")
@access(*_DESK)
def drop(leg_id: uuid.UUID) -> Response | str:
    """Give up a correction that was begun for nothing."""

    def act() -> str:
        reason = request.form.get("reason", "")
        correcting.drop_correction(db.session(), current_principal(), leg_id, reason=reason, now=page_now())
        return "这份更正不再办理。"

    return _do(act, f"/handovers/legs/{leg_id}/review", lambda exc: review_page(leg_id, exc))


def _do(act: Callable[[], str], back: str, again: Callable[[DomainError], Any]) -> Response | str:
    try:
        done = act()
    except DomainError as exc:
        if isinstance(exc, NotFound | Forbidden):
            raise
        db.session().rollback()
        page: Response | str = again(exc)
        return page
    flash(done, "success")
    return see_other(back)
