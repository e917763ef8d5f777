"""Who calls: the access token as bearer or as a session cookie. Until there are users, its holder is the admin."""

from __future__ import annotations

import hashlib
import hmac

from flask import g, request, session

from app.http.access import Access
from app.kernel.errors import Forbidden, Unauthenticated
from app.kernel.tenancy import Principal

_SESSION_KEY = "token_sha256"
TOKEN_PRINCIPAL = Principal(user="access-token", roles=frozenset({"admin"}), centres=None)


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


def identify(expected: str) -> tuple[Principal | None, bool]:
    """The caller, and whether a cookie (which browsers attach by themselves) vouches for him."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer" and token:
        if not hmac.compare_digest(token.strip().encode(), expected.encode()):
            raise Unauthenticated("访问令牌不正确 / the access token is not right", code="bad_token")
        return TOKEN_PRINCIPAL, False
    if hmac.compare_digest(str(session.get(_SESSION_KEY, "")), _digest(expected)):
        return TOKEN_PRINCIPAL, True
    return None, False


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
