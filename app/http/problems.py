"""Errors as RFC 9457 problem documents for programs, as a page for people. One table from domain error to status."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, jsonify, render_template, request
from marshmallow import ValidationError
from sqlalchemy.exc import OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException

from app.kernel.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger(__name__)
PROBLEM_TYPE = "application/problem+json"

STATUS: dict[type[DomainError], int] = {
    Invalid: 422,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    Forbidden: 403,
    Unauthenticated: 401,
    TooLarge: 413,
    Unavailable: 503,
}

_UNDEFINED = ("42P01", "42703")
"""PostgreSQL's words for a table and a column that are not there."""

_HTTP_WORDS = {
    404: "这个地址下没有内容 / there is nothing at this address",
    405: "这个地址不支持这种操作 / this address does not take that method",
    413: "上传的内容太大 / the upload is too large",
}
"""For errors that the framework raises, whose own words are English only."""


class Problem(DomainError):
    """An error with a status of its own and further members, for the few places that the table does not fit."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail, code=code)
        self.status = status
        self.members = members


def problem_response(
    status: int, code: str, detail: str, fields: tuple[FieldError, ...] = (), **members: Any
) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "code": code,
        "title": code,
        "detail": detail,
    }
    if fields:
        body["errors"] = [{"field": f.field, "code": f.code, "message": f.message} for f in fields]
    body.update(members)
    response = jsonify(body)
    response.status_code = status
    response.content_type = PROBLEM_TYPE
    return response


def wants_page() -> bool:
    """Whether a person's browser asks, and not a program."""
    if request.path.startswith("/api/"):
        return False
    # A program that takes anything (`*/*`) gets the first; browsers name text/html before all others.
    return request.accept_mimetypes.best_match([PROBLEM_TYPE, "application/json", "text/html"]) == "text/html"


def field_errors(messages: object, path: str = "") -> list[FieldError]:
    """Flatten marshmallow's nested messages into dotted paths."""
    if isinstance(messages, dict):
        found: list[FieldError] = []
        for key, value in messages.items():
            # webargs puts the place of the argument first; a caller wants the field's own name.
            step = (
                path if not path and key in ("json", "query", "files", "form") else f"{path}.{key}".strip(".")
            )
            found += field_errors(value, step)
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return [FieldError(path or "body", "invalid", " ".join(str(t) for t in texts))]


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(ValidationError, _validation)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(ProgrammingError, _database)
    app.register_error_handler(Exception, _unexpected)


def error_answer(
    status: int, code: str, detail: str, fields: tuple[FieldError, ...] = (), **members: Any
) -> Response:
    """A page for a person, a problem document for a program."""
    if wants_page():
        page = render_template("error.html", status=status, code=code, detail=detail, fields=fields)
        return Response(page, status=status, content_type="text/html; charset=utf-8")
    return problem_response(status, code, detail, fields, **members)


def _domain(error: DomainError) -> Response:
    if isinstance(error, Problem):
        return error_answer(error.status, error.code, error.detail, error.fields, **error.members)
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if status == 401 and request.path == "/" and wants_page():
        return Response(status=303, headers={"Location": "/enter"})
    response = error_answer(status, error.code, error.detail, error.fields)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _validation(error: ValidationError) -> Response:
    return error_answer(
        422, "invalid", "the request has errors, see `errors`", tuple(field_errors(error.messages))
    )


def _http(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    data = getattr(error, "data", None)  # flask-smorest and webargs hang their messages here
    if status == 422 and isinstance(data, dict) and "messages" in data:
        return error_answer(
            422, "invalid", "the request has errors, see `errors`", tuple(field_errors(data["messages"]))
        )
    code = str(error.name).lower().replace(" ", "_")
    response = error_answer(status, code, _HTTP_WORDS.get(status) or str(error.description or error.name))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "location"):
            response.headers[name] = value
    return response


def _database(error: OperationalError | ProgrammingError) -> Response:
    if _other_shape(error):
        log.error("schema_old", error=type(error.orig).__name__)
        return error_answer(
            503,
            "schema_old",
            "数据库结构与程序不一致，请管理员运行 flask --app wsgi db upgrade / the database is not of this version",
        )
    if isinstance(error, ProgrammingError):
        return _unexpected(error)
    log.error("database_unavailable", error=type(error.orig).__name__)
    response = error_answer(
        503, "database_unavailable", "数据库暂时不可用，请稍后重试 / the database is busy or away: try again"
    )
    response.headers["Retry-After"] = "5"
    return response


def _other_shape(error: OperationalError | ProgrammingError) -> bool:
    """Whether a table or column is not there: to try again, as with a busy database, would never help."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _UNDEFINED or str(error.orig).startswith(("no such table", "no such column"))


def _unexpected(error: Exception) -> Response:
    # The message of an unknown exception may carry data, so only its kind and place are told to the log.
    log.error("unexpected_error", kind=type(error).__name__, exc_info=error)
    return error_answer(500, "internal_error", "系统内部错误，已记录 / an internal error, it has been logged")
