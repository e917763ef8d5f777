"""What has a phone ruled again, and what does not: a quiet fleet must cost nothing."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.kernel.tenancy import SYSTEM
from app.uptime import AbsorbedJournal, absorb_journals, absorb_readings, queue_settling, store
from app.uptime.model import SettleQueue
from tests.app.conftest import START, Org
from tests.app.uptime.support import AGENT, BOOT_A, BOOT_B, add_handset, reading

MINUTE = dt.timedelta(minutes=1)
HOUR_US = 3_600_000_000


@pytest.fixture
def phone(app: Flask, org: Org) -> uuid.UUID:
    return add_handset(app, org.centre, "S1")


def due(session: Session) -> dict[uuid.UUID, dt.datetime]:
    session.expire_all()
    return {row.handset_id: row.due_at for row in session.scalars(select(SettleQueue))}


def read(phone: uuid.UUID, org: Org, boot: str, minute: int, grade: str = "gateway"):  # type: ignore[no-untyped-def]
    return reading(
        phone, org.centre, boot, START + minute * MINUTE, HOUR_US + minute * 60_000_000, grade=grade
    )


def journal(
    phone: uuid.UUID, org: Org, boot: str, end: str, at: dt.datetime | None = START
) -> AbsorbedJournal:
    return AbsorbedJournal(phone, org.centre, at, boot, 7, HOUR_US, end, "gateway", AGENT)  # type: ignore[arg-type]


def test_the_earlier_of_two_times_holds(phone: uuid.UUID, org: Org, session: Session) -> None:
    for minute, held in ((5, 5), (9, 5), (2, 2), (2, 2)):
        queue_settling(session, {phone: org.centre}, START + minute * MINUTE)
        assert due(session) == {phone: START + held * MINUTE}
    queue_settling(session, {}, START)


def test_a_new_boot_is_looked_at_and_more_of_it_is_not(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [read(phone, org, BOOT_A, 3), read(phone, org, BOOT_A, 1)])
    assert due(session) == {phone: START + MINUTE}
    session.execute(delete(SettleQueue))
    absorb_readings(session, [read(phone, org, BOOT_A, minute) for minute in (4, 2)])
    assert due(session) == {}
    absorb_readings(session, [read(phone, org, BOOT_B, 6), read(phone, org, BOOT_A, 5)])
    assert due(session) == {phone: START + 6 * MINUTE}


@pytest.mark.parametrize("grade", ["gateway", "self"])
def test_what_comes_late_is_looked_at(phone: uuid.UUID, org: Org, session: Session, grade: str) -> None:
    """An earlier first reading, a former boot that ran longer than known, the same boot from another witness."""
    absorb_readings(session, [read(phone, org, BOOT_A, 10), read(phone, org, BOOT_B, 60)])
    for late in (read(phone, org, BOOT_B, 50), read(phone, org, BOOT_A, 20, grade)):
        session.execute(delete(SettleQueue))
        absorb_readings(session, [late])
        assert phone in due(session)


def test_any_reading_ends_a_wait(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [read(phone, org, BOOT_A, 1)])
    session.execute(update(SettleQueue).values(waits=True, due_at=START + 900 * MINUTE))
    absorb_readings(session, [read(phone, org, BOOT_A, 2)])
    assert due(session) == {phone: START + 2 * MINUTE}


def test_an_undated_reading_of_another_boot_comes_first(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, None, HOUR_US)])
    assert due(session)[phone] < START


def test_journals_prove_boots_and_shutdowns_are_looked_at(
    phone: uuid.UUID, org: Org, session: Session
) -> None:
    absorb_readings(session, [read(phone, org, BOOT_A, 1)])
    session.execute(delete(SettleQueue))
    absorb_journals(session, [journal(phone, org, BOOT_A, "open")])
    assert due(session) == {}
    absorb_journals(
        session, [journal(phone, org, BOOT_A, "shutdown"), journal(phone, org, BOOT_B, "open", None)]
    )
    assert due(session)[phone] < START
    boots = {boot.boot_id: boot for _, boot in store.boots_of(session, SYSTEM, phone)}
    assert (boots[BOOT_A].shutdown_last_us, boots[BOOT_A].open_us) == (HOUR_US, HOUR_US)
    assert (boots[BOOT_B].open_us, boots[BOOT_B].heard_first, boots[BOOT_B].count_high) == (HOUR_US, None, 7)
    absorb_journals(session, [])
