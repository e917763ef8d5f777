"""Loaded by schemathesis: every generated request is a new act, so that none is answered from memory.

An `If-Match` is one that fits a row just made: a made-up one would end every update before its code is reached.
"""

from __future__ import annotations

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001 - the hook's signature
    headers = {**(case.headers or {}), "Idempotency-Key": uuid.uuid4().hex}
    if "If-Match" in headers:
        headers["If-Match"] = '"v1"'
    case.headers = headers
