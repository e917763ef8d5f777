"""What every request passes: caller, origin, transaction, idempotency, errors; tried on routes made for it."""

from __future__ import annotations

import pytest
from flask import Blueprint, jsonify, request
from sqlalchemy import select

import app.rooms
from app.http.access import PUBLIC, access
from app.http.identity import current_principal
from app.http.problems import Problem
from app.kernel import outbox
from app.kernel.db import db
from app.kernel.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from app.kernel.outbox import OutboxMessage
from app.logs import configure_logs
from app.runtime import runtime

ERRORS = {
    "invalid": Invalid("x", fields=[FieldError("a.b", "c", "fix it")]),
    "notfound": NotFound("x"),
    "conflict": Conflict("x"),
    "stale": Stale("x"),
    "forbidden": Forbidden("x"),
    "unauthenticated": Unauthenticated("x"),
    "toolarge": TooLarge("x"),
    "unavailable": Unavailable("x"),
    "problem": Problem(428, "own", "x", more=1),
    "bug": RuntimeError("hunter2"),
}
STATUS = {
    "invalid": 422,
    "notfound": 404,
    "conflict": 409,
    "stale": 412,
    "forbidden": 403,
    "unauthenticated": 401,
    "toolarge": 413,
    "unavailable": 503,
    "problem": 428,
    "bug": 500,
}


def _trial() -> Blueprint:
    trial = Blueprint("trial", __name__)

    @trial.post("/trial/post")
    @access("operations")
    def post_one():
        count = len(db.session.scalars(select(OutboxMessage)).all())
        outbox.post(db.session(), key=f"m{count}", topic="t", body={}, now=runtime().clock.now())
        if request.args.get("fail"):
            raise Conflict("after the write")
        return jsonify({"made": count}), 201

    @trial.get("/trial/me")
    @access("operations")
    def me():
        return jsonify({"user": current_principal().user})

    @trial.get("/trial/error/<name>")
    @access(PUBLIC)
    def fail(name):
        raise ERRORS[name]

    return trial


@pytest.fixture(autouse=True)
def _with_trial_routes(monkeypatch):
    monkeypatch.setattr(app.rooms, "PAGES", (*app.rooms.PAGES, _trial()))


@pytest.fixture(name="app")
def _app(make_app, database_url):
    return make_app(database_url, routes="trial")


def _count(app):
    with app.app_context():
        return len(db.session.scalars(select(OutboxMessage)).all())


def test_a_route_without_a_declaration_stops_the_start(monkeypatch, make_app, tmp_path):
    bare = Blueprint("bare", __name__)
    bare.add_url_rule("/bare", view_func=lambda: "x", endpoint="bare")
    monkeypatch.setattr(app.rooms, "PAGES", (*app.rooms.PAGES, bare))
    with pytest.raises(RuntimeError, match="GET /bare"):
        make_app(f"sqlite:///{tmp_path / 'x.db'}", init=False)


def test_only_the_right_token_is_let_in(anonymous, client):
    assert anonymous.get("/trial/me").status_code == 401
    assert anonymous.get("/trial/me", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert anonymous.get("/trial/me", headers={"Authorization": "Bearer "}).status_code == 401
    assert client.get("/trial/me").get_json() == {"user": "access-token"}


def test_a_session_cookie_lets_in_and_only_our_own_pages_may_write_with_it(anonymous, app):
    token = app.extensions["butler"].access_token
    assert anonymous.post("/session", data={"token": "wrong"}).status_code == 401
    assert anonymous.get("/trial/me").status_code == 401
    entered = anonymous.post("/session", data={"token": token})
    assert entered.status_code == 303
    assert token not in str(entered.headers)
    assert "HttpOnly" in entered.headers["Set-Cookie"]
    assert anonymous.get("/trial/me").status_code == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9"):
        assert (
            anonymous.post("/trial/post", headers={"Origin": origin}).get_json()["code"] == "foreign_origin"
        )
    assert anonymous.post("/trial/post").get_json()["code"] == "foreign_origin"
    assert anonymous.post("/trial/post", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert _count(app) == 0
    assert anonymous.post("/trial/post", headers={"Origin": "http://127.0.0.1"}).status_code == 201


def test_a_write_that_fails_leaves_nothing(client, app):
    assert client.post("/trial/post?fail=1").status_code == 409
    assert _count(app) == 0


def test_the_same_key_acts_once_and_a_failed_act_may_be_tried_again(client, app):
    headers = {"Idempotency-Key": "k1"}
    first = client.post("/trial/post", headers=headers)
    again = client.post("/trial/post", headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _count(app) == 1
    assert client.post("/trial/post?other=1", headers=headers).get_json()["code"] == "idempotency_key_reused"
    assert client.post("/trial/post?fail=1", headers={"Idempotency-Key": "k2"}).status_code == 409
    assert client.post("/trial/post", headers={"Idempotency-Key": "k2"}).status_code == 201


def test_a_post_without_a_key_is_refused_and_a_form_may_carry_it(client, app):
    for key in ("", "x" * 101):
        answer = client.post("/trial/post", headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "idempotency_key_required")
    form = {"_idempotency_key": "f1"}
    for _ in range(2):
        assert client.post("/trial/post", data=form, headers={"Idempotency-Key": ""}).status_code == 201
    assert _count(app) == 1
    changed = client.post("/trial/post", data={**form, "more": "1"}, headers={"Idempotency-Key": ""})
    assert changed.get_json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_is_a_problem_document_and_a_bug_tells_nothing(anonymous, name, capfd):
    configure_logs("INFO")  # the log's stream is the one of this moment: the captured one
    answer = anonymous.get(f"/trial/error/{name}")
    assert answer.status_code == STATUS[name]
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["status"] == STATUS[name]
    assert body["code"]
    if name == "invalid":
        assert body["errors"] == [{"field": "a.b", "code": "c", "message": "fix it"}]
    if name == "bug":
        logged = capfd.readouterr().err
        assert "RuntimeError at" in logged
        assert "hunter2" not in logged + answer.get_data(as_text=True)


def test_a_person_gets_a_page(anonymous):
    answer = anonymous.get("/trial/error/notfound", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "返回首页" in answer.get_data(as_text=True)


def test_a_wrong_method_names_the_right_ones(client):
    answer = client.get("/trial/post")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_every_answer_carries_the_security_headers(anonymous):
    headers = anonymous.get("/healthz").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
