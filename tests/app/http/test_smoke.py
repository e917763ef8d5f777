"""The edge: hosts, callers, problem documents."""

from __future__ import annotations


def test_liveness_needs_nobody(anonymous):
    assert anonymous.get("/healthz").get_json() == {"status": "ok"}


def test_readiness_asks_the_database_and_the_keys(anonymous):
    assert anonymous.get("/readyz").status_code == 200


def test_a_foreign_host_is_refused(anonymous):
    answer = anonymous.get("/healthz", base_url="http://evil.example")
    assert (answer.status_code, answer.get_json()["code"]) == (421, "foreign_host")


def test_an_unknown_path_is_a_problem_document(anonymous):
    answer = anonymous.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["code"] == "not_found"
