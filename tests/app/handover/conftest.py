"""A post with a whole kit whose passwords are filed, a lead, a witness, and three butlers with logins."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.escrow import Filed, file_secret, keeping, keyring_rules
from app.handover import items, model, reading, service, signing, store
from app.handover.completing import AtHand
from app.handover.items import ItemInput
from app.kernel.clock import FixedClock
from app.kernel.tenancy import SYSTEM, Principal
from app.people import principal_of, set_known_password
from app.people.model import RoleGrant, User
from app.registry import Employee, Handset, KitAssignment, Number, PostHolding, WeChatAccount
from app.registry.model import HandsetImei
from tests.app.session.conftest import PASSWORD, Person, browser_of

DAY = dt.timedelta(days=1)
INK = b"\x89PNG drawn by "


class Apart(Person):
    """A browser whose requests know nothing of the test's own application context and session."""

    def post(self, path: str, **fields: Any) -> Any:
        return Context().run(super().post, path, **fields)

    def get(self, path: str) -> Any:
        return Context().run(super().get, path)


@pytest.fixture(autouse=True)
def _quick_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function with small parameters."""
    monkeypatch.setattr(keyring_rules, "ARGON", {"time_cost": 1, "memory_cost": 1024, "parallelism": 1})


@dataclass
class World:
    """What a test needs to tell a handover's story; everything in one session."""

    app: Flask
    session: Session
    org: Any
    clock: FixedClock
    handset: uuid.UUID
    number: uuid.UUID
    account: uuid.UUID
    wang: uuid.UUID
    users: dict[str, uuid.UUID]

    @property
    def now(self) -> dt.datetime:
        return self.clock.now()

    @property
    def policies(self) -> Any:
        return self.app.extensions["butler"].policies

    @property
    def at_hand(self) -> AtHand:
        here = self.app.extensions["butler"]
        return AtHand(here.policies, here.keys, here.blobs)

    def who(self, name: str) -> Principal:
        return principal_of(self.session, self.users[name], self.now)

    def signer(self, name: str) -> Any:
        user = self.session.get_one(User, self.users[name])
        return SimpleNamespace(
            user=str(user.id), name=user.name, employee=user.employee_id, how="own_session"
        )

    def wanted(self, kind: str, receiver: uuid.UUID | None = None, **changes: Any) -> service.Wanted:
        reason = {"issue": "joined", "handover": "left", "return": "leave"}[kind]
        return service.Wanted(self.org.post, kind, reason, receiver_id=receiver, **changes)

    def start(self, kind: str, receiver: uuid.UUID | None = None, **changes: Any) -> model.Handover:
        wanted = self.wanted(kind, receiver, **changes)
        return service.start(self.session, self.who("lead"), wanted, policies=self.policies, now=self.now)

    def leg(self, case: model.Handover, number: int = 1) -> model.HandoverLeg:
        return next(leg for leg in store.legs_of(self.session, case.id) if leg.number == number)

    def item(self, leg: model.HandoverLeg, name: str) -> model.HandoverItem:
        return next(row for row in reading.items_of(self.session, leg.id) if name in row.name)

    def save(
        self, item: model.HandoverItem, present: bool | None = True, condition: str = "good", words: str = ""
    ) -> model.HandoverItem:
        return items.save_item(
            self.session, self.who("lead"), item.id, ItemInput(present, condition, words), version=item.version,
            policies=self.policies, now=self.now,
        )  # fmt: skip

    def fill(self, leg: model.HandoverLeg, **other: tuple[bool | None, str, str]) -> None:
        """Everything is there and good, but what is named otherwise: (present, condition, words) by the item's name."""
        for row in reading.items_of(self.session, leg.id):
            self.save(row, *other.get(row.name, (True, "good", "")))

    def freeze(self, leg: model.HandoverLeg) -> model.HandoverRound:
        return signing.freeze(self.session, self.who("lead"), leg.id, policies=self.policies, now=self.now)

    def sign(
        self, leg: model.HandoverLeg, side: str, name: str, *, digest: str = "", by: str = "lead"
    ) -> model.HandoverLeg:
        seen = digest or store.open_round(self.session, leg).digest
        return signing.sign(
            self.session, self.who(by), leg.id, side, signer=self.signer(name), ink=INK + name.encode(),
            digest_seen=seen, at_hand=self.at_hand, now=self.now,
        )  # fmt: skip

    def done(self, leg: model.HandoverLeg, giver: str, receiver: str, **other: Any) -> model.HandoverLeg:
        """Counted, frozen and signed by both, two minutes later."""
        self.clock.move(120)
        self.fill(leg, **other)
        self.freeze(leg)
        self.sign(leg, "giver", giver)
        return self.sign(leg, "receiver", receiver)

    def issued(self, receiver: str = "zhang") -> model.HandoverLeg:
        """The kit is issued and signed for."""
        case = self.start("issue", self.employee(receiver))
        return self.done(self.leg(case), "lead", receiver)

    def employee(self, name: str) -> uuid.UUID:
        return {"zhang": self.org.zhang, "li": self.org.li, "wang": self.wang}[name]


@pytest.fixture
def world(app: Flask, session: Session, org: Any, clock: FixedClock) -> World:
    """Nobody holds the post; a phone, a number and an account have been tied to it for 90 days."""
    now = clock.now()
    stamp = {"created_at": now, "updated_at": now}

    def add(row: Any) -> uuid.UUID:
        session.add(row)
        session.flush()
        found: uuid.UUID = row.id
        return found

    wang = add(Employee(centre_id=org.centre, number="E003", name="王五", **stamp))
    phone = Handset(
        centre_id=org.centre,
        asset_tag="GJ-1",
        serial="S1",
        brand="Redmi",
        model="12C",
        specification={},
        **stamp,
    )
    handset = add(phone)
    session.add(HandsetImei(handset_id=handset, slot=1, imei="860000000000017"))
    number = add(Number(centre_id=org.centre, e164="+8613800005678", iccid="8986012345678901234", **stamp))
    account = add(WeChatAccount(centre_id=org.centre, district_id=org.district, nickname="小新", **stamp))
    for part in ({"handset_id": handset}, {"number_id": number}, {"wechat_account_id": account}):
        add(KitAssignment(centre_id=org.centre, post_id=org.post, valid_from=now - 90 * DAY, **part, **stamp))
    users = {}
    for name, role, employee in (
        ("lead", "lead", None), ("desk", "operations", None), ("zhang", "butler", org.zhang),
        ("li", "butler", org.li), ("wang", "butler", wang), ("auditor", "auditor", None),
    ):  # fmt: skip
        users[name] = add(User(login=name, name=f"用户{name}", employee_id=employee, **stamp))
        add(RoleGrant(user_id=users[name], role=role, centre_id=org.centre, valid_from=now))
    users["foreign"] = add(User(login="foreign", name="外人", **stamp))
    add(RoleGrant(user_id=users["foreign"], role="lead", centre_id=org.other_centre, valid_from=now))
    here = app.extensions["butler"]
    keeping.set_up(session, here.vault, None, now)
    session.flush()
    for of, subject, kind, text in (
        ("handset", handset, "screen_lock", "739154"), ("number", number, "service_password", "582931"),
        ("wechat", account, "wechat_password", "Kx7Qw2mmPt9z"),
    ):  # fmt: skip
        what = Filed(of, subject, kind, text, in_force=True)
        file_secret(session, SYSTEM, what, vault=here.vault, policies=here.policies, now=now)
    return World(app, session, org, clock, handset, number, account, wang, users)


@pytest.fixture
def browser(world: World) -> Callable[[str], Apart]:
    """`browser("zhang")`: he at a browser of his own, signed in with password and, where he needs it, authenticator.

    From then on the world's session only reads, or it would keep the write lock from the browsers.
    """
    for user_id in world.users.values():
        set_known_password(world.session, world.session.get_one(User, user_id), PASSWORD, world.now)
    world.session.commit()

    def sign_in(name: str) -> Apart:
        who = Apart(browser_of(world.app), world.clock, world.users[name], name)
        if "next" in who.sign_in().headers.get("Location", ""):
            who.enrol()
            who.clock.move(31)
        assert who.inside()
        return who

    return sign_in


def hold_post(world: World, name: str, since: dt.datetime) -> PostHolding:
    """As a registry has it that nobody signed for."""
    row = PostHolding(
        centre_id=world.org.centre, post_id=world.org.post, employee_id=world.employee(name), valid_from=since,
        created_at=world.now, updated_at=world.now,
    )  # fmt: skip
    world.session.add(row)
    world.session.flush()
    return row
