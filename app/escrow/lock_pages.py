"""The part of a secret's page that has a gateway try the phone's lock."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template

from app.escrow import lock_views
from app.escrow.lock_orders import ask_lock_check, ask_lock_set, cancel_order
from app.escrow.rights import FILERS
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.runtime import runtime

lock_pages = Blueprint("lock_pages", __name__)


@lock_pages.get("/escrow/secrets/<uuid:secret_id>/lock")
@access(*FILERS, "auditor")
def lock_part(secret_id: uuid.UUID) -> str:
    """The part alone, for the page that has it on show."""
    found = lock_views.panel(db.session(), current_principal(), secret_id)
    if found is None:
        raise NotFound("这个密码不能在手机上核对 / no screen lock")
    return render_template("escrow/_lock.html", lock=found)


@lock_pages.post("/escrow/secrets/<uuid:secret_id>/lock-check")
@access(*FILERS)
def ask_check(secret_id: uuid.UUID) -> Response:
    who, vault = current_principal(), runtime().vault
    ask_lock_check(db.session(), who, secret_id, vault=vault, now=page_now())
    flash("已交给网关：连上这部手机后只试一次，结果显示在下面。", "success")
    return see_other(f"/escrow/secrets/{secret_id}")


@lock_pages.post("/escrow/secrets/<uuid:secret_id>/lock-set")
@access(*FILERS)
def ask_set(secret_id: uuid.UUID) -> Response:
    who, vault = current_principal(), runtime().vault
    ask_lock_set(db.session(), who, secret_id, vault=vault, now=page_now())
    flash("已交给网关：改好并核对一次后，新密码自动生效；在此之前旧密码照常使用。", "success")
    return see_other(f"/escrow/secrets/{secret_id}")


@lock_pages.post("/escrow/lock-orders/<uuid:order_id>/cancel")
@access(*FILERS)
def cancel(order_id: uuid.UUID) -> Response:
    order = cancel_order(db.session(), current_principal(), order_id, now=page_now())
    flash("已取消，手机没有被动过。", "success")
    return see_other(f"/escrow/secrets/{order.secret_id}")
