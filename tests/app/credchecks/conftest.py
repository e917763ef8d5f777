"""A centre with an open escrow, and two posts: Zhang's with a phone, a number and an account, Li's with a phone."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.credchecks.tools import Tools
from app.escrow import Filed, checking, file_secret, keeping, keyring_rules
from app.kernel.db import begin_write
from app.kernel.tenancy import Principal
from app.people import By, UserInput, create_user, grant, principal_of
from app.registry import Handset, KitAssignment, Number, Post, PostHolding, WeChatAccount

PIN, SERVICE, WECHAT = "739154", "582047", "canary-Kx7Qw2"
OF = {"screen_lock": "handset", "service_password": "number", "wechat_password": "wechat"}
SECRETS = {"screen_lock": PIN, "service_password": SERVICE, "wechat_password": WECHAT}
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _quick_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters."""
    monkeypatch.setattr(keyring_rules, "ARGON", {"time_cost": 1, "memory_cost": 1024, "parallelism": 1})


class Place:
    """What there is, and people who act: `lead`, `operations`, `zhang`, `li` are principals."""

    def __init__(self, app: Flask, session: Session, org: Any, clock: Any) -> None:
        self.app, self.session, self.org, self.clock = app, session, org, clock
        self.rt = app.extensions["butler"]
        self.tools = Tools(self.rt.policies, self.rt.vault, self.rt.keys)
        keeping.set_up(session, self.rt.vault, None, clock.now())
        since = clock.now() - 60 * DAY
        stamp = {"created_at": since, "updated_at": since}
        centre = {"centre_id": org.centre, **stamp}
        model = {"brand": "Redmi", "model": "12C"}
        self.second = self.add(Post(grid_id=org.grid, code="P2", name="二号岗", **centre))
        self.phone = self.add(Handset(asset_tag="GJ-1", serial="SER1", **model, **centre))
        self.phone2 = self.add(Handset(asset_tag="GJ-2", serial="SER2", **model, **centre))
        self.spare = self.add(Handset(asset_tag="GJ-3", serial="SER3", **model, **centre))
        self.number = self.add(Number(e164="+8613800005678", **centre))
        self.account = self.add(
            WeChatAccount(
                district_id=org.district,
                nickname="锦绣小新",
                wechat_id="jx-xiaoxin",
                number_id=self.number,
                **centre,
            )
        )
        for post, part in (
            (org.post, {"handset_id": self.phone}),
            (org.post, {"number_id": self.number}),
            (org.post, {"wechat_account_id": self.account}),
            (self.second, {"handset_id": self.phone2}),
        ):
            self.add(KitAssignment(post_id=post, valid_from=since, **part, **centre))
        for post, who in ((org.post, org.zhang), (self.second, org.li)):
            self.add(PostHolding(post_id=post, employee_id=who, valid_from=since, **centre))
        self.lead = self.person("lead")
        self.operations = self.person("operations")
        self.zhang = self.person("butler", org.zhang)
        self.li = self.person("butler", org.li)

    @property
    def given(self) -> dict[str, Any]:
        return {"tools": self.tools, "now": self.clock.now()}

    @property
    def told(self) -> dict[str, Any]:
        return {"policies": self.rt.policies, "now": self.clock.now()}

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row.id

    def person(self, role: str, employee: Any = None, centre: Any = None, login: str = "") -> Principal:
        by = By("test", self.clock.now())
        name = login or f"{role}{'-' + str(employee)[-6:] if employee else ''}"
        user, _ = create_user(self.session, UserInput(name, f"{role}先生", employee_id=employee), by)
        grant(self.session, user.id, role, None if role == "admin" else centre or self.org.centre, by)
        self.session.flush()
        return principal_of(self.session, user.id, self.clock.now())

    def also(self, who: Principal, role: str) -> Principal:
        """He with one role more in the centre."""
        user_id = uuid.UUID(who.user)
        grant(self.session, user_id, role, self.org.centre, By("test", self.clock.now()))
        self.session.flush()
        return principal_of(self.session, user_id, self.clock.now())

    def file(self, kind: str, text: str | None = None, subject: Any = None) -> Any:
        """Files a password as in force, by operations; its secret's id."""
        of = OF[kind]
        part = subject or {"handset": self.phone, "number": self.number, "wechat": self.account}[of]
        filed = Filed(of, part, kind, text or SECRETS[kind], True)
        secret, _ = file_secret(
            self.session,
            self.operations,
            filed,
            vault=self.rt.vault,
            policies=self.rt.policies,
            now=self.clock.now(),
        )
        return secret.id

    def check(self, secret_id: Any, typed: str, who: Principal | None = None) -> bool:
        """A blind check, committed, as an edge does it."""
        who, now = who or self.lead, self.clock.now()
        taken = checking.take_try(
            self.session, who, secret_id, vault=self.rt.vault, policies=self.rt.policies, now=now
        )
        assert taken
        matched = checking.check(self.session, who, secret_id, typed, vault=self.rt.vault, now=now)
        self.commit()
        return matched

    def commit(self) -> None:
        self.session.commit()
        begin_write(self.session)


@pytest.fixture
def place(app: Flask, session: Session, org: Any, clock: Any) -> Place:
    made = Place(app, session, org, clock)
    made.commit()
    return made


@pytest.fixture
def full(place: Place) -> SimpleNamespace:
    """All of Zhang's passwords are filed; ids of the secrets by kind."""
    found = SimpleNamespace(**{kind: place.file(kind) for kind in SECRETS})
    place.commit()
    place.clock.move(60)
    return found
