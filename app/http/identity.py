"""Who calls: a person's token or the installation's own as bearer, or a session cookie.

The cookie holds a random secret only; what it stands for is in the database, so that a session ends when it is ended.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass

from flask import g, request, session
from sqlalchemy.exc import OperationalError

from app.http.access import HALF, Access
from app.http.transaction import read_apart, write_apart
from app.kernel.actors import TOKEN_USER
from app.kernel.errors import Forbidden, Unauthenticated
from app.kernel.tenancy import Principal
from app.people import (
    Limits,
    SignedIn,
    Stage,
    caller_of_token,
    find_session,
    limits_of,
    touch_session,
    touch_token,
)
from app.runtime import runtime

_SECRET = "s"  # noqa: S105 - the name of the cookie's member
_TOUCH_PATIENCE_MS = 100
_TOUCH_EVERY = dt.timedelta(minutes=5)
TOKEN_PRINCIPAL = Principal(user=TOKEN_USER, roles=frozenset({"admin"}), centres=None)


@dataclass(frozen=True)
class Caller:
    """`session` is of a cookie, which browsers attach by themselves; it may be one that is not yet let in.

    `read_only`: a token that may change nothing.
    """

    principal: Principal | None
    session: SignedIn | None = None
    read_only: bool = False


def sign_in_limits() -> Limits:
    return limits_of(runtime().policies.latest("sign_in").body)


def is_access_token(token: str) -> bool:
    return hmac.compare_digest(token.encode(errors="replace"), runtime().access_token.encode())


def access_token_digest() -> str:
    """What a session keeps of the access token by which it began: with a new token it ends."""
    return hashlib.sha256(b"butler-session\0" + runtime().access_token.encode()).hexdigest()


def set_cookie(secret: str) -> None:
    session.clear()
    session[_SECRET] = secret
    session.permanent = True


def sign_out() -> None:
    session.clear()


def identify() -> Caller:
    """The caller. Raise `Unauthenticated` for a bearer token that is none, or no longer."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token:
        return _bearer(token.strip())
    secret = session.get(_SECRET)
    if not isinstance(secret, str):
        return Caller(None)
    now = runtime().clock.now()
    with read_apart() as reader:
        found = find_session(reader, secret, sign_in_limits(), now)
    if found is None:
        return Caller(None)
    if found.user_id is None:
        known = hmac.compare_digest(found.token_digest or "", access_token_digest())
        return Caller(TOKEN_PRINCIPAL, found) if known else Caller(None)
    # A page that refreshes itself is nobody at work: renewed by it, a forgotten screen would stay signed in.
    if found.seen_at <= now - _TOUCH_EVERY and "HX-Request" not in request.headers:
        _touch_session(found, now)
    return Caller(found.principal, found)


def _bearer(token: str) -> Caller:
    if is_access_token(token):
        return Caller(TOKEN_PRINCIPAL)
    now = runtime().clock.now()
    with read_apart() as reader:
        found = caller_of_token(reader, token, now)
    if found is None:
        raise Unauthenticated("访问令牌不正确或已失效 / the access token is not right", code="bad_token")
    if found.used_at is None or found.used_at <= now - _TOUCH_EVERY:
        # A busy database is no reason to refuse a right token, nor to keep its page waiting.
        with contextlib.suppress(OperationalError), write_apart(patience_ms=_TOUCH_PATIENCE_MS) as writer:
            touch_token(writer, found.token_id, now, now - _TOUCH_EVERY)
    return Caller(found.principal, read_only=found.read_only)


def _touch_session(found: SignedIn, now: dt.datetime) -> None:
    # A busy database is no reason to sign anybody out, nor to keep his page waiting.
    with contextlib.suppress(OperationalError), write_apart(patience_ms=_TOUCH_PATIENCE_MS) as writer:
        touch_session(writer, found.session_id, now)


def authorise(declared: Access, principal: Principal | None) -> None:
    if declared.kind == HALF:
        half_session()
        return
    if declared.kind != "roles":
        return
    if principal is None:
        raise Unauthenticated("请先登录 / sign in first")
    if not may(declared, principal):
        raise Forbidden("您的角色无权执行此操作 / your role may not do this")


def may(declared: Access, principal: Principal) -> bool:
    return declared.kind != "roles" or principal.has_any(*declared.roles)


def current_principal() -> Principal:
    """The caller of this request; only for routes that require one."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        raise Unauthenticated("请先登录 / sign in first")
    return principal


def half_session() -> SignedIn:
    """The session of somebody whose password was right and who is not yet let in; only for routes declared HALF."""
    found: SignedIn | None = g.get("cookie_session")
    if found is None or found.user_id is None or found.stage is Stage.OPEN:
        raise Unauthenticated("请先登录 / sign in first")
    return found


def own_session() -> SignedIn:
    """The cookie's session of a person: what changes how he proves himself is done by himself, never by a token."""
    found: SignedIn | None = g.get("cookie_session")
    if found is None or found.user_id is None or found.principal is None:
        raise Forbidden(
            "这里只能由本人用密码登录后操作 / only for who signed in with a password", code="person_needed"
        )
    return found
