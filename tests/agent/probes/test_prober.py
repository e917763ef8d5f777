"""Kind `probe` with a clock that stands still: what is tried when, and what every end is told as."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.commands import CommandWorker
from agent.hands import Hands
from agent.inbox import Inbox, Outcome, receive
from agent.probes.prober import Prober
from agent.probes.selfcheck import SelfCheck
from agent.spool import Entry
from agent.sweep import Serials
from tests.agent.builders import Box

AGAIN = [120, 300, 600]


class Desk:
    """A worker that knows tests. `answers[target]`: the serial that is read there, or why nothing is."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.answers: dict[str, str] = {"tcp:h:1": "S1"}
        self.known = {"tcp:h:1": "S1"}
        self.listed = ["tcp:h:1"]
        self.read_targets: list[str] = []
        self.canary = True
        self.other: list[str] = []
        self.start()

    def start(self) -> None:
        """As at the start of the agent: all that lives in memory is new."""
        box = self.box
        self.serials, self.hands = Serials(self.known), Hands()
        self.check = SelfCheck(box.clock, box.spool.add, pace_s=lambda: 60.0, canary=lambda: self.canary)
        self.prober = Prober(
            self, self.hands, self.serials, lambda: self.listed, self.check, box.clock,
            self._finish, hand_wait_s=0.01,
        )  # fmt: skip
        kinds: dict[str, Any] = {"probe": self.prober, "act": self._act}
        self.worker = CommandWorker(Inbox(box.database, box.clock), kinds, box.clock, on_result=lambda: None)
        self.check.answered()

    def _finish(self, name: str, outcome: Outcome) -> None:
        self.worker.finish(name, outcome)

    def _act(self, command: wire.Command) -> Outcome:
        self.other.append(command.id)
        return Outcome("succeeded", {})

    def read(self, target: str, known_serial: str | None = None) -> Entry:
        self.read_targets.append(target)
        said = self.answers[target]
        if said.startswith("S"):
            entry = self.box.reading(said)
            entry.body["target"] = target
            return entry
        return self.unreached(target, known_serial, said)

    def unreached(self, target: str, known_serial: str | None, reason: str) -> Entry:
        return self.box.unreached(target, reason)

    def receive(self, name: str = "c1", kind: str = "probe", again: Any = AGAIN, serial: str = "S1") -> None:
        args = {"probe": "p", "again_s": again} if kind == "probe" else {}
        with self.box.database.transaction() as db:
            receive(db, [wire.Command(name, kind, "a1", serial, (), args, 3600)], self.box.clock.now())
        while self.worker.step():
            pass
        self.prober.try_due()

    def wait(self, seconds: float) -> None:
        """Time goes by, the server answers, the self-check ticks, and what is due is tried."""
        for _ in range(int(seconds // 60)):
            self.box.steady.now += 60
            self.check.answered()
            self.check.tick()
            self.prober.try_due()

    def results(self) -> list[dict[str, Any]]:
        return [r["detail"] for r in self.box.send()["results"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    box = Box(tmp_path / "spool.db")
    yield Desk(box)
    box.database.close()


def test_a_phone_that_answers_is_reached_at_once(desk: Desk) -> None:
    desk.receive()
    body = desk.box.send()
    (detail,) = (r["detail"] for r in body["results"])
    assert (detail["outcome"], detail["reason"], detail["tries"]) == ("reached", None, [])
    assert detail["checks"] == {"server": True, "adb_server": None, "clock": True, "canary": True}
    assert [r["phone"] for r in body["readings"]] == ["S1"], "its reading travels as any other"
    assert [b["up"] for b in body["beats"]] == [True]


def test_a_silent_phone_is_tried_again_and_others_are_not_held_up(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.wait(600)
    began = desk.box.steady.now
    desk.receive()
    desk.receive("c2", kind="act")
    assert desk.other == ["c2"], "another command is done meanwhile"
    assert len(desk.results()) == 1
    for after, tries in ((60, 1), (120, 2), (240, 2), (300, 3), (540, 3)):
        desk.wait(began + after - desk.box.steady.now)
        assert len(desk.read_targets) == tries
    assert desk.results() == []
    desk.wait(60)
    (detail,) = desk.results()
    assert (detail["outcome"], detail["reason"]) == ("not_reached", "unreachable")
    assert [t["before_s"] for t in detail["tries"]] == [600, 480, 300, 0]
    assert [t["checked_before_s"] for t in detail["tries"]] == [600, 480, 300, 0]
    assert [t["up_for_s"] for t in detail["tries"]] == [540, 660, 840, 1140]


def test_a_phone_that_comes_back_between_two_tries_is_reached(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    desk.answers["tcp:h:1"] = "S1"
    desk.wait(120)
    (detail,) = desk.results()
    assert (detail["outcome"], [t["reason"] for t in detail["tries"]]) == ("reached", ["unreachable"])


def test_a_phone_that_the_sweep_read_meanwhile_is_reached(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    desk.wait(60)
    desk.serials.learn(desk.box.reading("S1"))
    desk.wait(60)
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("reached", "heard")]
    assert desk.read_targets == ["tcp:h:1"]


@pytest.mark.parametrize(
    "reason", ["unauthorized", "busy", "adb_down", "timeout", "dropped", "protocol", "too_large", "identity"]
)
def test_whatever_is_not_silence_is_inconclusive(desk: Desk, reason: str) -> None:
    desk.answers["tcp:h:1"] = reason
    desk.receive()
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", reason)]


def test_one_way_that_was_closed_to_us_is_enough_for_doubt(desk: Desk) -> None:
    desk.known["server:S1"] = "S1"
    desk.listed.append("server:S1")
    desk.answers |= {"tcp:h:1": "unauthorized", "server:S1": "unreachable"}
    desk.start()
    desk.receive()
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", "unauthorized")]


def test_a_phone_that_left_its_adb_server_is_asked_for_there(desk: Desk) -> None:
    desk.known["server:S1"] = "S1"
    desk.listed.clear()
    desk.answers["server:S1"] = "unreachable"
    desk.start()
    desk.receive(again=[60])
    desk.wait(60)
    assert desk.read_targets == ["server:S1"] * 2
    assert [d["outcome"] for d in desk.results()] == ["not_reached"]


def test_another_phone_at_its_address_is_no_silence(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "S2"
    desk.receive()
    body = desk.box.send()
    assert [(r["detail"]["outcome"], r["detail"]["reason"]) for r in body["results"]] == [
        ("inconclusive", "other_phone")
    ]
    assert [r["phone"] for r in body["readings"]] == ["S2"]


def test_a_phone_to_which_no_way_is_known_is_inconclusive(desk: Desk) -> None:
    desk.receive(serial="S9")
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", "no_way")]


def test_a_phone_in_another_hand_is_busy(desk: Desk) -> None:
    with desk.hands.take("S1"):
        desk.receive()
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", "busy")]


def test_an_agent_that_fails_its_own_check_does_not_look(desk: Desk) -> None:
    desk.canary = False
    desk.receive()
    (detail,) = desk.results()
    assert (detail["outcome"], detail["reason"], detail["checks"]["canary"]) == (
        "inconclusive",
        "canary",
        False,
    )
    assert desk.read_targets == []


def test_a_check_that_fails_between_two_tries_ends_the_test(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    desk.canary = False
    desk.wait(120)
    (detail,) = desk.results()
    assert (detail["outcome"], detail["reason"], len(detail["tries"])) == ("inconclusive", "canary", 1)


def interrupted(desk: Desk) -> None:
    desk.start()
    desk.worker.drain(threading.Event())


def stopped(desk: Desk) -> None:
    desk.prober.give_up()


@pytest.mark.parametrize("end", [interrupted, stopped])
def test_a_restart_in_between_is_told_as_such(desk: Desk, end: Callable[[Desk], None]) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    end(desk)
    (detail,) = desk.results()
    assert (detail["outcome"], detail["reason"]) == ("inconclusive", "interrupted")
    desk.wait(600)
    assert desk.results() == [], "nothing of it goes on"


def test_a_test_that_goes_on_is_not_taken_for_one_that_was_cut_off(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    desk.worker.drain(threading.Event())
    assert desk.results() == []


def test_a_test_that_comes_again_while_it_runs_is_not_begun_twice(desk: Desk) -> None:
    desk.answers["tcp:h:1"] = "unreachable"
    desk.receive()
    desk.receive()
    assert desk.read_targets == ["tcp:h:1"]


@pytest.mark.parametrize(
    "again", [None, [], [0], [-5], ["2"], [300, 120], [5000], [1] * 9, [True], {"a": 1}, 120]
)
def test_arguments_that_make_no_sense_are_refused(desk: Desk, again: Any) -> None:
    desk.receive(again=again)
    (result,) = desk.box.send()["results"]
    assert (result["state"], result["detail"]) == ("refused", {"reason": "bad_args"})


def test_a_disk_that_is_full_leaves_the_test_to_the_next_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "finish", full)
        desk.receive()
    desk.worker.drain(threading.Event())
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", "interrupted")]


def test_the_unforeseen_is_inconclusive(desk: Desk) -> None:
    del desk.answers["tcp:h:1"]
    desk.receive()
    assert [(d["outcome"], d["reason"]) for d in desk.results()] == [("inconclusive", "internal")]
