from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import reading
from agent.adbkey import load_or_create
from agent.hands import Hands
from agent.instant import SiteClock
from agent.reading import PhoneReader
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from agent.spool import Entry
from agent.sweep import Serials, Sweeper
from agent.transport import TransportOptions


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> TransportOptions:
    key = load_or_create(tmp_path_factory.mktemp("key") / "adbkey")
    return TransportOptions(connect_s=10, auth_wait_s=10, key=lambda: key)


def wait_for_workers() -> None:
    deadline = time.monotonic() + 10
    while any(t.name.startswith("sweep-") for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Site:
    """A sweeper over simulated phones; `kept` is what it would have spooled."""

    def __init__(self, fleet: Fleet, options: TransportOptions, **changes: Any) -> None:
        self.fleet = fleet
        self.kept: list[Entry] = []
        self.rounds = 0
        self.lock = threading.Condition()
        deadline_s = changes.pop("deadline_s", 20.0)
        self.reader = PhoneReader(SiteClock("g1"), options, deadline_s=deadline_s)
        self.sweeper = Sweeper(
            **{
                "reader": self.reader,
                "keep": self._keep,
                "targets": lambda: self.targets,
                "interval_s": lambda: 60.0,
                "on_round": self._round,
                **changes,
            }
        )

    @property
    def targets(self) -> list[str]:
        return [f"tcp:127.0.0.1:{port}" for port in self.fleet.ports]

    def _keep(self, entries: Sequence[Entry]) -> None:
        with self.lock:
            self.kept += entries
            self.lock.notify_all()

    def _round(self) -> None:
        with self.lock:
            self.rounds += 1
            self.lock.notify_all()

    def read(self) -> list[str]:
        return [entry.body["phone"] for entry in self.kept if entry.part == "readings"]

    def reasons(self) -> dict[str, str]:
        return {e.body["target"]: e.body["reason"] for e in self.kept if e.part == "unreached"}

    def wait(self, enough: Callable[[], bool]) -> None:
        with self.lock:
            assert self.lock.wait_for(enough, 20)

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self.sweeper.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            self.sweeper.wake()
            thread.join(10)
            assert not thread.is_alive()
            wait_for_workers()


def test_once_reads_every_phone(options: TransportOptions) -> None:
    with Fleet([make_phone(n) for n in range(20)]) as fleet:
        site = Site(fleet, options, concurrency=4)
        site.sweeper.once()
        assert sorted(site.read()) == sorted(phone.identity.serial for phone in fleet.phones)
        assert site.reasons() == {}
        assert all(device.counters.opens == 1 for device in fleet.devices)


def test_a_reading_carries_what_the_wire_wants(options: TransportOptions) -> None:
    from agent import wire

    with Fleet([make_phone(0)]) as fleet:
        site = Site(fleet, options)
        before = site.reader.clock.now().seconds
        site.sweeper.once()
        (entry,) = site.kept
        phone = fleet.phones[0]
        assert set(entry.body) == set(wire.Reading.__annotations__) - {"age_s", "sections"}
        assert entry.body["boot_id"] == phone.boot_id
        assert entry.body["boot_count"] == phone.boot_count
        assert before < entry.at.seconds < site.reader.clock.now().seconds
        assert (
            abs((phone.uptime() - entry.body["uptime_s"]) - (site.reader.clock.steady() - entry.at.seconds))
            < 0.5
        )
        assert set(entry.contents) == set(entry.body["tags"]) == set(wire.SECTIONS)
        assert entry.body["grade"] == "gateway"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(FaultKind.HANG, FaultPoint.ACCEPT), "timeout"),
        (Fault(FaultKind.HANG, FaultPoint.OPEN), "timeout"),
        (Fault(FaultKind.HANG, FaultPoint.OUTPUT), "timeout"),
        (Fault(FaultKind.REFUSE), "unreachable"),
        (Fault(FaultKind.DROP), "dropped"),
        (Fault(FaultKind.GARBAGE, FaultPoint.WIRE), "protocol"),
        (Fault(FaultKind.GARBAGE, FaultPoint.OUTPUT), "identity"),
        (Fault(FaultKind.EMPTY), "identity"),
        (Fault(FaultKind.FLOOD, size=2**20), "too_large"),
    ],
)
def test_an_ill_phone_is_named_with_its_reason_and_the_others_are_read(
    options: TransportOptions, fault: Fault, reason: str
) -> None:
    with Fleet([make_phone(n) for n in range(3)]) as fleet:
        fleet.set_fault(1, fault)
        site = Site(fleet, replace(options, connect_s=1.5, max_output=2**19), deadline_s=1.5)
        site.sweeper.once()
        assert site.reasons() == {site.targets[1]: reason}
        assert sorted(site.read()) == sorted(fleet.phones[n].identity.serial for n in (0, 2))


def test_a_phone_that_does_not_allow_us_is_no_accusation(options: TransportOptions) -> None:
    with Fleet([make_phone(0)]) as fleet:
        fleet.phones[0].auth = AuthMode.NEVER
        site = Site(fleet, replace(options, auth_wait_s=0.2))
        site.sweeper.once()
        assert site.reasons() == {site.targets[0]: "unauthorized"}


def test_a_phone_that_was_read_before_is_named_when_it_is_gone(options: TransportOptions) -> None:
    with Fleet([make_phone(0)]) as fleet:
        site = Site(fleet, options)
        site.sweeper.once()
        fleet.power_off(0)
        site.sweeper.once()
        assert site.kept[1].body["phone"] == fleet.phones[0].identity.serial


def test_a_hanging_phone_delays_no_other(options: TransportOptions) -> None:
    """While it hangs, the others are read again and again."""
    with Fleet([make_phone(n) for n in range(4)]) as fleet:
        fleet.set_fault(0, Fault(FaultKind.HANG, FaultPoint.OPEN))
        site = Site(fleet, options, concurrency=2, interval_s=lambda: 0.05, deadline_s=600)
        others = {phone.identity.serial for phone in fleet.phones[1:]}
        with site.running():
            site.wait(lambda: all(site.read().count(serial) >= 3 for serial in others))
            assert site.reasons() == {}
            fleet.set_fault(0, None)
            fleet.drop_connections(0)


def test_a_phone_in_hand_is_not_read_a_second_time(options: TransportOptions) -> None:
    with Fleet([make_phone(0)]) as fleet:
        hands = Hands()
        serial = fleet.phones[0].identity.serial
        site = Site(fleet, options, hands=hands)
        site.sweeper.serials = Serials({site.targets[0]: serial})
        with hands.take(serial):
            site.sweeper.once()
        assert site.kept == []
        site.sweeper.once()
        assert site.read() == [serial]


def test_a_dead_phone_is_not_tried_in_a_hot_loop(options: TransportOptions) -> None:
    with Fleet([make_phone(n) for n in range(2)]) as fleet:
        fleet.set_fault(0, Fault(FaultKind.REFUSE))
        site = Site(fleet, options, interval_s=lambda: 0.02)
        with site.running():
            site.wait(lambda: len(site.read()) >= 40)
        # A hot loop is some hundreds; on a slow machine the forty readings leave time for a few more tries.
        assert len(site.kept) - len(site.read()) <= 20


def test_a_new_target_is_read_without_waiting_for_a_round(options: TransportOptions) -> None:
    with Fleet([make_phone(n) for n in range(2)]) as fleet:
        shown = [f"tcp:127.0.0.1:{fleet.ports[0]}"]
        site = Site(fleet, options, targets=lambda: list(shown))
        with site.running():
            site.wait(lambda: site.rounds == 1)
            shown.append(site.targets[1])
            site.wait(lambda: len(set(site.read())) == 2)
        assert site.read().count(fleet.phones[0].identity.serial) == 1


def test_a_reboot_shows_in_the_next_reading(options: TransportOptions) -> None:
    with Fleet([make_phone(0)]) as fleet:
        site = Site(fleet, options)
        site.sweeper.once()
        fleet.reboot(0)
        site.sweeper.once()
        first, second = site.kept
        assert first.body["boot_id"] != second.body["boot_id"]
        assert second.body["boot_count"] == first.body["boot_count"] + 1
        assert first.series != second.series


def test_what_nobody_foresaw_about_a_phone_ends_neither_thread_nor_sweep(
    options: TransportOptions, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Fleet([make_phone(n) for n in range(3)]) as fleet:
        site = Site(fleet, options, concurrency=1)
        real = PhoneReader.read

        def read(self: PhoneReader, target: str, known_serial: str | None = None) -> Entry:
            if target == site.targets[0]:
                raise ZeroDivisionError
            return real(self, target, known_serial)

        monkeypatch.setattr(PhoneReader, "read", read)
        site.sweeper.once()
        assert len(site.read()) == 2
        assert "reading failed" in caplog.text
        assert site.reasons() == {site.targets[0]: "protocol"}


def test_a_phone_that_tells_endless_packages_keeps_its_other_sections(
    options: TransportOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_SECTION_BYTES", 2000)
    with Fleet([make_phone(0)]) as fleet:
        site = Site(fleet, options)
        site.sweeper.once()
    (entry,) = site.kept
    assert "packages" not in entry.body["tags"]
    assert set(entry.contents) == set(entry.body["tags"]) >= {"identity", "users"}
    assert {"section": "packages", "reason": "more than 2000 bytes"} in entry.body["unread"]


def test_names_of_accounts_need_the_installations_key(options: TransportOptions) -> None:
    phone = make_phone(0)
    with Fleet([phone]) as fleet:
        key: list[bytes | None] = [None]
        site = Site(fleet, options)
        site.sweeper.reader = PhoneReader(SiteClock("g1"), options, hmac_key=lambda: key[0])
        site.sweeper.once()
        key[0] = bytes(32)
        site.sweeper.once()
        alone, keyed = (entry.contents["accounts"].decode() for entry in site.kept)
        assert "name_hmac" not in alone
        assert "name_hmac" in keyed
        assert not any(account.name in alone + keyed for account in phone.accounts)


def test_threads_are_let_go_after_once(options: TransportOptions) -> None:
    with Fleet([make_phone(0)]) as fleet:
        Site(fleet, options).sweeper.once()
        wait_for_workers()


def test_serials_are_known_by_target(tmp_path: Path) -> None:
    serials = Serials({"tcp:a:1": "S1"})
    assert serials.hand("tcp:a:1") == "S1"
    assert serials.hand("tcp:b:1") == "tcp:b:1"
    assert serials.targets_of("S1") == ["tcp:a:1"]
