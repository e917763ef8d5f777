"""What every request passes: host, origin, identity, access, one transaction, idempotency, headers; in this order."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.http.access import AGENT, current_access
from app.http.identity import authorise, identify, may
from app.http.noting import note_denial
from app.http.pages import home_of, see_other
from app.http.problems import Problem
from app.http.transaction import close_write, open_write, read_body
from app.kernel.errors import Forbidden
from app.runtime import runtime

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def register_guards(app: Flask) -> None:
    app.before_request(_check_host)
    app.before_request(_check_caller)
    app.before_request(_open_transaction)
    # Flask runs these last to first: the transaction ends before the headers are put on.
    app.after_request(_security_headers)
    app.after_request(note_denial)
    app.after_request(close_write)


def _check_host() -> None:
    name = (urlsplit(f"//{request.host}").hostname or "").lower()
    name = f"[{name}]" if ":" in name else name
    if name not in runtime().settings.allowed_hosts:
        # A foreign Host is how a web page reaches a server on loopback (DNS rebinding).
        raise Problem(421, "foreign_host", "this host name is not served here: see BUTLER_ALLOWED_HOSTS")


def _check_caller() -> Response | None:
    if request.routing_exception is not None or request.endpoint is None:
        return None
    declared = current_access(request.endpoint, request.method)
    if declared is None:
        if request.method == "OPTIONS":
            return None
        raise Forbidden("this route declares nobody who may call it")
    # A static file must not depend on who asks: it is cached for everybody.
    if declared.kind == AGENT or request.endpoint == "static":
        return None
    caller = identify()
    writes = request.method not in SAFE_METHODS
    if writes and (caller.session or declared.kind == "public"):
        _check_origin()
    g.caller, g.cookie_session = caller.principal, caller.session
    g.caller_name = caller.session.name if caller.session else ""
    if request.path == "/" and caller.principal is not None and not may(declared, caller.principal):
        # The first page shows a whole centre; who sees only what is his own begins elsewhere.
        return see_other(home_of(caller.principal))
    authorise(declared, caller.principal)
    if writes and caller.read_only:
        raise Forbidden("这个令牌只能读取 / this token may only read", code="read_only_token")
    g.principal = caller.principal.narrowed(*declared.roles) if caller.principal else None
    return None


def _check_origin() -> None:
    """Only our own pages may make a browser write here."""
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site") in ("same-origin", "none"):
        return
    if origin is None and "Cookie" not in request.headers:
        return
    if origin is None or _host_of(origin) != request.host.lower():
        raise Forbidden(
            "请求来源不被允许 / this request does not come from our own page", code="foreign_origin"
        )


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # a bracket that never closes
        return ""


def _open_transaction() -> None:
    if request.method in SAFE_METHODS or request.endpoint is None:
        return
    declared = current_access(request.endpoint, request.method)
    if declared is not None and not declared.late_transaction:
        read_body()
        open_write()


def _security_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _CSP)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
