"""A butler changed the lock of his phone: he files it himself, and may check that what is filed is right (R07)."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.escrow import filing, own, views
from app.escrow.entry import blind_check, telling_of_damage
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import open_write, read_apart
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.runtime import runtime

own_lock_pages = Blueprint("own_lock_pages", __name__)


@own_lock_pages.get("/my/lock")
@access(*SIGNED_IN)
def mine() -> str:
    return _page()


@own_lock_pages.post("/my/lock/<uuid:handset_id>/file")
@access(*SIGNED_IN, late_transaction=True)
def file_own(handset_id: uuid.UUID) -> Response:
    here, who, form = runtime(), current_principal(), request.form
    text = form.get("text", "")
    try:
        if text != form.get("again", ""):
            raise Invalid("两次输入的密码不一样")
        session = open_write()
        own.own_secret(session, who, here.policies, handset_id, form.get("kind", ""), page_now())
        filed = filing.Filed("handset", handset_id, form.get("kind", ""), text, in_force=True)
        with telling_of_damage():
            filing.file_secret(session, who, filed, vault=here.vault, policies=here.policies, now=page_now())
    except Invalid as exc:
        db.session().rollback()
        return Response(_page(handset_id, exc), status=422, content_type="text/html; charset=utf-8")
    flash("已备案。", "success")
    return see_other("/my/lock")


@own_lock_pages.post("/my/lock/<uuid:handset_id>/check")
@access(*SIGNED_IN, late_transaction=True)
def check_own(handset_id: uuid.UUID) -> Response:
    here, who, form = runtime(), current_principal(), request.form
    with read_apart() as session:
        state = own.own_secret(session, who, here.policies, handset_id, form.get("kind", ""), page_now())
    if state.id is None:
        raise Conflict("还没有备案，没有可以核对的 / nothing is filed yet", code="nothing_in_force")
    matched = blind_check(state.id, form.get("typed", ""))
    open_write()
    flash(*(("核对一致。", "success") if matched else ("和备案的不同：请把现在用的密码重新备案。", "bad")))
    return see_other("/my/lock")


def _page(refused: uuid.UUID | None = None, refusal: Invalid | None = None) -> str:
    session, who, here = db.session(), current_principal(), runtime()
    return render_template(
        "escrow/own.html", phones=own.own_phones(session, who, here.policies, page_now()),
        status=views.status(session, here.vault), known=who.employee is not None, refused=refused, refusal=refusal,
    )  # fmt: skip
