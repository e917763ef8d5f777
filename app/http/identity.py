"""Who calls: a person's token or the installation's own as bearer, or a session cookie."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from flask import g, request, session

from app.http.access import Access
from app.http.transaction import read_apart
from app.kernel.errors import Forbidden, Unauthenticated
from app.kernel.tenancy import Principal
from app.people import caller_of_token
from app.runtime import runtime

_SESSION_KEY = "token_sha256"
TOKEN_PRINCIPAL = Principal(user="access-token", roles=frozenset({"admin"}), centres=None)


@dataclass(frozen=True)
class Caller:
    """`by_cookie`: browsers attach it by themselves. `read_only`: a token that may change nothing."""

    principal: Principal | None
    by_cookie: bool = False
    read_only: bool = False


def _digest(token: str) -> str:
    return hashlib.sha256(b"butler-session\0" + token.encode()).hexdigest()


def sign_in(token: str, expected: str) -> None:
    """Open a session for the right token; raise `Unauthenticated` otherwise."""
    if not hmac.compare_digest(token.encode(), expected.encode()):
        raise Unauthenticated("访问令牌不正确 / the access token is not right", code="bad_token")
    session.clear()
    session[_SESSION_KEY] = _digest(expected)
    session.permanent = True


def sign_out() -> None:
    session.clear()


def identify(expected: str) -> Caller:
    """The caller. Raise `Unauthenticated` for a bearer token that is none, or no longer."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token:
        return _bearer(token.strip(), expected)
    if hmac.compare_digest(str(session.get(_SESSION_KEY, "")), _digest(expected)):
        return Caller(TOKEN_PRINCIPAL, by_cookie=True)
    return Caller(None)


def _bearer(token: str, expected: str) -> Caller:
    if hmac.compare_digest(token.encode(), expected.encode()):
        return Caller(TOKEN_PRINCIPAL)
    with read_apart() as reader:
        found = caller_of_token(reader, token, runtime().clock.now())
    if found is None:
        raise Unauthenticated("访问令牌不正确或已失效 / the access token is not right", code="bad_token")
    return Caller(found.principal, read_only=found.read_only)


def authorise(declared: Access, principal: Principal | None) -> None:
    if declared.kind != "roles":
        return
    if principal is None:
        raise Unauthenticated("请先登录 / sign in first")
    if not principal.has_any(*declared.roles):
        raise Forbidden("您的角色无权执行此操作 / your role may not do this")


def current_principal() -> Principal:
    """The caller of this request; only for routes that require one."""
    principal: Principal | None = g.get("principal")
    if principal is None:
        raise Unauthenticated("请先登录 / sign in first")
    return principal
