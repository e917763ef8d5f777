"""Signing in by the access token, and out."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.model import AuditRow
from app.kernel.db import db

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ORIGIN = {"Origin": "http://127.0.0.1"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A person's browser: cookies, no bearer token."""
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "127.0.0.1"
    client.environ_base["HTTP_ACCEPT"] = HTML["Accept"]
    return client


def sign_in(browser: FlaskClient, token: str, **fields: str):  # type: ignore[no-untyped-def]
    return browser.post(
        "/session", data={"token": token, **fields}, headers=ORIGIN, base_url="http://127.0.0.1"
    )


def token_of(app: Flask) -> str:
    token: str = app.extensions["butler"].access_token
    return token


def actions(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))


def test_the_right_token_opens_a_session_and_is_noted(app: Flask, browser: FlaskClient) -> None:
    answer = sign_in(browser, token_of(app), next="/gateways?x=1")
    assert (answer.status_code, answer.location) == (303, "/gateways?x=1")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert token_of(app) not in answer.headers["Set-Cookie"]
    assert actions(app) == ["session.begin"]
    page = browser.get("/enter", base_url="http://127.0.0.1")
    assert "您已登录" in page.text
    assert "Set-Cookie" not in page.headers, "a session that every refresh renews would never end"


@pytest.mark.parametrize("token", ["", "x", "令牌", "a" * 5000])
def test_a_wrong_token_opens_nothing(app: Flask, browser: FlaskClient, token: str) -> None:
    answer = sign_in(browser, token)
    assert answer.status_code == 401
    assert "访问令牌不正确" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert actions(app) == []


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "x", "/a\r\nX: 1"]
)
def test_signing_in_never_leads_elsewhere(app: Flask, browser: FlaskClient, target: str) -> None:
    assert sign_in(browser, token_of(app), next=target).location == "/"


def test_another_site_cannot_sign_a_browser_in(app: Flask, browser: FlaskClient) -> None:
    answer = browser.post(
        "/session",
        data={"token": token_of(app)},
        headers={"Origin": "http://evil.example", "Cookie": "a=b"},
        base_url="http://127.0.0.1",
    )
    assert answer.status_code == 403
    assert actions(app) == []


def test_signing_out_ends_the_session(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, token_of(app))
    answer = browser.post(
        "/session/end", data={"_idempotency_key": "k1"}, headers=ORIGIN, base_url="http://127.0.0.1"
    )
    assert (answer.status_code, answer.location) == (303, "/enter")
    assert "您已登录" not in browser.get("/enter", base_url="http://127.0.0.1").text
    assert actions(app) == ["session.begin", "session.end"]


def test_the_first_page_leads_to_signing_in_and_others_say_so(browser: FlaskClient) -> None:
    first = browser.get("/", base_url="http://127.0.0.1")
    assert (first.status_code, first.location) == (303, "/enter")
    other = browser.get("/commands?state=queued", base_url="http://127.0.0.1")
    assert other.status_code == 401
    assert "/enter?next=/commands?state%3Dqueued" in other.text
    program = browser.get("/", headers={"Accept": "*/*"}, base_url="http://127.0.0.1")
    assert (program.status_code, program.get_json()["code"]) == (401, "unauthenticated")


def test_the_token_is_in_no_answer(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, token_of(app))
    for path in ("/enter", "/", "/nothing-here"):
        assert token_of(app) not in browser.get(path, base_url="http://127.0.0.1").text


def test_a_sign_out_that_is_sent_again_still_signs_out(app: Flask, browser: FlaskClient) -> None:
    """An old page holds an old form key: its answer is replayed, but the session must not survive that."""
    for _ in range(2):
        sign_in(browser, token_of(app))
        answer = browser.post(
            "/session/end", data={"_idempotency_key": "k1"}, headers=ORIGIN, base_url="http://127.0.0.1"
        )
        assert answer.status_code == 303
        assert "您已登录" not in browser.get("/enter", base_url="http://127.0.0.1").text
