"""Signing in and out: by name and password with a second step, or with the installation's access token.

A wrong access token gets 401 and no lock-out: it has 256 random bits (a chosen one at least 32 characters), so guessing
is hopeless, and a lock would let any stranger keep its holder out. Passwords can be guessed: each try is counted first.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, g, render_template, request, url_for

from app.http.access import PUBLIC, SIGNED_IN, access
from app.http.device import known_device, remember_device
from app.http.identity import (
    TOKEN_PRINCIPAL,
    access_token_digest,
    current_principal,
    is_access_token,
    set_cookie,
    sign_in_limits,
    sign_out,
)
from app.http.pages import local_path, page_now, see_other
from app.http.transaction import open_write, read_apart, write_apart
from app.people import (
    SignedIn,
    Stage,
    actor_of_login,
    begin_session,
    check_password,
    end_session,
    let_in,
    renew_hash,
    sign_in_keys,
    take_try,
    was_right,
)
from app.session import service

log = structlog.get_logger(__name__)
session_pages = Blueprint("session", __name__)
_MAX_LOGIN = 100
_WRONG = "登录名或密码不正确。"
_NOT_THE_KEY = (
    "访问令牌不正确。请从启动服务器的终端重新复制整条地址，"
    "或用 flask --app wsgi installation access-token 查看令牌。"
)


@session_pages.get("/enter")
@access(PUBLIC)
def enter() -> str | Response:
    found: SignedIn | None = g.get("cookie_session")
    target = request.args.get("next")
    if found is not None and found.stage is not Stage.OPEN:
        return next_step(found.stage, target)
    return _form(target)


@session_pages.post("/session")
@access(PUBLIC, late_transaction=True)
def begin() -> Response | tuple[str, int]:
    """Secrets come in the body, never in the address; the write lock is taken only for the right ones."""
    if "token" in request.form:
        return _by_token(request.form["token"].strip())
    login = request.form.get("login", "").strip().lower()[:_MAX_LOGIN]
    return _by_password(login, request.form.get("password", ""))


def _by_token(token: str) -> Response | tuple[str, int]:
    target = request.form.get("next")
    if not is_access_token(token):
        log.warning("sign_in_denied", ip=_ip())
        return _form(target, _NOT_THE_KEY, by_token=True), 401
    session = open_write()
    _, secret = begin_session(
        session, None, ip=_ip(), browser=_browser(), limits=sign_in_limits(), now=page_now(),
        token_digest=access_token_digest(),
    )  # fmt: skip
    set_cookie(secret)
    service.note_begin(session, TOKEN_PRINCIPAL.user, ip=_ip(), now=page_now())
    return see_other(local_path(target))


def _by_password(login: str, password: str) -> Response | tuple[str, int]:
    target, now, limits = request.form.get("next"), page_now(), sign_in_limits()
    keys = sign_in_keys(login, _ip(), known_device(login))
    with write_apart() as writer:
        wait = take_try(writer, keys, limits, now)
    if wait > dt.timedelta(0):
        log.warning("sign_in_braked", ip=_ip())
        return too_often(wait, _form(target, f"{_WRONG}试得太多了，请过一会儿再试。", login=login))
    with read_apart() as reader:
        checked = check_password(reader, login, password)
    if checked is None:
        log.warning("sign_in_denied", ip=_ip())
        # Noted for a name that nobody has as well: the time that it takes tells nobody which names there are.
        with write_apart() as writer:
            service.note_refused(writer, actor_of_login(writer, login), step="password", ip=_ip(), now=now)
        return _form(target, _WRONG, login=login), 401
    session = open_write()
    was_right(session, keys)
    if checked.old_hash:
        renew_hash(session, checked.user_id, password)
    row, secret = begin_session(
        session, checked.user_id, ip=_ip(), browser=_browser(), limits=limits, now=now
    )
    set_cookie(secret)
    stage = let_in(session, row.id, limits, now, by_factor=False)
    service.note_begin(session, str(checked.user_id), ip=_ip(), now=now)
    return next_step(stage, target, login=login)


@session_pages.post("/session/end")
@access(*SIGNED_IN, late_transaction=True)
def end() -> Response:
    """The session goes first: a form that was sent before is answered by `open_write`, and must sign out too."""
    who, now = current_principal(), page_now()
    found: SignedIn | None = g.get("cookie_session")
    if found is not None:
        with write_apart() as writer:
            end_session(writer, found.user_id, now, only=found.session_id)
    sign_out()
    service.note_end(open_write(), who.user, ip=_ip(), now=now)
    return see_other(url_for("session.enter"))


def next_step(stage: Stage, target: str | None, *, login: str = "") -> Response:
    """To the page that he wanted when he is let in, else to the next step; `login` is remembered by this browser."""
    wanted = local_path(target)
    if stage is not Stage.OPEN:
        return see_other("/enter/next?" + urlencode({"next": wanted}))
    answer = see_other(wanted)
    if login:
        remember_device(answer, login)
    return answer


def too_often(wait: dt.timedelta, page: str) -> Response:
    answer = Response(page, status=429)
    answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return answer


def _form(target: str | None, problem: str = "", *, login: str = "", by_token: bool = False) -> str:
    return render_template(
        "session/enter.html", target=local_path(target), problem=problem, login=login, by_token=by_token
    )


def _ip() -> str:
    return request.remote_addr or ""


def _browser() -> str:
    return request.headers.get("User-Agent", "")
