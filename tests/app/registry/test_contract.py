"""The OpenAPI document holds: generated requests to every registry route get documented answers, never a crash."""

from __future__ import annotations

import uuid
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

from app.registry.catalogue import RESOURCES

_EACH = 2


def test_generated_requests_are_answered_as_documented(app: Flask, org: Any) -> None:
    routes = r"^/api/v1/({})(/|$)".format("|".join(RESOURCES))
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers={"Host": "127.0.0.1"})
    token = app.extensions["butler"].access_token
    seen = 0
    for operation in schema.include(path_regex=routes).get_all_operations():
        assert isinstance(operation, Ok)
        _call(operation.ok(), token)
        seen += 1
    assert seen > 12 * 6


def _call(operation: Any, token: str) -> None:
    @settings(
        max_examples=_EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def answered(case: Any) -> None:
        headers = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": uuid.uuid4().hex,
            "If-Match": '"v1"',
        }
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    answered()
