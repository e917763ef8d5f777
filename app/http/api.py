"""The JSON API's base: one OpenAPI document, problem documents for errors, cursor pages in the body."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from flask import Flask, request
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, fields, pre_load, validate

from app.http.access import current_access
from app.http.bodies import StrictParser, check_storable
from app.http.problems import Problem
from app.kernel.errors import Stale
from app.kernel.paging import DEFAULT_LIMIT, MAX_LIMIT

API_PREFIX = "/api/v1"
_VERSION_TAG = re.compile(r"v[0-9]{1,9}")
F = TypeVar("F", bound=Callable[..., Any])


class StrictSchema(Schema):
    """Unknown fields are errors: a misspelt field that is dropped in silence is a lost write."""

    class Meta:
        unknown = RAISE

    @pre_load
    def _storable(self, data: Any, **_: Any) -> Any:
        check_storable(data)
        return data


class FieldProblemSchema(Schema):
    field = fields.String(metadata={"description": "dotted path of the field"})
    code = fields.String()
    message = fields.String(metadata={"description": "what is wrong and how to mend it"})


class ProblemSchema(Schema):
    """RFC 9457; `code` is stable."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    code = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Nested(FieldProblemSchema))


class PageArgs(StrictSchema):
    """Query arguments that every list takes."""

    cursor = fields.String(load_default=None, metadata={"description": "`next_cursor` of the page before"})
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))


class Api(SmorestApi):  # type: ignore[misc]  # flask-smorest is untyped
    """flask-smorest without its own error handler, which would answer in another form than problem documents.

    The document is made when it is first asked for: it takes 10 MB and half a second, and most processes never tell it.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Blueprint] = []
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append(blueprint)

    def document(self) -> dict[str, Any]:
        """The OpenAPI document of all blueprints that were registered; for one caller at a time."""
        while self._undescribed:
            blueprint = self._undescribed.pop(0)
            named = {"name": blueprint.name, "parameters": None}
            blueprint.register_views_in_doc(self, self._app, self.spec, **named)
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        return cast(dict[str, Any], self.spec.to_dict())

    def _register_error_handlers(self) -> None:
        return


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A room's API. Pages are in the body (`items`, `next_cursor`), not in a header.

    The decorators are flask-smorest's own, with types. An unknown query argument is an error: a misspelt filter that is
    dropped in silence would list everything.
    """

    PAGINATION_HEADER_NAME = None
    ARGUMENTS_PARSER = StrictParser()

    def route(self, rule: str, **kwargs: Any) -> Callable[[F], F]:
        return cast(Callable[[F], F], super().route(rule, **kwargs))

    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Callable[[F], F]:
        if location == "query":
            kwargs.setdefault("unknown", RAISE)
        return cast(Callable[[F], F], super().arguments(schema, location=location, **kwargs))

    def doc(self, **kwargs: Any) -> Callable[[F], F]:
        return cast(Callable[[F], F], super().doc(**kwargs))

    def response(self, status_code: int, schema: Any = None, **kwargs: Any) -> Callable[[F], F]:
        return cast(Callable[[F], F], super().response(status_code, schema, **kwargs))


@cache
def page_schema(item: type[Schema]) -> type[Schema]:
    """`{"items": […], "next_cursor": text or null}` of an item schema."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item)),
        "next_cursor": fields.String(allow_none=True),
    }
    return cast(type[Schema], type(f"{item.__name__.removesuffix('Schema')}PageSchema", (Schema,), members))


def etag(version: int) -> str:
    return f'"v{version}"'


def expected_version() -> int:
    """The version in `If-Match`. Raise 428 without one, `Stale` for a tag that this server never gave.

    Only for views that declare it by `@access(…, if_match=True)`, from which the OpenAPI document tells callers of it.
    """
    declared = current_access(request.endpoint or "", request.method)
    if declared is None or not declared.if_match:
        raise RuntimeError("this view asks for If-Match and does not declare it")
    tag = request.headers.get("If-Match", "").strip()
    if not tag:
        raise Problem(428, "if_match_required", "send If-Match with the ETag that you last read")
    tag = tag.removeprefix("W/").strip('"')
    if not _VERSION_TAG.fullmatch(tag):
        raise Stale("the ETag in If-Match is not one of this server's")
    return int(tag[1:])
