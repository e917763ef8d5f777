"""What is known of a phone after readings came, late, again, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM, Principal
from app.readings import contact_failures, latest_sections, phone_states
from app.readings.jobs import JOBS
from app.readings.model import PhoneSection, PhoneState, Sighting
from tests.support.agents import FakeAgent, package, reading, with_sections
from tests.support.fleet import IMEIS, Phones, seconds_before

Rows = Callable[..., list[Any]]
USERS = [{"id": 0, "name": "机主", "running": True}]


@pytest.fixture
def look(app: Flask, phones: Phones) -> Callable[..., Any]:
    def read(act: Callable[..., Any], *args: Any) -> Any:
        with app.app_context():
            found = act(db.session(), *args)
            db.session.remove()
            return found

    return read


def test_a_late_reading_sets_nothing_back(
    gateway: FakeAgent, clock: FixedClock, phones: Phones, rows: Rows
) -> None:
    now_apps, old_apps = [package("com.now")], [package("com.old")]
    gateway.checkin(readings=[with_sections(reading(age_s=10, boot=2), packages=now_apps)])
    late = with_sections(reading(age_s=500, boot=1), packages=old_apps, users=USERS)
    answer = gateway.checkin(readings=[late]).get_json()
    assert (answer["accepted"], answer["want"]) == (1, [])
    (state,) = rows(PhoneState)
    assert (state.at, state.boot_count) == (seconds_before(clock, 10), 42)
    found = {s.name: orjson.loads(s.data) for s in rows(PhoneSection)}
    assert found == {"packages": now_apps, "users": USERS}  # of users nothing newer was known


def test_content_travels_once(
    gateway: FakeAgent, clock: FixedClock, phones: Phones, look: Callable[..., Any]
) -> None:
    whole = with_sections(reading(), users=USERS, packages=[package("a")])
    tags_only = {**whole, "sections": {}}
    assert gateway.checkin(readings=[tags_only]).get_json()["want"] == [
        {"phone": "S1", "sections": ["users", "packages"]}
    ]
    assert gateway.checkin(readings=[{**whole, "age_s": 1}]).get_json()["want"] == []
    clock.move(60)
    assert gateway.checkin(readings=[tags_only]).get_json()["want"] == []
    other = {**tags_only, "tags": {**whole["tags"], "packages": "0" * 32}, "age_s": 0}
    assert gateway.checkin(readings=[other]).get_json()["want"] == [{"phone": "S1", "sections": ["packages"]}]
    names = ("users", "packages", "sim")
    assert look(latest_sections, [phones["S1"]], names) == {
        phones["S1"]: {"users": USERS, "packages": [package("a")]}
    }


def test_undated_content_is_not_taken_for_new(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    gateway.checkin(readings=[with_sections(reading(age_s=None), users=USERS)])
    assert rows(PhoneSection) == []


def test_the_view_of_a_phone(
    gateway: FakeAgent, clock: FixedClock, phones: Phones, look: Callable[..., Any]
) -> None:
    gateway.checkin(
        readings=[reading(unread=[{"section": "sim", "reason": "not\nallowed"}])],
        unreached=[{"target": "tcp:x:1", "phone": "S1", "age_s": 0, "reason": "timeout"}],
    )
    ids = list(phones.ids.values())
    seen = look(phone_states, SYSTEM, ids)
    assert seen.keys() == {phones["S1"]}
    phone = seen[phones["S1"]]
    assert (phone.at, phone.power.battery_percent) == (seconds_before(clock, 2), 87)
    assert (phone.unread, phone.identity_refused) == ((("sim", "not allowed"),), False)
    (failure,) = look(contact_failures, SYSTEM, ids)[phones["S1"]]
    assert (failure.target, failure.reason) == ("tcp:x:1", "timeout")
    stranger = Principal("x", frozenset({"lead"}), frozenset({phones.other_centre}))
    assert look(phone_states, stranger, ids) == {}
    assert look(contact_failures, stranger, ids) == {}


def test_a_refused_identity_shows_until_it_is_mended(
    gateway: FakeAgent, phones: Phones, look: Callable[..., Any]
) -> None:
    gateway.checkin(readings=[reading(age_s=60), with_sections(reading(), identity={"imei": [IMEIS["F1"]]})])
    assert look(phone_states, SYSTEM, [phones["S1"]])[phones["S1"]].identity_refused


def test_a_phone_that_moved_is_told_of_in_its_new_centre(
    app: Flask, gateway: FakeAgent, phones: Phones, enroller: Any, rows: Rows
) -> None:
    gateway.checkin(readings=[reading()])
    with app.app_context():
        session = begin_write(db.session())
        from app.registry import Handset

        session.get_one(Handset, phones["S1"]).centre_id = phones.other_centre
        session.commit()
        db.session.remove()
    assert gateway.checkin(readings=[reading(age_s=1)]).get_json()["rejected"][0]["code"] == "foreign_phone"
    there = enroller.gateway(centre=phones.other_centre)
    assert there.checkin(readings=[reading(age_s=0)]).get_json()["accepted"] == 1
    assert rows(PhoneState)[0].centre_id == phones.other_centre


def test_a_sighting_is_forgotten_by_policy(
    app: Flask, gateway: FakeAgent, clock: FixedClock, rows: Rows
) -> None:
    gateway.checkin(readings=[reading("nobody", age_s=0)])

    def run() -> None:
        with app.app_context():
            session = begin_write(db.session())
            for job in JOBS:
                job.run(session, clock.now())
            session.commit()
            db.session.remove()

    clock.move(30 * 86_400)
    run()
    assert len(rows(Sighting)) == 1
    clock.move(1)
    run()
    assert rows(Sighting) == []
