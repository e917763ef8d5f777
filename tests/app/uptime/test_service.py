"""Power as the pages and the API see it."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import LayerInput, PolicyFiles, put_layer
from app.uptime import State, absorb_readings, power_counts, power_now, timeline
from app.uptime.model import PhoneBoot
from tests.app.conftest import START, Caller, Org
from tests.app.uptime.support import BOOT_A, BOOT_B, add_handset, reading

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
HOUR_US = 3_600_000_000


@pytest.fixture
def phone(app: Flask, org: Org) -> uuid.UUID:
    return add_handset(app, org.centre, "S1")


@pytest.fixture
def far(app: Flask, org: Org) -> uuid.UUID:
    """A phone of another centre."""
    return add_handset(app, org.other_centre, "S2")


@pytest.fixture
def files(app: Flask) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


def test_a_fresh_proof_is_on_since_its_boot(
    phone: uuid.UUID, org: Org, session: Session, files: PolicyFiles
) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START, HOUR_US)])
    now = power_now(session, SYSTEM, [phone], START + 15 * MINUTE, files)[phone]
    assert (now.state, now.since, now.last_proof_at) == (State.ON, START - HOUR, START)
    assert now.boot_id == BOOT_A


def test_silence_is_unknown_and_never_off(
    phone: uuid.UUID, org: Org, session: Session, files: PolicyFiles
) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START, HOUR_US)])
    for silence in (15 * MINUTE + dt.timedelta(microseconds=1), 300 * HOUR):
        now = power_now(session, SYSTEM, [phone], START + silence, files)[phone]
        assert (now.state, now.since) == (State.UNKNOWN, START)


def test_a_proof_from_the_servers_future_shows_nothing_as_on(
    phone: uuid.UUID, org: Org, session: Session, files: PolicyFiles
) -> None:
    """The server's clock was set back: what it dated before says nothing about now."""
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START, HOUR_US)])
    assert power_now(session, SYSTEM, [phone], START - HOUR, files)[phone].state is State.UNKNOWN


def test_a_phone_of_which_nothing_is_proved(
    phone: uuid.UUID, org: Org, session: Session, files: PolicyFiles
) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, None, HOUR_US)])
    now = power_now(session, SYSTEM, [phone], START, files)[phone]
    assert (now.state, now.since, now.last_proof_at, now.boot_id) == (State.UNKNOWN, None, None, None)


def test_each_centre_has_its_own_freshness(
    phone: uuid.UUID, far: uuid.UUID, org: Org, session: Session, files: PolicyFiles
) -> None:
    here, there = phone, far
    layer = LayerInput("uptime", "centre", org.other_centre, {"fresh_minutes": 60}, "网关每半小时报告")
    put_layer(session, SYSTEM, files, layer, expected_version=0, now=START)
    absorb_readings(
        session,
        [reading(here, org.centre, BOOT_A, START, 1), reading(there, org.other_centre, BOOT_B, START, 1)],
    )
    now = power_now(session, SYSTEM, [here, there], START + HOUR, files)
    assert (now[here].state, now[there].state) == (State.UNKNOWN, State.ON)
    assert power_counts(session, SYSTEM, START + HOUR, files) == {State.ON: 1, State.UNKNOWN: 1}
    stranger = Principal("x", frozenset({"lead"}), frozenset({org.centre}))
    assert power_counts(session, stranger, START + HOUR, files) == {State.ON: 0, State.UNKNOWN: 1}
    assert power_now(session, stranger, [there], START + HOUR, files)[there].last_proof_at is None


def test_the_timeline_of_a_phone_that_was_switched_off(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(
        session,
        [
            reading(phone, org.centre, BOOT_A, START - 10 * HOUR, HOUR_US, count=7),
            reading(phone, org.centre, BOOT_B, START, 2 * HOUR_US, count=8, grade="self"),
        ],
    )
    session.execute(
        update(PhoneBoot)
        .where(PhoneBoot.boot_id == uuid.UUID(BOOT_A))
        .values(shutdown_first_us=3 * HOUR_US, shutdown_last_us=3 * HOUR_US)
    )
    told = timeline(session, SYSTEM, phone, START - 12 * HOUR, START)
    assert [(i.start, i.state.value) for i in told.intervals] == [
        (START - 12 * HOUR, "unknown"),
        (START - 11 * HOUR, "on"),
        (START - 8 * HOUR, "off"),
        (START - 2 * HOUR, "on"),
    ]
    assert told.seconds == {"on": 5 * 3600, "off": 6 * 3600, "unknown": 3600}
    assert told.proved_share == pytest.approx(11 / 12, abs=1e-4)
    assert [(b.boot_id, b.boot_count, b.ended, b.grades) for b in told.boots] == [
        (BOOT_B, 8, "open", ("self",)),
        (BOOT_A, 7, "shutdown", ("gateway",)),
    ]


def test_boots_of_another_time_are_not_listed(phone: uuid.UUID, org: Org, session: Session) -> None:
    absorb_readings(session, [reading(phone, org.centre, BOOT_A, START - 100 * HOUR, HOUR_US)])
    assert timeline(session, SYSTEM, phone, START - HOUR, START).boots == ()


@pytest.mark.parametrize("length", [dt.timedelta(0), -HOUR, dt.timedelta(days=401)])
def test_a_window_that_is_none(phone: uuid.UUID, org: Org, session: Session, length: dt.timedelta) -> None:
    with pytest.raises(Invalid):
        timeline(session, SYSTEM, phone, START, START + length)


class TestApi:
    @pytest.fixture(autouse=True)
    def _read(self, app: Flask, phone: uuid.UUID, org: Org) -> None:
        from app.kernel.db import begin_write, db

        with app.app_context():
            readings = [
                reading(phone, org.centre, BOOT_A, START - 5 * HOUR, HOUR_US, count=7),
                reading(phone, org.centre, BOOT_B, START, HOUR_US, count=8),
            ]
            absorb_readings(begin_write(db.session()), readings)
            db.session.commit()
            db.session.remove()

    def test_a_week_by_default(self, client: Caller, phone: uuid.UUID) -> None:
        body = client.get(f"/api/v1/handsets/{phone}/power").get_json()
        assert (body["from"], body["to"]) == ("2026-11-15T02:00:00.000000Z", "2026-11-22T02:00:00.000000Z")
        assert [i["state"] for i in body["intervals"]] == ["unknown", "on", "unknown", "on"]
        assert body["intervals"][2]["evidence"] == [{"code": "no_shutdown_mark", "boots": [BOOT_A, BOOT_B]}]
        assert body["now"]["state"] == "on"
        assert body["seconds"] == {"on": 7200, "off": 0, "unknown": 7 * 86400 - 7200}
        assert body["anomalies"] == []
        assert [boot["boot_count"] for boot in body["boots"]] == [8, 7]

    def test_a_window_never_reaches_into_the_future(self, client: Caller, phone: uuid.UUID) -> None:
        window = {"from": "2026-11-22T09:00:00+08:00", "to": "2027-01-01T00:00:00Z"}
        body = client.get(f"/api/v1/handsets/{phone}/power", query_string=window).get_json()
        assert [i["from"] for i in body["intervals"]] == ["2026-11-22T01:00:00.000000Z"]
        assert (body["to"], body["proved_share"]) == ("2026-11-22T02:00:00.000000Z", 1.0)

    @pytest.mark.parametrize(
        "window",
        [
            {"from": "2026-11-22T09:00:00"},
            {"from": "yesterday"},
            {"since": "x"},
            {"from": "2026-12-01T00:00:00Z"},
        ],
    )
    def test_bad_windows(self, client: Caller, phone: uuid.UUID, window: dict[str, str]) -> None:
        answer = client.get(f"/api/v1/handsets/{phone}/power", query_string=window)
        assert answer.status_code == 422
        assert answer.get_json()["errors"]

    def test_a_phone_that_is_not_there(self, client: Caller) -> None:
        assert client.get(f"/api/v1/handsets/{uuid.uuid4()}/power").status_code == 404

    def test_counts(self, client: Caller) -> None:
        assert client.get("/api/v1/power").get_json() == {"on": 1, "unknown": 0}

    def test_strangers_are_turned_away(self, anonymous: Caller, phone: uuid.UUID) -> None:
        assert anonymous.get(f"/api/v1/handsets/{phone}/power").status_code == 401
