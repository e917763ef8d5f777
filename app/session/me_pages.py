"""A person's own page: password, authenticator, sessions, tokens for programs."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal, own_session, sign_in_limits
from app.http.pages import page_now, see_other
from app.http.problems import Problem
from app.http.transaction import answer_is_secret, open_write, read_apart, write_apart
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from app.kernel.ids import parse_id
from app.people import (
    ROLE_WORDS,
    By,
    begin_enrolment,
    code_keys,
    confirm_enrolment,
    end_session,
    get_user,
    make_token,
    note,
    own_things,
    prove,
    renew_recovery_codes,
    revoke_token,
    set_password,
    take_try,
    waiting_secret,
    was_right,
)
from app.runtime import runtime
from app.session.step_pages import enrolment

me_pages = Blueprint("me", __name__)
_DAYS = (7, 30, 90, 366)


@me_pages.get("/me")
@access(*SIGNED_IN)
def me_page() -> str:
    who = current_principal()
    user_id = parse_id(who.user)
    if user_id is None:
        return render_template("session/me_token.html")
    limits, now = sign_in_limits(), page_now()
    return render_template(
        "session/me.html",
        own=own_things(db.session(), user_id, limits, now),
        this_session=_this_session(),
        roles=[(role, ROLE_WORDS[role]) for role in sorted(who.roles)],
        needs_factor=not who.roles.isdisjoint(limits.factor_roles),
        days=[d for d in _DAYS if dt.timedelta(days=d) <= limits.longest_token],
        min_chars=limits.min_password_chars,
        section="me",
    )


@me_pages.post("/me/password")
@access(*SIGNED_IN, late_transaction=True)
def password_form() -> Response:
    """Who knew the old one is out: all other sessions end."""
    user_id, session_id = _proved()
    session, now = open_write(), page_now()
    new = request.form.get("password", "")
    if new != request.form.get("again", ""):
        return _back("两次输入的密码不一样。", "bad")
    try:
        set_password(session, get_user(session, user_id), new, sign_in_limits(), must_change=False, now=now)
    except Invalid as exc:
        return _back(exc.detail, "bad")
    ended = end_session(session, user_id, now, but=session_id)
    note(session, "password", user_id, _by(user_id))
    return _back(f"密码已修改，其他 {ended} 处登录已退出。" if ended else "密码已修改。")


@me_pages.post("/me/factor/begin")
@access(*SIGNED_IN, late_transaction=True)
def begin_factor_form() -> Response:
    user_id, _ = _proved()
    begin_enrolment(open_write(), runtime().keys, user_id, sign_in_limits(), page_now())
    return see_other("/me/factor")


@me_pages.get("/me/factor")
@access(*SIGNED_IN)
def factor_page() -> str | Response:
    return _factor_page(uuid.UUID(str(own_session().user_id)))


@me_pages.post("/me/factor")
@access(*SIGNED_IN)
def factor_form() -> str | tuple[str, int]:
    found = own_session()
    assert found.user_id is not None
    session = db.session()
    try:
        codes = confirm_enrolment(
            session, runtime().keys, found.user_id, request.form.get("code", ""), sign_in_limits(), page_now()
        )
    except Invalid as exc:
        page = _factor_page(found.user_id, exc.detail)
        return (page, 422) if isinstance(page, str) else ("", 422)
    note(session, "factor", found.user_id, _by(found.user_id))
    answer_is_secret()
    return render_template("session/codes.html", codes=codes, onward="/me")


@me_pages.post("/me/codes")
@access(*SIGNED_IN, late_transaction=True)
def codes_form() -> str:
    user_id, _ = _proved()
    session = open_write()
    codes = renew_recovery_codes(session, user_id, sign_in_limits(), page_now())
    note(session, "recovery_codes", user_id, _by(user_id))
    answer_is_secret()
    return render_template("session/codes.html", codes=codes, onward="/me")


@me_pages.post("/me/sessions/<uuid:session_id>/end")
@access(*SIGNED_IN)
def end_session_form(session_id: uuid.UUID) -> Response:
    found = own_session()
    assert found.user_id is not None
    ended = end_session(db.session(), found.user_id, page_now(), only=session_id)
    if ended:
        note(db.session(), "end_session", found.user_id, _by(found.user_id))
    return _back("已退出。" if ended else "那一处已经退出了。")


@me_pages.post("/me/sessions/end-others")
@access(*SIGNED_IN)
def end_others_form() -> Response:
    found = own_session()
    assert found.user_id is not None
    ended = end_session(db.session(), found.user_id, page_now(), but=found.session_id)
    note(db.session(), "end_sessions", found.user_id, _by(found.user_id), count=ended)
    return _back(f"其他 {ended} 处登录已退出。")


@me_pages.post("/me/tokens")
@access(*SIGNED_IN, late_transaction=True)
def token_form() -> str | Response:
    """Of his own roles only, and for no longer than policy allows; shown once."""
    user_id, _ = _proved()
    who, form, now = current_principal(), request.form, page_now()
    days = form.get("days", 30, type=int)
    longest = sign_in_limits().longest_token
    roles = set(form.getlist("roles")) & who.roles
    until = now + min(dt.timedelta(days=max(0, min(days, 3660))), longest)
    session = open_write()
    try:
        row, token = make_token(
            session, user_id, name=form.get("name", ""), roles=roles, read_only=form.get("scope") != "write",
            expires_at=until, now=now,
        )  # fmt: skip
    except Invalid as exc:
        return _back(exc.detail, "bad")
    note(session, "token", user_id, _by(user_id), token=str(row.id), roles=sorted(roles))
    answer_is_secret()
    return render_template("session/token.html", token=token, row=row)


@me_pages.post("/me/tokens/<uuid:token_id>/revoke")
@access(*SIGNED_IN)
def revoke_form(token_id: uuid.UUID) -> Response:
    found = own_session()
    assert found.user_id is not None
    revoke_token(db.session(), found.user_id, token_id, page_now())
    note(db.session(), "revoke_token", found.user_id, _by(found.user_id), token=str(token_id))
    return _back("令牌已停用。")


def _factor_page(user_id: uuid.UUID, problem: str = "") -> str | Response:
    session = db.session()
    secret = waiting_secret(session, runtime().keys, user_id, sign_in_limits(), page_now())
    if secret is None:
        return see_other("/me")
    return render_template(
        "session/factor.html",
        problem=problem,
        target="/me",
        **enrolment(secret, get_user(session, user_id).login),
    )


def _proved() -> tuple[uuid.UUID, uuid.UUID]:
    """The user and session of this request, once the form's `present` was his password.

    Raise `Forbidden` for a wrong one, 429 after too many: a session that was left open is no way to guess it.
    """
    found, limits, now = own_session(), sign_in_limits(), page_now()
    assert found.user_id is not None
    keys = code_keys(f"prove:{found.user_id}")
    with write_apart() as writer:
        wait = take_try(writer, keys, limits, now)
    if wait > dt.timedelta(0):
        raise Problem(429, "too_often", "试得太多了，请过一会儿再试 / too many tries: wait a while")
    with read_apart() as reader:
        prove(reader, found.user_id, request.form.get("present", ""))
    with write_apart() as writer:
        was_right(writer, keys)
    return found.user_id, found.session_id


def _this_session() -> uuid.UUID | None:
    try:
        return own_session().session_id
    except Forbidden:
        return None


def _by(user_id: uuid.UUID) -> By:
    return By(str(user_id), page_now(), request.remote_addr or "")


def _back(message: str, kind: str = "success") -> Response:
    flash(message, kind)
    return see_other("/me")
