"""Events of requests that change nothing: a list with personal data was read, somebody was refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from app.audit import AuditEvent, has_lately, record
from app.http.transaction import write_apart
from app.runtime import runtime

_ONCE_IN = dt.timedelta(minutes=1)


def note_reading(
    what: str,
    *,
    filters: Mapping[str, Any] | None = None,
    count: int | None = None,
    action: str = "list.read",
    subject: str = "",
) -> None:
    """Note that the caller is shown a list, or is handed a file; call before it leaves, never inside a write.

    A page that refreshes itself (htmx) is noted when it is opened only.
    """
    if request.method == "HEAD" or "HX-Request" in request.headers:
        return
    narrowed = {name: str(value) for name, value in (filters or {}).items() if value not in (None, "")}
    details: dict[str, Any] = {"filters": narrowed} if narrowed else {}
    if count is not None:
        details["count"] = count
    _write(action, subject or f"list:{what}", "ok", details)


def note_denial(response: Response) -> Response:
    """Note that somebody known was refused; the same again within a minute is not noted again."""
    principal = g.get("caller")
    if response.status_code == 403 and principal is not None and request.url_rule is not None:
        _write("access.denied", f"route:{request.method} {request.url_rule.rule}"[:200], "refused", {})
    return response


def _write(action: str, subject: str, outcome: str, details: dict[str, Any]) -> None:
    now, actor = runtime().clock.now(), g.caller.user
    with write_apart() as writer:
        if outcome == "refused" and has_lately(
            writer, actor=actor, action=action, subject=subject, since=now - _ONCE_IN
        ):
            return
        record(
            writer,
            AuditEvent(
                at=now,
                actor=actor,
                action=action,
                object=subject,
                ip=request.remote_addr or "",
                outcome=outcome,
                details=details,
            ),
        )
