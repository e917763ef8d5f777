"""Signing in with the access token, and out again.

A wrong token costs the same time as the right one and gets 401. There is no lock-out: the token has 256 random bits (a
chosen one at least 32 characters), so guessing is hopeless, and a lock would let any stranger keep the holder out.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, render_template, request, url_for

from app.http.access import PUBLIC, SIGNED_IN, access
from app.http.identity import TOKEN_PRINCIPAL, current_principal, sign_in, sign_out
from app.http.pages import local_path, page_now, see_other
from app.http.transaction import open_write
from app.kernel.errors import Unauthenticated
from app.runtime import runtime
from app.session import service

log = structlog.get_logger(__name__)
session_pages = Blueprint("session", __name__)


@session_pages.get("/enter")
@access(PUBLIC)
def enter() -> str:
    return _form(request.args.get("next"))


@session_pages.post("/session")
@access(PUBLIC, late_transaction=True)
def begin() -> Response | tuple[str, int]:
    """The token comes in the body, never in the address; the write lock is taken only for the right one."""
    target = request.form.get("next")
    try:
        sign_in(request.form.get("token", "").strip(), runtime().access_token)
    except Unauthenticated:
        log.warning("sign_in_denied", ip=request.remote_addr)
        return _form(target, denied=True), 401
    session = open_write()
    service.note_begin(session, TOKEN_PRINCIPAL, ip=request.remote_addr or "", now=page_now())
    return see_other(local_path(target))


@session_pages.post("/session/end")
@access(*SIGNED_IN, late_transaction=True)
def end() -> Response:
    """The cookie goes first: a form that was sent before is answered by `open_write`, and must sign out too."""
    who = current_principal()
    sign_out()
    service.note_end(open_write(), who, ip=request.remote_addr or "", now=page_now())
    return see_other(url_for("session.enter"))


def _form(target: str | None, *, denied: bool = False) -> str:
    return render_template("session/enter.html", target=local_path(target), denied=denied)
