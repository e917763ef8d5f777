"""From an app on a phone to its removal, on each maker's phone: read, judged, ordered, signed, carried out, read again.

The server, the gateway and its ADB are the real ones; the phones are simulated makers' phones of Android 7 to 16 that
refuse, lie and put apps back. Whatever a phone says, a case ends as removed only where the app really does not run any
more, and an app that does not run any more leaves no case open.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.simulator.android.removal import RemovalLie as L
from agent.simulator.catalogue import WORK_APPS
from agent.simulator.fleet import Fleet
from agent.simulator.profiles import PROFILES, add_second_users, worked_phone
from agent.simulator.state import AuthMode, Enabled, Package, PhoneState, UserState
from app.commands import expire_commands, tell_ended
from app.compliance import rejudge
from app.escrow import keeping
from app.fleet import make_code
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import LayerInput, put_layer
from app.registry import Company, District, Handset, ServiceCentre
from app.registry.model import HandsetImei
from app.remedy.hook import tools
from app.remedy.model import RemedyCase
from app.remedy.ordering import order
from app.remedy.timing import follow, sweep
from app.runtime import command_hooks
from tests.support.agents import FakeAgent
from tests.support.wipe_gateway import Gateway
from tests.support.wipe_line import Line, to_server

BAD, ODD, TOOL = "com.ss.android.ugc.aweme", "com.example.game", "com.example.tool"
LABELS = ("微信", "爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机")
ALLOWED = {
    "apps": {label: {"package": app.name} for label, app in zip(LABELS, WORK_APPS, strict=True)},
    "allowed": {TOOL: "工具"},
    "grace_hours": {"critical": 0, "high": 0, "medium": 0, "low": 0},
}
FINDINGS = ("app_forbidden", "app_not_prescribed", "app_sideloaded", "app_in_other_user", "system")
LIES: tuple[tuple[L, ...], ...] = (
    (), (L.UNINSTALL_SAYS_SUCCESS,), (L.INTERNAL_ERROR,), (L.UNINSTALL_SAYS_FAILURE,), (L.COMES_BACK,),
    (L.USER_RESTRICTED, L.DISABLE_SAYS_DONE), (L.CODE_1000, L.DISABLE_REFUSED, L.SUSPEND_SAYS_DONE),
    (L.SECURITY_SETTINGS,), (L.DROPS,), (L.UNINSTALL_SAYS_SUCCESS, L.DISABLE_SAYS_DONE, L.SUSPEND_SAYS_DONE),
)  # fmt: skip

EACH = 3
"""A turn takes one phone in so many; the proof's turns take each with each finding and each lie."""


@dataclass
class Culprit:
    """What is wrong with one phone: the finding, the app, whose it is, and how the phone takes its removal."""

    state: PhoneState
    code: str
    package: str
    user: int
    lies: tuple[L, ...]

    @property
    def others(self) -> set[tuple[str, int]]:
        """All that is installed beside it."""
        return {(one.name, user) for one in self.state.packages for user in one.users} - {
            (self.package, self.user)
        }

    @property
    def runs(self) -> bool:
        """Whether that user can start the app on the phone, as it really is."""
        app = next((one for one in self.state.packages if one.name == self.package), None)
        own = app.users.get(self.user) if app else None
        return own is not None and own.enabled in (Enabled.DEFAULT, Enabled.ENABLED) and not own.suspended


def culprit(name: str, index: int, turn: int) -> Culprit:
    state = worked_phone(name, index)
    add_second_users(state, name)
    state.auth = AuthMode.OPEN
    code = FINDINGS[(index + turn) % len(FINDINGS)]
    lies = LIES[(index * 3 + turn * 7) % len(LIES)]
    readable = [user.id for user in state.users if user.id not in state.unreadable_users]
    package = {"app_forbidden": BAD, "app_not_prescribed": ODD, "system": BAD}.get(code, TOOL)
    user = readable[-1] if code in ("app_in_other_user", "app_forbidden") else 0
    if code == "app_in_other_user" and user == 0:
        code = "app_sideloaded"
    store = "com.android.packageinstaller" if code == "app_sideloaded" else "com.android.vending"
    state.packages.append(
        Package(
            package,
            7000,
            "1.7",
            code == "system",
            store,
            f"/data/app/{package}/base.apk",
            10400,
            {user: UserState()},
        )
    )
    state.removal_lies = {package: [str(lie) for lie in lies]}
    return Culprit(state, code, package, user, lies)


def clone_of(one: Culprit) -> Culprit:
    """Another phone with the same serial, which has the same app and tells the same lies."""
    state = deepcopy(one.state)
    state.identity.android_id, state.boot_id = "c10ec10ec10ec10e", str(uuid.uuid4())
    return replace(one, state=state)


@contextmanager
def swapped(fleet: Fleet, culprits: list[Culprit], twin: Culprit) -> Iterator[None]:
    """The clone lies where its original did."""
    place = next(
        i for i, one in enumerate(culprits) if one.state.identity.serial == twin.state.identity.serial
    )
    fleet.swap(place, len(culprits))
    try:
        yield
    finally:
        fleet.swap(place, len(culprits))


class Centre:
    """One service centre with its gateway and a phone of each maker and release."""

    def __init__(self, app: Flask, clock: FixedClock, folder: Path) -> None:
        self.app, self.clock, self.folder = app, clock, folder

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def found(self, culprits: list[Culprit]) -> FakeAgent:
        now = self.clock.now()
        times: dict[str, Any] = {"created_at": now, "updated_at": now}
        here, agent = self.app.extensions["butler"], FakeAgent(self.app, self.clock.now)
        with self.writing() as session:
            keeping.set_up(session, here.vault, None, now)
            company = Company(name="示例物业", **times)
            session.add(company)
            session.flush()
            district = District(company_id=company.id, code="HD", name="华东大区", **times)
            session.add(district)
            session.flush()
            place = ServiceCentre(district_id=district.id, code="C1", name="锦绣花园", **times)
            session.add(place)
            session.flush()
            self.centre = place.id
            self.phones = [
                self._register(session, one.state, index, times) for index, one in enumerate(culprits)
            ]
            for subject, body in (("allowlist", ALLOWED), ("remedy", {"centre_day": 500})):
                layer = LayerInput(subject, "centre", place.id, body, "test")
                put_layer(session, SYSTEM, here.policies, layer, expected_version=0, now=now)
            code = make_code(
                session, SYSTEM, place.id, url="http://127.0.0.1:8000", command_key=here.keys.public_key("agent-reads"),
                name=None, handset_id=None, hours=24, now=now,
            )  # fmt: skip
        assert agent.enrol(code.code.token).status_code == 201
        return agent

    def _register(self, session: Session, state: PhoneState, index: int, times: dict[str, Any]) -> uuid.UUID:
        identity = state.identity
        row = Handset(
            centre_id=self.centre, asset_tag=f"GJ-{index:04}", serial=identity.serial, brand=identity.brand,
            model=identity.model, specification={}, **times,
        )  # fmt: skip
        row.imeis += [HandsetImei(imei=imei, slot=slot) for slot, imei in enumerate(identity.imeis, 1)]
        session.add(row)
        session.flush()
        return row.id

    def jobs(self) -> None:
        with self.writing() as session:
            now = self.clock.now()
            expire_commands(session, now, lambda one: tell_ended(one, command_hooks(), session, now))
        for job in (lambda s, t, n: rejudge(s, t.policies, n), follow, sweep):
            with self.writing() as session:
                job(session, tools(), self.clock.now())

    def cases(self) -> dict[uuid.UUID, list[RemedyCase]]:
        with self.app.app_context():
            found: dict[uuid.UUID, list[RemedyCase]] = {}
            for case in db.session().scalars(select(RemedyCase)):
                found.setdefault(case.handset_id, []).append(case)
            db.session().expunge_all()
            db.session.remove()
        return found

    def order(self, case_id: uuid.UUID) -> str | None:
        """By the lead; the code of why not."""
        lead = Principal(
            "u-lead", frozenset({"lead"}), frozenset({self.centre}), rights=frozenset({("lead", self.centre)})
        )
        try:
            with self.writing() as session:
                order(
                    session,
                    lead,
                    tools(),
                    case_id,
                    reason="工作手机不能装",
                    accept_loss=True,
                    now=self.clock.now(),
                )
        except DomainError as exc:
            return exc.fields[0].field if exc.fields else exc.code
        return None

    def wait(self, gateway: Gateway, seconds: float) -> None:
        self.clock.move(seconds)
        gateway.box.steady.now += seconds


def story(centre: Centre, culprits: list[Culprit]) -> list[str]:
    """All of it once; what was wrong."""
    agent = centre.found(culprits)
    wrong: list[str] = []
    before = [one.others for one in culprits]
    twin = clone_of(next(one for one in culprits if one.code != "system"))
    with Fleet([*(one.state for one in culprits), twin.state]) as fleet:
        targets = [f"tcp:127.0.0.1:{port}" for port in fleet.ports[:-1]]
        line = Line(lambda sent: to_server(centre.app, sent))
        gateway = Gateway(agent, line, centre.folder / "gateway", lambda: targets, centre.clock.now)
        try:
            gateway.read()
            assert gateway.report()
            centre.jobs()
            ordered = {}
            for one, phone in zip(culprits, centre.phones, strict=True):
                case = _case_of(centre, phone, one)
                if case is None:
                    wrong.append(f"{one}: no case was opened")
                else:
                    ordered[phone] = case.id, centre.order(case.id)
            for turn in range(3):
                centre.wait(gateway, 60)
                gateway.read()
                assert gateway.report()
                with swapped(fleet, culprits, twin) if turn == 0 else nullcontext():
                    gateway.work()
                assert gateway.report()
                centre.jobs()
            for one, phone in zip(culprits, centre.phones, strict=True):
                if phone in ordered:
                    wrong += _wrong(centre, one, *ordered[phone])
            wrong += [
                f"{one.code}: another app is gone"
                for one, all_ in zip(culprits, before, strict=True)
                if one.others != all_
            ]
            wrong += [] if twin.runs else [f"{twin.code}: a clone lost its app"]
        finally:
            gateway.close()
    return wrong


def _case_of(centre: Centre, phone: uuid.UUID, one: Culprit) -> RemedyCase | None:
    mine = [case for case in centre.cases().get(phone, []) if case.subject.partition("@")[0] == one.package]
    return mine[0] if mine else None


def _wrong(centre: Centre, one: Culprit, case_id: uuid.UUID, blocked: str | None) -> Iterator[str]:
    case = next(case for found in centre.cases().values() for case in found if case.id == case_id)
    phone = one.state.identity
    where = f"{phone.brand} {phone.sdk} {one.code} {one.user} {one.lies}: {case.state} {case.why}"
    if (blocked == "system_app") != (one.code == "system") or blocked not in (None, "system_app"):
        yield f"{where}: blocked by {blocked}"
    elif blocked:
        if not one.runs:
            yield f"{where}: what was not ordered was done"
    elif case.state in ("removed", "gone"):
        if one.runs:
            yield f"{where}: it is told as removed, and runs"
    elif case.state != "task" or not one.runs:
        yield f"{where}: it runs: {one.runs}"


@pytest.fixture
def centre(make_app: Callable[..., Flask], sqlite_url: str, clock: FixedClock, tmp_path: Path) -> Centre:
    return Centre(make_app(sqlite_url), clock, tmp_path)


@pytest.mark.parametrize("turn", range(int(os.environ.get("BUTLER_PROVE_REMOVAL_TURNS", "1"))))
def test_what_is_told_as_removed_does_not_run(centre: Centre, turn: int) -> None:
    phones = list(enumerate(PROFILES))[turn % EACH :: EACH]
    wrong = story(centre, [culprit(name, index, turn) for index, name in phones])
    assert wrong == [], "\n".join(wrong)
