"""The OpenAPI document tells what the guards ask: sign-in, keys of idempotency, versions, how refusals look."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from app.http.access import declared_access
from tests.app.http.bodies import body_for

# Valid for every route that asks for a version.
_BODIES: dict[str, dict[str, Any]] = {
    "PATCH": {},
    "POST": {"reason": "试验"},
}
_OWN_BODIES: dict[str, dict[str, Any]] = {"/contact": {}, "/decide": {"status": "refuted", "reason": "试验"}}
_METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def document(make_app: Any, tmp_path: Any) -> tuple[Flask, dict[str, Any]]:
    app = make_app(f"sqlite:///{tmp_path / 'none.db'}", init=False)
    answer = app.test_client().get("/api/v1/openapi.json", base_url="http://127.0.0.1")
    return app, answer.get_json()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in _METHODS if method in item)


def _headers(operation: dict[str, Any]) -> set[str]:
    told = operation.get("parameters", [])
    return {parameter["name"] for parameter in told if parameter["in"] == "header" and parameter["required"]}


def test_every_api_route_is_in_the_document_with_a_summary(document: tuple[Flask, dict[str, Any]]) -> None:
    app, told = document
    routes = sum(
        len((rule.methods or set()) - {"HEAD", "OPTIONS"})
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.endpoint.startswith(("openapi.", "docs."))
    )
    assert len(list(_operations(told))) == routes > 100
    assert [f"{m} {p}" for p, m, operation in _operations(told) if not operation.get("summary")] == []


def test_many_who_ask_first_get_one_whole_document(make_app: Any, tmp_path: Any) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'none.db'}", init=False, fresh=True)

    def ask(_: int) -> tuple[int, bytes]:
        answer = app.test_client().get("/api/v1/openapi.json", base_url="http://127.0.0.1")
        return answer.status_code, answer.data

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(ask, range(4)))
    assert [status for status, _ in answers] == [200]


def test_every_operation_says_who_may_call_it(document: tuple[Flask, dict[str, Any]]) -> None:
    schemes = document[1]["components"]["securitySchemes"]
    for path, _method, operation in _operations(document[1]):
        names = [name for way in operation["security"] for name in way]
        assert names == (["agentSignature"] if "/agent/" in path else ["accessToken", "session"])
        assert set(names) <= schemes.keys()
        assert {"401", "403"} <= operation["responses"].keys()


def test_every_post_of_people_asks_for_an_idempotency_key(document: tuple[Flask, dict[str, Any]]) -> None:
    for path, method, operation in _operations(document[1]):
        asked = method == "post" and "/agent/" not in path
        assert ("Idempotency-Key" in _headers(operation)) == asked, (method, path)


def test_updates_ask_for_the_version(document: tuple[Flask, dict[str, Any]]) -> None:
    asking = {(m, p) for p, m, operation in _operations(document[1]) if "If-Match" in _headers(operation)}
    assert ("patch", "/api/v1/handsets/{row_id}") in asking
    assert ("post", "/api/v1/kit-assignments/{row_id}/end") in asking
    assert ("put", "/api/v1/policies/{subject}/layers/{scope}/{scope_id}") in asking
    assert {m for m, _ in asking} == {"patch", "post", "put"}
    assert ("post", "/api/v1/handsets") not in asking
    for path, method, operation in _operations(document[1]):
        assert method not in ("patch", "put") or {"412", "428"} <= operation["responses"].keys(), path


def test_refusals_are_problem_documents(document: tuple[Flask, dict[str, Any]]) -> None:
    shared = document[1]["components"]["responses"]
    for path, method, operation in _operations(document[1]):
        for status, response in operation["responses"].items():
            if status == "default" or int(status) >= 400:
                name = response.get("$ref", "").rpartition("/")[2]
                found = shared[name] if name else response
                assert list(found["content"]) == ["application/problem+json"], (method, path, status)


def test_exports_say_which_kinds_of_file_they_are(document: tuple[Flask, dict[str, Any]]) -> None:
    answer = document[1]["paths"]["/api/v1/handsets/export"]["get"]["responses"]["200"]
    assert "text/csv" in answer["content"]
    assert len(answer["content"]) == 2


def test_what_is_documented_as_versioned_refuses_without_a_version(client: Any, org: Any) -> None:
    """Every declared one, so that the document promises no more than the views ask."""
    app = client.application
    document = client.get("/api/v1/openapi.json").get_json()
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            declared = declared_access(app, rule.endpoint, method)
            if declared is None or not declared.if_match:
                continue
            path = rule.rule.replace("<subject>", "allowlist").replace(
                "<any(district, centre):scope>", "centre"
            )
            path = path.replace("<uuid:scope_id>", str(org.centre)).replace(
                "<uuid:row_id>", str(uuid.uuid4())
            )
            path = re.sub("<uuid:[a-z_]+>", str(uuid.uuid4()), path)
            body = next((b for end, b in _OWN_BODIES.items() if path.endswith(end)), _BODIES.get(method, {}))
            if method == "PUT":
                body = body_for(document, rule.rule, method, {"service_centre": [org.centre]})
            answer = client.open(path, method=method, json=body)
            assert (answer.status_code, answer.get_json()["code"]) == (428, "if_match_required"), (
                method,
                path,
            )


def test_times_are_told_in_one_way(document: tuple[Flask, dict[str, Any]]) -> None:
    schemas = document[1]["components"]["schemas"]
    told = {
        f"{name}.{field}": found.get("format")
        for name, schema in schemas.items()
        for field, found in schema.get("properties", {}).items()
        if field.endswith("_at") or field in ("from", "to", "since", "first_seen")
    }
    assert len(told) > 30
    assert {where for where, form in told.items() if form != "date-time"} == set()
