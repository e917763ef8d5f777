"""An escrow that is set up and open, a phone with a number and an account, and people at their browsers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from app.escrow import keeping, keyring_rules
from app.kernel.db import begin_write, db
from app.registry import Handset, Number, WeChatAccount
from tests.app.session.conftest import Person, person

__all__ = ["person"]
PIN, WECHAT = "739154", "canary-Kx7Qw2"


@pytest.fixture(autouse=True)
def _quick_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters."""
    quick = {"time_cost": 1, "memory_cost": 1024, "parallelism": 1}
    monkeypatch.setattr(keyring_rules, "ARGON", quick)


@pytest.fixture
def kit(app: Flask, org: Any, clock: Any) -> SimpleNamespace:
    """Ids of a phone, a number and an account of the first centre, and a phone of the other; `recovery` is the key."""
    stamp = {"created_at": clock.now(), "updated_at": clock.now()}
    with app.app_context():
        session = begin_write(db.session())

        def add(row: Any) -> Any:
            session.add(row)
            session.flush()
            return row.id

        model = {"brand": "Redmi", "model": "12C", **stamp}
        made = SimpleNamespace(
            phone=add(Handset(centre_id=org.centre, asset_tag="GJ-1", serial="S1", **model)),
            foreign=add(Handset(centre_id=org.other_centre, asset_tag="GJ-9", serial="S9", **model)),
            number=add(Number(centre_id=org.centre, e164="+8613800005678", **stamp)),
            account=add(
                WeChatAccount(centre_id=org.centre, district_id=org.district, nickname="小新", **stamp)
            ),
        )
        _, made.recovery = keeping.set_up(session, app.extensions["butler"].vault, None, clock.now())
        session.commit()
        db.session.remove()
    return made


@pytest.fixture
def at_desk(person: Callable[..., Person]) -> Callable[..., Person]:
    """`at_desk("operations")`: signed in with password and authenticator; `by` is the user's id as text."""

    def make(role: str = "operations", login: str = "") -> Person:
        who = person(role, login=login or role)
        who.sign_in()
        who.enrol()
        who.clock.move(31)
        return who

    return make
