"""The agent's look at itself: what makes it say "down", for how long it vouches, when it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.adbkey import load_or_create
from agent.instant import SiteClock
from agent.probes.selfcheck import SelfCheck, canary_at
from agent.simulator.faults import Fault, FaultKind
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.spool import Entry
from agent.transport import TransportOptions
from tests.agent.builders import FakeSteady


class Desk:
    """A self-check whose surroundings are attributes."""

    def __init__(self, *, canary: bool | None = None) -> None:
        self.steady = FakeSteady()
        self.kept: list[dict[str, Any]] = []
        self.adb: bool | None = None
        self.canary = canary
        self.check = SelfCheck(
            SiteClock("g1", self.steady),
            self._keep,
            pace_s=lambda: 60.0,
            adb_up=lambda: self.adb,
            canary=None if canary is None else lambda: bool(self.canary),
        )

    def _keep(self, entries: Sequence[Entry]) -> None:
        assert all(entry.part == "beats" for entry in entries)
        self.kept += [entry.body for entry in entries]

    def ticks(self, number: int, *, answered: bool = True, step: float = 60.0) -> None:
        for _ in range(number):
            self.steady.now += step
            if answered:
                self.check.answered()
            self.check.tick()

    @property
    def told(self) -> list[tuple[bool, str | None]]:
        return [(beat["up"], beat["reason"]) for beat in self.kept]


def test_before_the_server_has_answered_it_is_down() -> None:
    desk = Desk()
    desk.check.tick()
    assert desk.told == [(False, "server")]
    desk.ticks(1)
    assert desk.told == [(False, "server"), (True, None)]


def test_it_vouches_for_the_time_since_its_first_check_that_passed() -> None:
    desk = Desk()
    desk.ticks(10)
    assert [beat["up_for_s"] for beat in desk.kept] == [0.0, 180.0, 360.0, 540.0]
    desk.ticks(4, answered=False)
    assert desk.told[-1] == (False, "server")
    assert desk.kept[-1]["up_for_s"] == 0
    desk.ticks(2)
    assert desk.kept[-1]["up_for_s"] == 0, "it begins anew"


def test_a_server_that_misses_two_check_ins_is_not_away() -> None:
    desk = Desk()
    desk.ticks(1)
    desk.ticks(3, answered=False)
    assert all(up for up, _ in desk.told)


def test_a_machine_that_slept_or_stood_still_begins_anew() -> None:
    desk = Desk()
    desk.ticks(5)
    desk.ticks(1, step=91)
    assert desk.told[-1] == (False, "clock")
    desk.ticks(1)
    assert desk.told[-1] == (True, None)
    assert desk.kept[-1]["up_for_s"] == 0


def test_a_clock_that_goes_back_is_not_believed() -> None:
    desk = Desk()
    desk.ticks(2)
    desk.ticks(1, step=-5)
    assert desk.told[-1] == (False, "clock")


@pytest.mark.parametrize(
    ("adb", "canary", "answered", "reason"),
    [
        (False, None, True, "adb_server"),
        (True, None, True, None),
        (None, False, True, "canary"),
        (None, True, True, None),
        (None, False, False, "network"),
        (None, True, False, "server"),
    ],
)
def test_what_failed_is_named(
    adb: bool | None, canary: bool | None, answered: bool, reason: str | None
) -> None:
    desk = Desk(canary=canary)
    desk.adb = adb
    desk.ticks(1, answered=answered)
    assert desk.told == [(reason is None, reason)]
    assert desk.kept[0]["checks"] == {
        "server": answered,
        "adb_server": adb,
        "clock": True,
        "canary": canary,
    }


def test_a_beat_comes_every_few_minutes_at_each_change_and_for_each_test() -> None:
    desk = Desk(canary=True)
    desk.ticks(7)
    assert len(desk.kept) == 3
    desk.canary = False
    desk.ticks(1)
    assert desk.told[-1] == (False, "canary")
    assert desk.check.check().reason == "canary"
    assert len(desk.kept) == 5


def test_a_canary_is_a_phone_that_answers(tmp_path: Path) -> None:
    with Fleet([make_phone(0), make_phone(1)]) as fleet:
        fleet.set_fault(1, Fault(FaultKind.REFUSE))
        options = TransportOptions(connect_s=2.0, key=partial(load_or_create, tmp_path / "adbkey"))
        first, second = (canary_at(f"tcp:127.0.0.1:{port}", options) for port in fleet.ports)
        assert first()
        assert not second()
