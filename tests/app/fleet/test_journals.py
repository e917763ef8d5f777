"""Journals of a check-in: what is taken, what is refused, and the way from a phone to the proof that it was off."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import update

from agent.instant import SiteClock
from agent.journal import JournalKeeper
from agent.reading import PhoneReader
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from agent.transport import TransportOptions
from app.fleet import checkin_journals
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.readings import JournalNote, journal_notes, note_journals
from app.readings.model import PhoneJournal
from app.registry import Handset
from app.uptime.model import PhoneBoot
from tests.agent.builders import Box, FakeSteady
from tests.app.conftest import Caller
from tests.support.agents import BOOT, FakeAgent, envelope, reading, with_sections
from tests.support.fleet import Enroller, Phones

SERIAL = "BUTLER0001"
Rows = Callable[..., list[Any]]


def journal(phone: str = "S1", boot: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "phone": phone,
        "target": "tcp:10.0.0.1:5002",
        "age_s": 2.0,
        "boot_id": f"{BOOT}{boot}",
        "boot_count": 40 + boot,
        "first_uptime_s": 60.0,
        "last_uptime_s": 3600.25,
        "lines": 60,
        "end": "shutdown",
        "grade": "gateway",
        "last": {"battery_percent": 3, "charging": False, "airplane_mode": False, "sim": "LOADED,ABSENT"},
    } | changes


def _codes(answer: Any) -> list[tuple[str, int, str]]:
    assert answer.status_code == 200, answer.text
    return [(r["part"], r["index"], r["code"]) for r in answer.get_json()["rejected"]]


def _notes(app: Flask, handset_id: uuid.UUID) -> list[JournalNote]:
    with app.app_context():
        found = journal_notes(db.session(), handset_id)
        db.session.remove()
    return found


def test_a_journal_moves_its_boots_bounds_and_can_be_read(
    app: Flask, gateway: FakeAgent, phones: Phones, clock: FixedClock, rows: Rows
) -> None:
    answer = gateway.checkin(journals=[journal()], pack=True)
    assert (_codes(answer), answer.get_json()["accepted"]) == ([], 1)
    (boot,) = rows(PhoneBoot)
    assert (boot.shutdown_last_us, boot.open_us, boot.count_high) == (3_600_250_000, None, 41)
    (note,) = _notes(app, phones["S1"])
    assert (note.boot_id, note.end, note.lines, note.last.sim) == (
        f"{BOOT}1",
        "shutdown",
        60,
        "LOADED,ABSENT",
    )
    assert note.collected_at is not None
    assert (note.received_at - note.collected_at).total_seconds() == 2
    assert note.battery_empty(3)
    assert not note.battery_empty(2)


@pytest.mark.parametrize(
    ("last", "empty"),
    [
        ({"battery_percent": None, "charging": False}, False),
        ({"battery_percent": 0, "charging": True}, False),
        ({"battery_percent": 0, "charging": None}, False),
        ({"battery_percent": 0, "charging": False}, True),
    ],
)
def test_an_empty_battery_is_said_only_where_it_is_known(
    app: Flask, gateway: FakeAgent, phones: Phones, last: dict[str, Any], empty: bool
) -> None:
    gateway.checkin(journals=[journal(last={"airplane_mode": None, "sim": None, **last})])
    (note,) = _notes(app, phones["S1"])
    assert note.battery_empty(3) is empty


def test_an_agent_of_before_sends_none(gateway: FakeAgent, phones: Phones) -> None:
    answer = gateway.checkin(readings=[reading()])
    assert (_codes(answer), answer.get_json()["accepted"]) == ([], 1)


def test_each_bad_entry_is_answered_alone(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    last = journal()["last"]
    cases: list[tuple[Any, str]] = [
        (None, "entry"),
        ({"phone": "S1"}, "age_s"),
        (journal(extra=1), "extra"),
        (journal(boot_id=f"{BOOT}A"), "boot_id"),
        (journal(end="off"), "end"),
        (journal(end=["shutdown"]), "end"),
        (journal(grade="human"), "grade"),
        (journal(first_uptime_s=-1), "first_uptime_s"),
        (journal(last_uptime_s=float("nan")), "last_uptime_s"),
        (journal(last_uptime_s=59.9), "last_uptime_s"),
        (journal(last_uptime_s=True), "last_uptime_s"),
        (journal(lines=0), "lines"),
        (journal(lines=True), "lines"),
        (journal(lines=1.5), "lines"),
        (journal(boot_count=-1), "boot_count"),
        (journal(age_s=-1), "age_s"),
        (journal(last={}), "last.airplane_mode"),
        (journal(last={**last, "sim": ""}), "last.sim"),
        (journal(last={**last, "sim": "x" * 101}), "last.sim"),
        (journal(last={**last, "charging": 1}), "last.charging"),
        (journal(last={**last, "battery_percent": 101}), "last.battery_percent"),
    ]
    answer = gateway.checkin(journals=[journal("S1"), *[entry for entry, _ in cases], journal("S2")])
    assert _codes(answer) == [("journals", i + 1, "bad_entry") for i in range(len(cases))]
    details = [r["detail"].partition(":")[0] for r in answer.get_json()["rejected"]]
    assert details == [field for _, field in cases]
    assert answer.get_json()["accepted"] == 2
    assert {row.handset_id for row in rows(PhoneJournal)} == {phones["S1"], phones["S2"]}


def test_other_peoples_phones_are_refused(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    entries = [journal("F1"), journal("nobody"), journal("0123456789ABCDEF"), journal("S1", grade="self")]
    answer = gateway.checkin(journals=entries)
    codes = ["foreign_phone", "unknown_phone", "placeholder_serial", "bad_entry"]
    assert _codes(answer) == [("journals", i, code) for i, code in enumerate(codes)]
    assert rows(PhoneBoot) == rows(PhoneJournal) == []


def test_a_phone_speaks_for_itself_alone(enroller: Enroller, phones: Phones, rows: Rows) -> None:
    agent = enroller.self_agent("S1")
    answer = agent.checkin(journals=[journal("S1", grade="self"), journal("S2", grade="self")])
    assert _codes(answer) == [("journals", 1, "foreign_phone")]
    assert [row.grade for row in rows(PhoneBoot)] == ["self"]


def test_another_phone_of_that_serial_is_not_believed(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    stranger = with_sections(reading("S1"), identity={"serial": "S1", "imei": ["353918057997632"]})
    answer = gateway.checkin(readings=[stranger], journals=[journal("S1"), journal("S2")])
    assert ("journals", 0, "identity_mismatch") in _codes(answer)
    assert {row.handset_id for row in rows(PhoneJournal)} == {phones["S2"]}


def test_a_batch_that_comes_again_is_not_counted_again(
    gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    body = envelope(journals=[journal(), journal("nobody")])
    first, second = (gateway.post("/api/v1/agent/checkin", body).get_json() for _ in range(2))
    assert first == second
    assert len(rows(PhoneJournal)) == 1


def test_the_furthest_journal_stands_in_any_order_and_the_milder_at_a_tie(
    gateway: FakeAgent, phones: Phones, rows: Rows
) -> None:
    told = [
        journal(last_uptime_s=100.0, lines=1, end="open"),
        journal(last_uptime_s=300.0, lines=3),
        journal(last_uptime_s=300.0, lines=3, end="open"),
    ]
    for boot, order in enumerate(permutations(told), start=1):
        for one in order:
            gateway.checkin(journals=[{**one, "boot_id": f"{BOOT}{boot}"}])
    gateway.checkin(journals=[{**one, "boot_id": f"{BOOT}9"} for one in told])
    assert {(row.last_uptime_us, row.journal_end) for row in rows(PhoneJournal)} == {(300_000_000, "open")}
    bounds = {(b.open_us, b.shutdown_first_us, b.shutdown_last_us) for b in rows(PhoneBoot)}
    assert bounds == {(300_000_000, 300_000_000, 300_000_000)}


def test_what_breaks_one_journal_spoils_no_other(
    gateway: FakeAgent, phones: Phones, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = note_journals

    def odd(session: Any, agent: Any, journals: Any, now: Any) -> None:
        if any(one.lines == 13 for one, _ in journals):
            raise ValueError("odd")
        real(session, agent, journals, now)

    monkeypatch.setattr(checkin_journals, "note_journals", odd)
    answer = gateway.checkin(readings=[reading()], journals=[journal("S1", lines=13), journal("S2")])
    assert _codes(answer) == [("journals", 0, "not_taken")]
    assert {row.handset_id for row in rows(PhoneJournal)} == {phones["S2"]}
    assert len(rows(PhoneBoot)) == 2, "the reading's own, and S2's"


# --- from the phone to the proof ------------------------------------------------------------------------------


@dataclass
class Way:
    """A simulated phone S1, an agent's real reader and spool, and the server, on one clock."""

    fleet: Fleet
    box: Box
    reader: PhoneReader
    gateway: FakeAgent
    clock: FixedClock

    def wait(self, minutes: float) -> None:
        self.box.steady.now += minutes * 60
        self.clock.move(minutes * 60)

    def visit(self) -> None:
        """The phone is read and the spool goes to the server."""
        entry = self.reader.read(f"tcp:127.0.0.1:{self.fleet.ports[0]}", SERIAL)
        assert entry.part == "readings", entry.body
        self.box.spool.add([entry])
        batch = self.box.batches.next()
        answer = self.gateway.post("/api/v1/agent/checkin", orjson.dumps(self.box.body(batch)))
        assert _codes(answer) == []
        self.box.acknowledge(batch)


@pytest.fixture
def way(tmp_path: Path, app: Flask, gateway: FakeAgent, phones: Phones, clock: FixedClock) -> Iterator[Way]:
    with app.app_context():
        begin_write(db.session()).execute(
            update(Handset).where(Handset.id == phones["S1"]).values(serial=SERIAL)
        )
        db.session.commit()
        db.session.remove()
    phone = make_phone(0)
    phone.auth, phone.identity.serial, phone.identity.imeis = AuthMode.OPEN, SERIAL, []
    box = Box(tmp_path / "spool.db")
    box.steady = FakeSteady(phone.clock() + 10_000)
    phone.clock = box.steady
    box.restart()
    keeper = JournalKeeper(box.spool.collected, box.steady)
    reader = PhoneReader(SiteClock("g1", box.steady), TransportOptions(clock=box.steady), journals=keeper)
    with Fleet([phone]) as fleet:
        yield Way(fleet, box, reader, gateway, clock)
    box.database.close()


def _intervals(client: Caller, phone: uuid.UUID) -> list[tuple[str, float]]:
    """State and minutes, the stretch before the first boot left out."""
    body = client.get(f"/api/v1/handsets/{phone}/power").get_json()
    edges = [one["from"] for one in body["intervals"]] + [body["to"]]
    at = [dt.datetime.fromisoformat(edge).timestamp() for edge in edges]
    found = [
        (one["state"], round((end - start) / 60, 1))
        for one, (start, end) in zip(body["intervals"], pairwise(at), strict=True)
    ]
    return found[1:] if found[0][0] == "unknown" else found


def test_a_phone_that_was_switched_off_at_work_is_proved_off(
    way: Way, client: Caller, phones: Phones
) -> None:
    for _ in range(2):
        way.visit()
        way.wait(30)
    way.fleet.power_off(0, "shutdown,userrequested")
    way.wait(20)
    way.fleet.power_on(0)
    way.wait(5)
    way.visit()
    states = _intervals(client, phones["S1"])
    assert [state for state, _ in states] == ["on", "off", "on"]
    assert states[1][1] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("killed", [False, True])
def test_a_phone_that_lost_power_or_its_journal_stays_unknown(
    way: Way, client: Caller, phones: Phones, killed: bool
) -> None:
    for _ in range(2):
        way.visit()
        way.wait(30)
    if killed:
        way.fleet.kill_journal(0)
        way.wait(10)
    way.fleet.power_off(0, "shutdown,userrequested" if killed else "")
    way.wait(20)
    way.fleet.power_on(0)
    way.wait(5)
    way.visit()
    states = _intervals(client, phones["S1"])
    assert [state for state, _ in states] == ["on", "unknown", "on"]
    assert states[1][1] == pytest.approx(30 if killed else 20, abs=1.1)


def test_a_phone_that_lost_its_files_while_off_stays_unknown(
    way: Way, client: Caller, phones: Phones
) -> None:
    way.visit()
    way.wait(30)
    way.fleet.power_off(0, "shutdown,userrequested")
    way.fleet.lose_journal(0)
    way.wait(20)
    way.fleet.power_on(0)
    way.visit()
    assert "off" not in [state for state, _ in _intervals(client, phones["S1"])]


def test_a_boot_that_nobody_met_leaves_all_unknown(way: Way, client: Caller, phones: Phones) -> None:
    way.visit()
    way.wait(30)
    for _ in range(2):
        way.fleet.power_off(0, "shutdown,userrequested")
        way.wait(20)
        way.fleet.power_on(0)
        way.wait(20)
    way.visit()
    assert "off" not in [state for state, _ in _intervals(client, phones["S1"])]
