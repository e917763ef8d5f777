"""Boots in the database: the same bounds for any order, any batches, and batches that arrive at once."""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset
from app.uptime import absorb_readings, store
from app.uptime.boots import from_reading, merge
from app.uptime.model import PhoneBoot, PhonePower
from tests.app.conftest import START, Org
from tests.app.uptime.support import BOOT_A, BOOT_B, add_handset, reading

US = dt.timedelta(microseconds=1)


@pytest.fixture
def phone(app: Flask, org: Org) -> uuid.UUID:
    return add_handset(app, org.centre, "S1")


def _boots(session: Session, phone: uuid.UUID):  # type: ignore[no-untyped-def]
    return sorted(store.boots_of(session, SYSTEM, phone), key=repr)


def test_a_reading_makes_a_boot_and_the_latest_proof(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START, 60_000_000, count=7)])
    row = session.scalars(select(PhoneBoot)).one()
    assert row.started_earliest == row.started_latest == START - dt.timedelta(minutes=1)
    assert (row.read_last, row.count_low, row.count_high) == (START, 7, 7)
    assert (row.uptime_us, row.open_us, row.shutdown_last_us) == (60_000_000, None, None)
    assert row.centre_id == org.centre
    power = session.scalars(select(PhonePower)).one()
    assert (power.boot_id, power.proof_last) == (uuid.UUID(BOOT_A), START)


def test_an_undated_reading_is_a_journal_that_just_stops(
    phone: uuid.UUID, org: Org, session: Session
) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, None, 5_000_000)])
    row = session.scalars(select(PhoneBoot)).one()
    assert (row.open_us, row.read_last, row.started_earliest) == (5_000_000, None, None)
    assert session.scalars(select(PhonePower)).all() == []


def test_grades_stay_apart(phone: uuid.UUID, org: Org, session: Session) -> None:
    rows = [reading(phone, org.centre, BOOT_A, START, 1_000_000, grade=g) for g in ("self", "gateway")]
    absorb_readings(session, rows)
    assert [grade for grade, _ in _boots(session, phone)] == ["gateway", "self"]


def test_any_order_doubles_and_batches_give_the_same(phone: uuid.UUID, org: Org, session: Session) -> None:
    dice = random.Random(7)
    readings = []
    for i in range(60):
        boot = dice.choice([BOOT_A, BOOT_B])
        at = None if dice.random() < 0.2 else START + i * dt.timedelta(seconds=30)
        readings.append(
            reading(phone, org.centre, boot, at, 10**9 + i * 31_000_000, count=dice.choice([None, 3, 4]))
        )
    expected: dict[str, object] = {}
    for r in readings:
        at = None if r.at is None else (r.at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // US
        one = from_reading(r.boot_id, r.boot_count, at, r.uptime_us)
        expected[r.boot_id] = merge(expected[r.boot_id], one) if r.boot_id in expected else one  # type: ignore[arg-type]
    for _ in range(2):
        dice.shuffle(readings)
        for start in range(0, 60, 7):
            absorb_readings(session, readings[start : start + 9])
    assert {boot.boot_id: boot for _, boot in _boots(session, phone)} == expected


def test_a_late_reading_sets_the_latest_proof_not_back(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_B, START, 1_000_000)])
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START - dt.timedelta(hours=1), 1_000_000)])
    assert session.scalars(select(PhonePower)).one().boot_id == uuid.UUID(BOOT_B)


def test_the_latest_proof_of_a_batch_is_not_its_last_line(
    phone: uuid.UUID, org: Org, session: Session
) -> None:
    early, late = START - dt.timedelta(hours=1), START
    absorb_readings(
        session, [reading(phone, org.centre, b, at, 1) for b, at in ((BOOT_B, late), (BOOT_A, early))]
    )
    power = session.scalars(select(PhonePower)).one()
    assert (power.boot_id, power.proof_last) == (uuid.UUID(BOOT_B), late)


def test_batches_at_once_lose_no_bound(app: Flask, org: Org) -> None:
    phones = [add_handset(app, org.centre, f"S{i}") for i in range(8)]
    hours = range(12)
    failed: list[BaseException] = []

    def send(hour: int) -> None:
        batch = [
            reading(p, org.centre, BOOT_A, START + dt.timedelta(hours=hour), hour * 3_600_000_000 + hour)
            for p in random.Random(hour).sample(phones, len(phones))
        ]
        try:
            with app.app_context():
                absorb_readings(begin_write(db.session()), batch)
                db.session.commit()
                db.session.remove()
        except BaseException as exc:  # noqa: BLE001 - told to the main thread
            failed.append(exc)

    threads = [threading.Thread(target=send, args=(hour,)) for hour in hours]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with app.app_context():
        for phone in phones:
            row = db.session.scalars(select(PhoneBoot).where(PhoneBoot.handset_id == phone)).one()
            assert row.read_last == START + dt.timedelta(hours=11)
            assert (row.started_latest, row.started_earliest) == (START, START - 11 * US)
        db.session.remove()


def test_boots_of_a_foreign_centre_are_not_shown(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START, 1)])
    stranger = Principal("x", frozenset({"lead"}), frozenset({org.other_centre}))
    assert store.boots_of(session, stranger, phone) == []
    assert list(store.latest_proofs(session, stranger, [phone])) == []
    assert session.get(Handset, phone) is not None
