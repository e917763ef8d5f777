"""What the pages of contracts share: how an act is done or refused, and files as they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Response, flash, request

from app.http.pages import see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def act(done: str, back: str, perform: Callable[[], Any]) -> Response:
    """Do it and say so, or say why not; back to the page either way."""
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with db.session().begin_nested():
            perform()
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(back)
    flash(done, "success")
    return see_other(back)


def told(error: DomainError) -> str:
    """What to tell people, Chinese first; the fields' own messages where there are some."""
    texts = list(dict.fromkeys(field.message for field in error.fields)) or [error.detail]
    return "；".join(text.split(" / ")[0] for text in texts)


def refused(error: DomainError, page: str) -> Response:
    """The form again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def version() -> int:
    """The version that the form was made from. Raise `Invalid` for a form that names none."""
    text = request.form.get("version", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Invalid(
            "表单不完整，请刷新后重试 / the form is not whole", fields=[FieldError("version", "invalid", "")]
        )
    return int(text)


def attachment(data: bytes, media_type: str, name: str, ascii_name: str) -> Response:
    answer = Response(data, content_type=media_type)
    answer.headers["Content-Disposition"] = (
        f"attachment; filename={ascii_name}; filename*=UTF-8''{quote(name)}"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
