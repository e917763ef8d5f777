"""Journals from the phone to the spool: nothing is lost, nothing counts twice, wherever it is cut."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from agent.instant import Instant, SiteClock
from agent.journal import CURRENT_EVERY_S, INSTALL_AGAIN_S, JournalKeeper
from agent.parsers.journal import JournalContact, Line
from agent.phone import journal_version
from agent.reading import PhoneReader
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode, PhoneState
from agent.snapshot import Snapshot
from agent.spool import Entry
from agent.transport import TransportOptions
from tests.agent.builders import Box, FakeSteady
from tests.agent.test_kill import killed

SHUTDOWN = "shutdown,userrequested"


@dataclass
class Site:
    """A gateway with one phone whose clock goes only when told."""

    box: Box
    fleet: Fleet
    time: FakeSteady
    keeper: JournalKeeper
    reader: PhoneReader

    @property
    def phone(self) -> PhoneState:
        return self.fleet.phones[0]

    def restart(self) -> None:
        """The agent was killed and starts again: it knows what its disk holds."""
        self.box.restart()
        self.keeper = JournalKeeper(self.box.spool.collected, self.time)
        self.reader = replace(self.reader, journals=self.keeper)

    def read(self) -> Entry:
        return self.reader.read(f"tcp:127.0.0.1:{self.fleet.ports[0]}", self.phone.identity.serial)

    def visit(self) -> Entry:
        entry = self.read()
        self.box.spool.add([entry])
        return entry

    def off_and_on(self, seconds: float, reason: str = SHUTDOWN) -> None:
        self.time.now += 5.5
        self.fleet.power_off(0, reason)
        self.time.now += seconds
        self.fleet.power_on(0)


@contextmanager
def site_at(path: Path) -> Iterator[Site]:
    phone = make_phone(0)
    phone.auth = AuthMode.OPEN
    time = FakeSteady(phone.clock() + 1000)
    phone.clock = time
    box = Box(path)
    keeper = JournalKeeper(box.spool.collected, time)
    with Fleet([phone]) as fleet:
        yield Site(
            box, fleet, time, keeper, PhoneReader(SiteClock("g1"), TransportOptions(), journals=keeper)
        )
    box.database.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_at(tmp_path / "spool.db") as made:
        yield made


def told(entry: Entry) -> list[tuple[str, str]]:
    return [(journal.body["boot_id"], journal.body["end"]) for journal in entry.journals]


def sent(site: Site) -> list[dict[str, Any]]:
    return list(site.box.send()["journals"])


def test_it_is_put_on_the_phone_at_the_first_contact(site: Site) -> None:
    entry = site.visit()
    assert entry.part == "readings"
    assert site.phone.journal.installed
    assert (entry.journals, entry.collected) == ((), None)


def test_without_a_keeper_phones_are_left_alone(site: Site) -> None:
    entry = replace(site.reader, journals=None).read(f"tcp:127.0.0.1:{site.fleet.ports[0]}")
    assert entry.part == "readings"
    assert not site.phone.journal.installed


def test_a_contact_costs_one_stream(site: Site) -> None:
    site.visit()
    before = site.fleet.devices[0].counters.opens
    site.visit()
    assert site.fleet.devices[0].counters.opens == before + 1


def test_a_shutdown_comes_with_the_next_reading_as_the_wire_says(site: Site) -> None:
    site.visit()
    boot_id, count, uptime = site.phone.boot_id, site.phone.boot_count, site.phone.uptime()
    site.time.now += 300
    site.off_and_on(1200)
    entry = site.visit()
    assert entry.body["boot_id"] == site.phone.boot_id != boot_id
    (journal,) = sent(site)
    assert journal.pop("age_s") is not None
    assert journal == {
        "phone": site.phone.identity.serial,
        "target": f"tcp:127.0.0.1:{site.fleet.ports[0]}",
        "boot_id": boot_id,
        "boot_count": count,
        "first_uptime_s": pytest.approx(uptime, abs=0.01),
        "last_uptime_s": pytest.approx(uptime + 305.5, abs=0.01),
        "lines": 7,
        "end": "shutdown",
        "grade": "gateway",
        "last": {
            "battery_percent": site.phone.battery.percent,
            "charging": site.phone.battery.charging,
            "airplane_mode": False,
            "sim": ",".join(slot.state for slot in site.phone.sims),
        },
    }


def test_the_phone_forgets_only_what_is_on_the_disk(site: Site) -> None:
    site.visit()
    site.off_and_on(1200)
    first = site.read()
    assert told(site.read())[:1] == told(first) != []
    assert site.phone.journal.left
    site.box.spool.add([first])
    site.visit()
    assert site.phone.journal.left == {}
    assert site.box.spool.collected(site.phone.identity.serial) == []


def test_a_disk_that_is_full_leaves_it_on_the_phone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    site.visit()
    site.off_and_on(1200)
    monkeypatch.setattr("agent.spool.insert", full)
    with pytest.raises(sqlite3.OperationalError):
        site.visit()
    monkeypatch.undo()
    assert "shutdown" in [end for _, end in told(site.visit())]


def test_a_spool_that_cannot_be_read_forgets_nothing_and_stops_no_reading(site: Site) -> None:
    def broken(_: str) -> list[str]:
        raise sqlite3.OperationalError("disk I/O error")

    site.keeper.collected = broken
    assert site.read().part == "readings"


def test_an_answer_cut_at_any_byte_loses_nothing(site: Site) -> None:
    """Whatever was kept of cut answers, the mark arrives, and no other one."""
    site.visit()
    boot_id = site.phone.boot_id
    site.off_and_on(1200)
    rng = random.Random(3)
    for place in sorted(rng.sample(range(1, 30_000), 40)):
        site.fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=place))
        site.visit()
        if site.box.spool.collected(site.phone.identity.serial):
            break
    site.fleet.set_fault(0, None)
    site.visit()
    marks = {journal["boot_id"] for journal in sent(site) if journal["end"] == "shutdown"}
    assert marks == {boot_id}


@pytest.mark.parametrize("kind", [FaultKind.GARBAGE, FaultKind.EMPTY, FaultKind.FLOOD])
def test_a_phone_that_answers_rubbish_proves_nothing_and_keeps_its_journal(
    site: Site, kind: FaultKind
) -> None:
    site.visit()
    site.off_and_on(1200)
    point = FaultPoint.OUTPUT if kind is FaultKind.GARBAGE else None
    site.fleet.set_fault(0, Fault(kind, point, size=5000))
    assert site.visit().part == "unreached"
    site.fleet.set_fault(0, None)
    assert [end for _, end in told(site.visit())] == ["shutdown"]


def test_the_run_at_work_is_told_of_now_and_then(site: Site) -> None:
    site.visit()
    assert [len(site.visit().journals) for _ in range(3)] == [1, 0, 0]
    site.time.now += CURRENT_EVERY_S + 60
    assert [len(site.visit().journals) for _ in range(2)] == [1, 0]


def test_a_killed_journal_runs_again_and_claims_no_shutdown(site: Site) -> None:
    site.visit()
    site.time.now += 300
    site.fleet.kill_journal(0)
    site.time.now += 300
    assert {end for _, end in told(site.visit())} == {"open"}
    assert [end for _, end in told(site.visit())] == ["open"], "the new run"
    site.off_and_on(1200)
    assert [end for _, end in told(site.visit())] == ["shutdown"]


def test_a_lost_journal_is_put_there_again(site: Site) -> None:
    site.visit()
    site.fleet.lose_journal(0)
    site.visit()
    assert site.phone.journal.installed


def test_a_phone_that_takes_no_journal_is_read_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("agent.journal.journal_install_command", lambda: "echo no room")
    for _ in range(3):
        assert site.visit().part == "readings"
    assert len([r for r in caplog.records if "takes no journal" in r.getMessage()]) == 1
    monkeypatch.undo()
    site.time.now += INSTALL_AGAIN_S + 1
    site.visit()
    assert site.phone.journal.installed


def test_an_older_agent_does_not_put_its_own_in_a_newer_ones_place(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.visit()
    monkeypatch.setattr("agent.simulator.journal.journal_version", lambda: journal_version() + 1)
    monkeypatch.setattr("agent.journal.journal_install_command", lambda: pytest.fail("a newer one is there"))
    site.visit()


def test_a_line_from_after_the_reading_is_made_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.visit()
    site.phone.uptime = lambda: 10.0  # type: ignore[method-assign]
    assert site.visit().journals == ()


@pytest.mark.parametrize(("present", "end"), [("boot-1", "open"), ("boot-2", "shutdown")])
def test_a_mark_counts_only_in_a_later_boot(present: str, end: str) -> None:
    line = Line("boot-1", 41, 60.0, 600.0, 10, "shutdown", 80, False, False, None)
    body = {
        "identity": {"serial": "S1"},
        "power": {"boot_id": present, "uptime_s": 600.5, "boot_count": 41},
    }
    snapshot = Snapshot(body, 1.0, 0.1, JournalContact(version=1, left=(line,)))
    (entry,) = JournalKeeper(lambda _: [], lambda: 0.0).entries("tcp:1", snapshot, Instant(1.0, "g1"))
    assert entry.body["end"] == end


KILLED = """
import sys
from pathlib import Path
from agent.instant import SiteClock
from agent.journal import JournalKeeper
from agent.reading import PhoneReader
from agent.transport import TransportOptions
from tests.agent.builders import Box
box = Box(Path(sys.argv[1]))
reader = PhoneReader(SiteClock("g1"), TransportOptions(), journals=JournalKeeper(box.spool.collected, lambda: 0.0))
while True:
    entry = reader.read(sys.argv[2], sys.argv[3])
    print("read", flush=True)
    box.spool.add([entry])
    print("kept", flush=True)
"""


@pytest.mark.parametrize("steps", range(1, 6))
def test_an_agent_killed_after_any_step_neither_loses_nor_invents(tmp_path: Path, steps: int) -> None:
    with site_at(tmp_path / "spool.db") as site:
        marked = []
        for _ in range(3):
            site.visit()
            marked.append(site.phone.boot_id)
            site.off_and_on(1200)
            site.box.database.close()
            target = f"tcp:127.0.0.1:{site.fleet.ports[0]}"
            killed(KILLED, str(site.box.path), target, site.phone.identity.serial, after_lines=steps)
            site.restart()
        site.visit()
        marks = [journal["boot_id"] for journal in sent(site) if journal["end"] == "shutdown"]
        assert sorted(set(marks)) == sorted(marked)


def test_the_phones_own_records_are_asked_for_at_first_and_after_each_boot(site: Site) -> None:
    def asked() -> bool:
        return "power_history" in site.visit().contents

    assert [asked() for _ in range(3)] == [True, False, False]
    site.off_and_on(1200)
    assert not asked(), "this reading is the first to know of the new boot"
    entry = site.visit()

    assert b'"event":"shutdown"' in entry.contents["power_history"]
    assert b'"source":"batterystats"' in entry.contents["power_history"]
    assert not asked()
