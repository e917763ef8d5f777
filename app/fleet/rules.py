"""Tokens, windows, addresses. Plain values only."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from urllib.parse import urlsplit

from app.kernel.errors import FieldError, Invalid

TOKEN_BYTES = 24
DEFAULT_HOURS, MAX_HOURS = 24, 24 * 14


def token_hash(token: str) -> bytes:
    """What the database keeps of a token: 192 random bits need no slow hash."""
    return hashlib.sha256(b"butler-enrol\0" + token.encode()).digest()


def in_window(created: int, now: dt.datetime, window_s: int) -> bool:
    return abs(now.timestamp() - created) <= window_s


def check_server_url(url: str) -> str:
    """The base URL that goes into an enrolment code. Raise `Invalid` for plain HTTP to another machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = parts.scheme == "http"
    except ValueError:
        host, plain = "", False
    if not host or (not plain and parts.scheme != "https") or parts.query or parts.fragment or parts.username:
        raise _bad_url("https://… / must be an https:// URL")
    if plain and not _is_loopback(host):
        raise _bad_url("只有本机可以用 http / plain HTTP only to this machine itself")
    return url.rstrip("/")


def _bad_url(message: str) -> Invalid:
    return Invalid(
        "服务器地址不正确 / the server's URL is not right", fields=[FieldError("url", "url", message)]
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
