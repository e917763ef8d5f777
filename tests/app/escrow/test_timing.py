"""A right and a wrong guess take the same way, statement by statement. Its time is measured by `make prove`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import event

from app.escrow import checking, record_rules, rules
from app.kernel.db import db
from app.kernel.tenancy import SYSTEM
from app.people import check_password, password_service
from bench.timing import superiority
from tests.app.escrow.conftest import PIN
from tests.app.escrow.test_flow import file_pin, path_of, writing

Steps = list[str]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, *counted: tuple[Any, str]) -> Iterator[Steps]:
    """What is sent to the database, and each call of these functions, in their order."""
    steps: Steps = []

    def statement(_c: Any, _cursor: Any, text: str, *_: Any) -> None:
        steps.append(text)

    def counting(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            steps.append(name)
            return inner(*args, **kwargs)

        return call

    event.listen(db.engine, "before_cursor_execute", statement)
    with monkeypatch.context() as patched:
        for owner, name in counted:
            patched.setattr(owner, name, counting(name, getattr(owner, name)))
        yield steps
    event.remove(db.engine, "before_cursor_execute", statement)


def test_every_guess_goes_the_same_way(
    app: Flask, kit: Any, at_desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = uuid.UUID(path_of(file_pin(at_desk(), kit)).rsplit("/", 1)[1])
    ways = []
    for typed in (PIN, PIN, PIN[:-1] + "9", "", "x" * 5000, "９" * 6, "\ud800"):
        counted = ((rules.hmac, "new"), (rules.hmac, "compare_digest"), (record_rules, "AESGCM"))
        with writing(app) as session, watched(monkeypatch, *counted) as steps:
            here = app.extensions["butler"]
            checking.check(session, SYSTEM, secret, typed, vault=here.vault, now=here.clock.now())
        ways.append(steps)
    # The first one also reads what is kept in memory from then on.
    for way in ways[2:]:
        assert way == ways[1]
    assert ways[1].count("AESGCM") == 2
    assert ways[1].count("compare_digest") >= 1


def test_a_name_that_nobody_has_costs_what_a_wrong_password_costs(
    app: Flask, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = person()
    ways = []
    with app.app_context():
        check_password(db.session(), "warm", "up")
        db.session.remove()
        for login in (who.login, "nobody", "", "x" * 300):
            with watched(monkeypatch, (PasswordHasher, "verify"), (password_service, "_hash")) as steps:
                assert check_password(db.session(), login, "wrong-word-11") is None
            ways.append(steps)
            db.session.remove()
    assert ways[0].count("verify") == 1
    for way in ways:
        assert way == ways[0]


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [([1, 2, 3], [4, 5], 1.0), ([4, 5], [1, 2, 3], 0.0), ([1, 2], [1, 2], 0.5), ([1, 3], [2], 0.5)],
)
def test_the_measure(first: list[float], second: list[float], share: float) -> None:
    assert superiority(first, second) == share
