"""Makers' phones x what may be wrong with them x what hides: read over ADB by the agent's own reader, sent to the
server's check-in as the agent sends it, judged by a list that `agent preset` made from fresh phones of the same makers.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask

from agent import wire
from agent.clock import steady
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.instant import SiteClock
from agent.main import main as agent_command
from agent.reading import PhoneReader
from agent.remove import RemoveApp
from agent.simulator import changes
from agent.simulator.android.removal import RemovalLie
from agent.simulator.catalogue import WORK_APPS
from agent.simulator.fleet import Fleet
from agent.simulator.profiles import add_second_users, fresh_phone, worked_phone
from agent.simulator.state import AuthMode, Package, PhoneState
from agent.simulator.vendors import VENDORS
from agent.sweep import Serials
from agent.transport import TransportOptions
from app.compliance import verdicts
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.registry import Handset
from tests.support.agents import FakeAgent
from tests.support.matrix_cases import BOARD, CAMERA, CASES, CODES, FORBIDDEN, Found, silent

LABELS = ("微信", "爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机")
PATCH = "2026-09-01"
CAMERA_SIGNER = "c0ffee01"
# What cases change of a phone; the rest belongs to the phone at work.
_STATE = (
    "identity", "packages", "users", "unreadable_users", "accounts", "settings", "properties", "lock_pin",
    "device_owner", "profile_owners", "install_sources", "storage_free", "su", "selinux_enforcing", "loader_unlocked",
    "refused", "removal_lies", "screen_on", "returning",
)  # fmt: skip
HANGING = frozenset({RemovalLie.HANGS})
"""Lies after which somebody waits for many seconds."""


@dataclass
class Verdict:
    status: str
    found: Found
    passes: Found


def learned(names: Sequence[str]) -> dict[str, Any]:
    """What `agent preset` says of a fresh phone of each profile."""
    found: dict[str, dict[str, Any]] = {}
    phones = [fresh_phone(name, index) for index, name in enumerate(names)]
    for phone in phones:
        phone.auth = AuthMode.OPEN
    with Fleet(phones) as fleet:
        for port in fleet.ports:
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
                assert agent_command(["preset", f"tcp:127.0.0.1:{port}", "--json"]) == 0
            for brand, models in json.loads(out.getvalue())["presets"].items():
                found.setdefault(brand, {}).update(models)
    return found


def policy(names: Sequence[str]) -> dict[str, Any]:
    """A centre's layer by which these makers' phones are clean, without any grace."""
    apps = {
        label: {"package": app.name, "required": True} for label, app in zip(LABELS, WORK_APPS, strict=True)
    }
    apps["爱家项目看板"]["least_version"] = CODES[BOARD]
    apps["水印相机"]["signer"] = CAMERA_SIGNER
    return {
        "apps": apps,
        "presets": learned(names),
        "users": {"work": 0, "allowed": [0, 10, 150, 999]},
        "accounts": {"allowed": [vendor.account for vendor in VENDORS.values()]},
        "settings": {"developer_options": "off", "adb_wifi": "off"},
        "grace_hours": {"critical": 0, "high": 0, "medium": 0, "low": 0},
    }


def clean_phone(name: str, index: int, *, users: bool) -> PhoneState:
    """Nothing is wrong with it, and as much is told as its Android tells."""
    phone = worked_phone(name, index)
    if users:
        add_second_users(phone, name)
    phone.auth, phone.screen_on, phone.identity.security_patch = AuthMode.OPEN, False, PATCH
    changes.apply(
        phone,
        {
            "settings": {"global": {"development_settings_enabled": "0"}},
            "install": [{"name": CAMERA, "signer": CAMERA_SIGNER}],
        },
    )
    return phone


class Matrix:
    """One centre, one gateway, a phone of each profile; `whole`: each with its maker's second users and without, else
    one way or the other.
    """

    def __init__(
        self, app: Flask, agent: FakeAgent, centre: uuid.UUID, names: Sequence[str], *, whole: bool
    ) -> None:
        self._app, self._agent = app, agent
        self.names = [
            (name, users)
            for place, name in enumerate(names)
            for users in (False, True)
            if whole or users == bool(place % 2)
        ]
        self.phones = [clean_phone(name, i, users=users) for i, (name, users) in enumerate(self.names)]
        self.fleet: Fleet
        self.options = TransportOptions(connect_s=20, auth_wait_s=1)
        self._reader = PhoneReader(SiteClock("g1"), self.options, hmac_key=lambda: b"k" * 32)
        self._ids = self._register(centre, policy(names))

    @contextlib.contextmanager
    def up(self) -> Iterator[Matrix]:
        with Fleet(self.phones) as self.fleet:
            yield self

    def target(self, place: int) -> str:
        return f"tcp:127.0.0.1:{self.fleet.ports[place]}"

    @contextlib.contextmanager
    def changed(self, place: int, fields: Mapping[str, Any]) -> Iterator[PhoneState]:
        """The phone with these fields of a scenario, for as long as it lasts."""
        phone = self.phones[place]
        before = {name: copy.deepcopy(getattr(phone, name)) for name in _STATE}
        changes.apply(phone, dict(fields))
        try:
            yield phone
        finally:
            for name, value in before.items():
                setattr(phone, name, value)

    def read(self, place: int) -> Verdict:
        """Over ADB, the wire and the check-in to the verdict that a page would show."""
        entry = self._reader.read(self.target(place))
        assert entry.part == "readings", entry.body
        sections = {name: json.loads(text) for name, text in entry.contents.items()}
        answer = self._agent.checkin(readings=[{**entry.body, "age_s": 0.5, "sections": sections}])
        told = answer.get_json()
        assert (answer.status_code, told["accepted"], told["rejected"]) == (200, 1, []), told
        return self.verdict(place)

    def verdict(self, place: int) -> Verdict:
        with self._app.app_context():
            verdict = verdicts(db.session(), SYSTEM, [self._ids[place]])[self._ids[place]]
            rows = frozenset((f.code, f.subject, f.status.value) for f in verdict.findings)
            db.session.remove()
        passes = frozenset(row for row in rows if row[2] == "pass")
        return Verdict(verdict.status.value, rows - passes, passes)

    def prove_clean(self, place: int) -> Verdict:
        """A phone that nobody changed has nothing against it but what it does not tell."""
        clean = self.read(place)
        assert clean.found == silent(self.phones[place]), self.names[place]
        assert clean.status == ("unknown" if clean.found else "pass"), self.names[place]
        return clean

    def prove(self, place: int, case: str, clean: Verdict) -> None:
        """What a case makes wrong is found, and nothing else; what is hidden is unknown, and nothing turns good."""
        fields, expected = CASES[case]
        with self.changed(place, fields(self.phones[place])) as phone:
            found, wanted = self.read(place), expected(phone)
        new, where = found.found - clean.found, (case, *self.names[place])
        assert not {row for row in clean.found - found.found if wanted is not None}, where
        if wanted is None:
            assert new, where
            assert {status for _, _, status in new} == {"unknown"}, (where, new)
            assert found.passes <= clean.passes, where
        else:
            assert new == wanted, where
        statuses = {status for _, _, status in found.found}
        assert found.status == ("fail" if "fail" in statuses else "unknown" if statuses else "pass"), where
        assert not {row[:2] for row in found.passes} & {row[:2] for row in found.found}, where

    def prove_removal(self, place: int, lie: str | None) -> str:
        """A forbidden app is ordered away from a phone that answers one thing and does another: what the agent tells
        is what the phone holds, and the next reading's verdict says the same. The outcome.
        """
        fields = {
            "install": [{"name": FORBIDDEN, "version_code": 1}],
            "removal_lies": {FORBIDDEN: [lie]} if lie else {},
        }
        with self.changed(place, fields) as phone:
            assert ("app_forbidden", FORBIDDEN, "fail") in self.read(place).found
            outcome = self._remove(place)
            app = next((item for item in phone.packages_of(0) if item.name == FORBIDDEN), None)
            assert outcome in _possible(app), (lie, self.names[place], outcome, app)
            found = self.read(place).found
        active = app is not None and app.users[0].enabled.runs and not app.users[0].suspended
        assert active == (("app_forbidden", FORBIDDEN, "fail") in found), (lie, self.names[place], outcome)
        return outcome

    def _remove(self, place: int) -> str:
        who, target = self.phones[place].identity, self.target(place)
        serial = who.serial
        at_hand = PhoneAtHand(self.options, Hands(), Serials({target: serial}), lambda: [target], steady)
        args = {"case": str(uuid.uuid4()), "package": FORBIDDEN, "user": 0, "system": False}
        args["expect"] = {"android_id": who.android_id}
        args["acts"] = ["uninstall", "disable", "suspend"]
        order = wire.Command(
            str(uuid.uuid4()), "remove_app", "a1", serial, (), args, 600, wire.DANGER_PURPOSE
        )
        told = RemoveApp(at_hand, settle_s=0, sleep=lambda _s: None)(order)
        assert told is not None
        return str(told.detail.get("outcome", told.state))

    def _register(self, centre: uuid.UUID, layer: dict[str, Any]) -> list[uuid.UUID]:
        runtime = self._app.extensions["butler"]
        now = runtime.clock.now()
        with self._app.app_context():
            session = begin_write(db.session())
            put_layer(
                session, SYSTEM, runtime.policies, LayerInput("allowlist", "centre", centre, layer, "矩阵"),
                expected_version=0, now=now,
            )  # fmt: skip
            rows = [
                Handset(
                    centre_id=centre, asset_tag=f"MX-{place:04}", serial=phone.identity.serial, specification={},
                    brand=phone.identity.brand, model=phone.identity.model, created_at=now, updated_at=now,
                )
                for place, phone in enumerate(self.phones)
            ]  # fmt: skip
            session.add_all(rows)
            session.commit()
            ids = [row.id for row in rows]
            db.session.remove()
        return ids


def _possible(app: Package | None) -> set[str]:
    """What may be told of an app in this state: never more than was done, and "unknown" of anything."""
    if app is None:
        return {"uninstalled", "gone", "unknown"}
    state = app.users[0]
    done = set() if state.enabled.runs else {"disabled"}
    done |= {"suspended"} if state.suspended else set()
    return (done or {"unchanged", "protected"}) | {"unknown", "not_now"}
