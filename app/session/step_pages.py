"""The second step of signing in: a code, a password of one's own, or setting up the authenticator app."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, render_template, request

from app.http.access import HALF, access
from app.http.identity import half_session, sign_in_limits
from app.http.pages import local_path, page_now, see_other
from app.http.transaction import open_write, write_apart
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.people import (
    By,
    Stage,
    begin_enrolment,
    check_code,
    code_keys,
    confirm_enrolment,
    end_session,
    factor_uri,
    get_user,
    let_in,
    note,
    set_password,
    take_try,
    waiting_secret,
    was_right,
)
from app.runtime import runtime
from app.session import service
from app.session.pages import next_step, too_often

step_pages = Blueprint("steps", __name__)


@step_pages.get("/enter/next")
@access(HALF)
def step_page() -> str:
    return _page()


@step_pages.post("/enter/code")
@access(HALF, late_transaction=True)
def code_step() -> Response | tuple[str, int]:
    half, now, limits = half_session(), page_now(), sign_in_limits()
    keys = code_keys(str(half.user_id))
    with write_apart() as writer:
        wait = take_try(writer, keys, limits, now)
    if wait > dt.timedelta(0):
        return too_often(wait, _page("试得太多了，请过一会儿再试。"))
    assert half.user_id is not None
    session = open_write()
    if check_code(session, runtime().keys, half.user_id, request.form.get("code", ""), now) is None:
        _note_refusal(str(half.user_id), "code")
        return _page("验证码不正确，或已经用过。请等下一个验证码。"), 401
    was_right(session, keys)
    stage = let_in(session, half.session_id, limits, now, by_factor=True)
    return next_step(stage, _target(), login=get_user(session, half.user_id).login)


@step_pages.post("/enter/password")
@access(HALF)
def password_step() -> Response | tuple[str, int]:
    half, now, limits = half_session(), page_now(), sign_in_limits()
    session = db.session()
    if half.stage is not Stage.PASSWORD or half.user_id is None:
        raise Conflict("现在不需要修改密码", code="other_step")
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _page("两次输入的密码不一样。"), 422
    user = get_user(session, half.user_id)
    try:
        set_password(session, user, password, limits, must_change=False, now=now)
    except Invalid as exc:
        return _page(exc.detail), 422
    end_session(session, user.id, now, but=half.session_id)
    note(session, "password", user.id, By(str(user.id), now, request.remote_addr or ""))
    stage = let_in(session, half.session_id, limits, now, by_factor=False)
    return next_step(stage, _target(), login=user.login)


@step_pages.post("/enter/factor/begin")
@access(HALF)
def begin_step() -> Response:
    half = half_session()
    if half.stage is not Stage.ENROL or half.user_id is None:
        raise Conflict("现在不需要设置验证器", code="other_step")
    begin_enrolment(db.session(), runtime().keys, half.user_id, sign_in_limits(), page_now())
    return next_step(half.stage, _target())


@step_pages.post("/enter/factor")
@access(HALF)
def enrol_step() -> Response | tuple[str, int] | str:
    """The recovery codes are shown here and nowhere again; the link below them leads on."""
    half, now, limits = half_session(), page_now(), sign_in_limits()
    if half.stage is not Stage.ENROL or half.user_id is None:
        raise Conflict("现在不需要设置验证器", code="other_step")
    session = db.session()
    try:
        codes = confirm_enrolment(
            session, runtime().keys, half.user_id, request.form.get("code", ""), limits, now
        )
    except Invalid as exc:
        return _page(exc.detail), 422
    note(session, "factor", half.user_id, By(str(half.user_id), now, request.remote_addr or ""))
    let_in(session, half.session_id, limits, now, by_factor=True)
    return render_template("session/codes.html", codes=codes, onward=_target())


@step_pages.post("/enter/leave")
@access(HALF)
def leave_step() -> Response:
    """Another person at this browser."""
    half = half_session()
    end_session(db.session(), half.user_id, page_now(), only=half.session_id)
    return see_other("/enter")


def _note_refusal(actor: str, step: str) -> None:
    """The answer will be a refusal, which rolls its own transaction back: this one stands."""
    db.session().rollback()
    with write_apart() as writer:
        service.note_refused(writer, actor, step=step, ip=request.remote_addr or "", now=page_now())


def _page(problem: str = "") -> str:
    half = half_session()
    assert half.user_id is not None
    session = db.session()
    secret = None
    if half.stage is Stage.ENROL:
        secret = waiting_secret(session, runtime().keys, half.user_id, sign_in_limits(), page_now())
    return render_template(
        f"session/step_{half.stage}.html",
        problem=problem,
        target=_target(),
        name=half.name,
        min_chars=sign_in_limits().min_password_chars,
        **enrolment(secret, get_user(session, half.user_id).login),
    )


def enrolment(secret: str | None, login: str) -> dict[str, str | None]:
    """What the page shows of an enrolment that waits: a QR code, and the secret to be typed in groups of four."""
    if secret is None:
        return {"qr": None, "secret": None}
    import segno

    qr = segno.make(factor_uri(secret, login), error="m").svg_data_uri(scale=5, border=2)
    return {"qr": qr, "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))}


def _target() -> str:
    return local_path(request.values.get("next"))
