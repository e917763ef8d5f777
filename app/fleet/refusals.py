"""Refusals of agents' requests, exactly as docs/wire.md tells them."""

from __future__ import annotations

import datetime as dt

from app.fleet.metrics import count_refusal
from app.http.problems import Problem
from app.kernel.clock import to_rfc3339
from app.kernel.errors import FieldError

_STATUS = {
    "bad_signature": 401,
    "unknown_agent": 401,
    "clock_skew": 401,
    "replayed": 401,
    "agent_revoked": 403,
    "bad_token": 403,
    "too_large": 413,
    "bad_body": 400,
    "bad_gzip": 400,
    "foreign_phone": 403,
    "key_known": 409,
}


def refusal(code: str, detail: str, **members: str) -> Problem:
    """`code` is one of docs/wire.md; its status goes with it."""
    count_refusal(code)
    return Problem(_STATUS[code], code, detail, **members)


def bad_body(field: str, message: str) -> Problem:
    problem = refusal("bad_body", f"{field}: {message}")
    problem.fields = (FieldError(field, "invalid", message),)
    return problem


def clock_skew(now: dt.datetime) -> Problem:
    return refusal(
        "clock_skew", "the request is dated too far from the server's clock", server_time=to_rfc3339(now)
    )
