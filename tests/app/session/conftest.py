"""People at their browsers, with real cookies, passwords and authenticators."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.people import By, UserInput, create_user, grant, set_known_password

PASSWORD = "heima-yuchuan-77"
NEW = "another-good-one-58"
BASE = "http://127.0.0.1"


@dataclass
class Person:
    """A browser of somebody; `secret` is what his authenticator knows."""

    client: FlaskClient
    clock: FixedClock
    user_id: uuid.UUID
    login: str
    password: str = PASSWORD
    secret: str = ""
    codes: list[str] = field(default_factory=list)

    def post(self, path: str, **fields: Any) -> Any:
        data = {"_idempotency_key": uuid.uuid4().hex, **fields}
        return self.client.post(path, data=data, headers={"Origin": BASE}, base_url=BASE)

    def get(self, path: str) -> Any:
        return self.client.get(path, base_url=BASE)

    def sign_in(self, **fields: Any) -> Any:
        return self.post("/session", **{"login": self.login, "password": self.password, **fields})

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(self.clock.now())

    def enrol(self) -> Any:
        """Through the page, as he would: reads the secret off it and types what the app shows."""
        self.post("/enter/factor/begin")
        page = self.get("/enter/next").text
        self.secret = page.partition('class="secret">')[2].partition("</code>")[0].replace(" ", "")
        answer = self.post("/enter/factor", code=self.code())
        self.codes = answer.text.partition('id="codes">')[2].partition("</pre>")[0].split()
        return answer

    def inside(self) -> bool:
        return bool(self.get("/me").status_code == 200)


@pytest.fixture
def person(app: Flask, org: Any, clock: FixedClock) -> Callable[..., Person]:
    """`person("finance")`: a user of the first centre with a password of his own, at a fresh browser."""

    def make(role: str | None = "finance", *, login: str = "wang", one_time: bool = False) -> Person:
        with app.app_context():
            session = begin_write(db.session())
            by = By("test", clock.now())
            user, password = create_user(session, UserInput(login, "王小明"), by)
            if not one_time:
                set_known_password(session, user, PASSWORD, clock.now())
                password = PASSWORD
            if role is not None:
                grant(session, user.id, role, None if role == "admin" else org.centre, by)
            user_id = user.id
            session.commit()
            db.session.remove()
        return Person(browser_of(app), clock, user_id, login, password)

    return make


def browser_of(app: Flask) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html,application/xhtml+xml,*/*;q=0.8"
    return client
