"""The cookie of a browser that was let in before: its owner's tries are counted apart from all strangers'."""

from __future__ import annotations

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from app.kernel.ids import new_id

_COOKIE = "butler_device"
_YEAR_S = 365 * 86400


def known_device(login: str) -> str | None:
    """The device of this request when it was let in for this login; None for a strange one."""
    raw = request.cookies.get(_COOKIE, "")
    try:
        owner, device = _serializer().loads(raw)
    except (BadSignature, ValueError, TypeError):
        return None
    return str(device) if owner == login else None


def remember_device(response: Response, login: str) -> None:
    if known_device(login) is None:
        value = _serializer().dumps([login, str(new_id())])
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(_COOKIE, value, max_age=_YEAR_S, httponly=True, secure=secure, samesite="Lax")


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="butler-device")
