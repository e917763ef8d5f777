"""Since when a phone is known by its `android_id`, which tells it from another of the same serial (R06)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import downgrade, stamp, upgrade

from app.kernel.clock import FixedClock
from app.kernel.db import db
from app.readings.model import PhoneKnown
from tests.support.agents import FakeAgent, reading, with_sections
from tests.support.fleet import Enroller, Phones, seconds_before

Rows = Callable[..., list[Any]]
MIGRATIONS = str(Path(__file__).resolve().parents[3] / "migrations")


def told(android_id: str | None, serial: str = "S1") -> dict[str, Any]:
    return with_sections(reading(serial), identity={"serial": serial, "imei": None, "android_id": android_id})


def known(rows: Rows) -> list[tuple[Any, ...]]:
    return [(row.android_id, row.since, row.replaced) for row in rows(PhoneKnown)]


def test_another_id_begins_anew(gateway: FakeAgent, clock: FixedClock, rows: Rows) -> None:
    gateway.checkin(readings=[told("a1")])
    first = seconds_before(clock, 2)
    clock.move(3600)
    gateway.checkin(readings=[told(None)])
    gateway.checkin(readings=[with_sections(told("a1"), users=[])])
    assert known(rows) == [("a1", first, False)]
    clock.move(3600)
    gateway.checkin(readings=[told("b2")])
    gateway.checkin(readings=[{**told("a1"), "age_s": 1.0}])
    assert known(rows) == [("a1", seconds_before(clock, 1), True)]


def test_a_phone_is_no_witness_of_itself(enroller: Enroller, phones: Phones, rows: Rows) -> None:
    agent = enroller.self_agent("S1")
    assert agent.checkin(readings=[{**told("a1"), "grade": "self"}]).status_code == 200
    assert rows(PhoneKnown) == []


def test_what_was_read_before_there_was_such_a_table_counts(
    app: Flask, gateway: FakeAgent, enroller: Enroller, clock: FixedClock, rows: Rows
) -> None:
    """Else each phone that hides its IMEI would have to wait anew after an update."""
    gateway.checkin(readings=[told("a1")])
    enroller.self_agent("S2").checkin(readings=[{**told("b2", "S2"), "grade": "self"}])
    before = seconds_before(clock, 2)
    clock.move(86400)
    with app.app_context():
        db.session.remove()
        stamp(MIGRATIONS)
        downgrade(MIGRATIONS, revision="0006")
        upgrade(MIGRATIONS)
        db.session.remove()
    assert known(rows) == [("a1", before, False)]
