"""Generated requests to every route of this room get documented answers, never a crash."""

from __future__ import annotations

import uuid

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

_ROUTES = r"^/api/v1/(allowance-|ledger-entries|topup-claims|payroll-exports|my/allowance)"


def test_generated_requests_are_answered_as_documented(app, org, kept):
    def write(world):
        world.phone(org.post, "2026-01-01")
        world.holds(org.post, org.zhang, "2026-01-01")
        world.close()

    kept(write)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers={"Host": "127.0.0.1"})
    token = app.extensions["butler"].access_token
    seen = 0
    for operation in schema.include(path_regex=_ROUTES).get_all_operations():
        assert isinstance(operation, Ok)
        _call(operation.ok(), token)
        seen += 1
    assert seen >= 17


def _call(operation, token):
    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def answered(case):
        headers = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": uuid.uuid4().hex,
        }
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])

    answered()
