"""The OpenAPI document: flask-smorest's own, and what the guards ask of every request, read from `@access`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Lock
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, current_app

from app.http.access import AGENT, PUBLIC, Access, access, declared_access
from app.http.api import API_PREFIX, Api
from app.http.problems import PROBLEM_TYPE
from app.kernel.idempotency import MAX_KEY_CHARS

_CACHED = "openapi_bytes"
_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_SECURITY = {
    "accessToken": {"type": "http", "scheme": "bearer", "description": "访问令牌 / the access token"},
    "session": {
        "type": "apiKey", "in": "cookie", "name": "butler_session",
        "description": "浏览器登录后 / a browser that signed in; writes need this site's own Origin",
    },
    "agentSignature": {
        "type": "apiKey", "in": "header", "name": "Signature",
        "description": "RFC 9421 over method, path and Content-Digest, see docs/wire.md",
    },
}  # fmt: skip
_IDEMPOTENCY_KEY = {
    "in": "header", "name": "Idempotency-Key", "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS},
    "description": "每次新操作用新值 / new for every new act; sent again, the first answer is given again",
}  # fmt: skip
_IF_MATCH = {
    "in": "header", "name": "If-Match", "required": True,
    "schema": {"type": "string", "pattern": r'^(W/)?"v\d+"$'},
    "description": "最近读到的 ETag / the ETag that was read last, such as \"v3\"",
}  # fmt: skip
_REFUSALS = {
    "400": "not understood, or `idempotency_key_required`",
    "401": "nobody is signed in, or the token or signature is not right",
    "403": "not for this caller",
    "404": "no such thing, or not within the caller's centres",
    "409": "the thing is in another state, or its unique place is taken",
    "412": "`stale_version`: somebody changed it in the meantime",
    "428": "`if_match_required`",
}


def register_openapi(app: Flask, api: Api) -> None:
    """Serve the document at `/api/v1/openapi.json`; rendered once, on first use."""
    blueprint = Blueprint("openapi", __name__, url_prefix=API_PREFIX)
    making = Lock()

    @blueprint.get("/openapi.json")
    @access(PUBLIC)
    def openapi_json() -> Response:
        # What is added to it stands in the library's own lists: two at once would add it twice or trip.
        with making:
            if _CACHED not in current_app.extensions:
                current_app.extensions[_CACHED] = orjson.dumps(_document(app, api.document()))
        return Response(current_app.extensions[_CACHED], mimetype="application/json")

    app.register_blueprint(blueprint)


def _document(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    components["securitySchemes"] = _SECURITY
    # Some refusals carry members of their own, such as the server's time.
    components["schemas"]["Problem"]["additionalProperties"] = True
    for response in components["responses"].values():
        response["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}}
    for path, method, declared in _routes(app):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            _describe(operation, path, method, declared)
    return document


def _routes(app: Flask) -> Iterator[tuple[str, str, Access]]:
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            declared = declared_access(app, rule.endpoint, method)
            if declared is not None:
                yield _ARGUMENT.sub(r"{\1}", rule.rule), method, declared


def _describe(operation: dict[str, Any], path: str, method: str, declared: Access) -> None:
    refusals = [] if declared.kind == PUBLIC else ["401", "403"]
    headers: list[dict[str, Any]] = []
    if declared.kind == AGENT:
        operation["security"] = [{"agentSignature": []}]
    elif declared.kind != PUBLIC:
        operation["security"] = [{"accessToken": []}, {"session": []}]
        if method == "POST":
            headers.append(_IDEMPOTENCY_KEY)
            refusals += ["400", "409"]
    if declared.if_match:
        headers.append(_IF_MATCH)
        refusals += ["409", "412", "428"]
    if "{" in path:
        refusals.append("404")
    if headers:
        operation["parameters"] = [*operation.get("parameters", []), *headers]
    responses = operation["responses"]
    for status in refusals:
        responses.setdefault(status, {"description": _REFUSALS[status]})
    for status, response in responses.items():
        if status.isdecimal() and int(status) >= 400 and "$ref" not in response:
            response["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}}
