"""Loaded by schemathesis: every generated request is a new act, so that none is answered from memory."""

from __future__ import annotations

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001 - the hook's signature
    case.headers = {**(case.headers or {}), "Idempotency-Key": uuid.uuid4().hex}
