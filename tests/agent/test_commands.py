from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.commands import CommandWorker, Kind, ReadPhone
from agent.hands import Hands
from agent.inbox import Inbox, Outcome, receive
from agent.spool import Entry
from agent.sweep import Serials
from tests.agent.builders import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "spool.db")
    yield box
    box.database.close()


def command(name: str = "c1", kind: str = "act", serial: str = "S1", expires_in_s: int = 60) -> wire.Command:
    return wire.Command(name, kind, "a1", serial, (), {}, expires_in_s)


class Bench:
    """A worker with one kind that notes what it was asked to do."""

    def __init__(self, box: Box, act: Kind | None = None) -> None:
        self.box = box
        self.done: list[str] = []
        self.reported = threading.Semaphore(0)
        kinds = {"act": act or self._act}
        self.inbox = Inbox(box.database, box.clock)
        self.worker = CommandWorker(self.inbox, kinds, box.clock, on_result=self.reported.release)

    def _act(self, wanted: wire.Command) -> Outcome:
        self.done.append(wanted.id)
        return Outcome("succeeded", {})

    def receive(self, *commands: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, commands, self.box.clock.now())

    def results(self) -> list[tuple[str, str, Any]]:
        return [(r["id"], r["state"], r["detail"].get("reason")) for r in self.box.send()["results"]]


def test_a_command_is_carried_out_and_its_result_spooled(box: Box) -> None:
    bench = Bench(box)
    bench.receive(command())
    assert bench.worker.step() is True
    assert bench.worker.step() is False
    assert bench.done == ["c1"]
    assert bench.results() == [("c1", "succeeded", None)]


def test_the_id_is_on_disk_before_the_act(box: Box) -> None:
    seen: list[str] = []

    def act(wanted: wire.Command) -> Outcome:
        import sqlite3

        with sqlite3.connect(box.path) as other:
            seen.append(other.execute("SELECT state FROM command WHERE id = ?", (wanted.id,)).fetchone()[0])
        other.close()
        return Outcome("succeeded", {})

    bench = Bench(box, act)
    bench.receive(command())
    bench.worker.step()
    assert seen == ["started"]


def test_time_counts_from_receipt(box: Box) -> None:
    bench = Bench(box)
    bench.receive(command("late", expires_in_s=60), command("good", expires_in_s=61))
    box.steady.now += 60.5
    bench.worker.step()
    bench.worker.step()
    assert bench.done == ["good"]
    assert bench.results() == [("late", "expired", "expired"), ("good", "succeeded", None)]


def test_after_a_restart_of_the_gateway_nobody_knows_how_old_a_command_is(box: Box) -> None:
    Bench(box).receive(command())
    box.restart(boot="g2")
    bench = Bench(box)
    bench.worker.step()
    assert bench.done == []
    assert bench.results() == [("c1", "expired", "expired")]


def test_an_unknown_kind_is_refused(box: Box) -> None:
    bench = Bench(box)
    bench.receive(command(kind="wipe"))
    bench.worker.step()
    assert bench.results() == [("c1", "refused", "unknown_kind")]


def test_one_that_fails_unforeseen_does_not_hold_the_next(box: Box) -> None:
    def act(wanted: wire.Command) -> Outcome:
        if wanted.id == "bad":
            raise ZeroDivisionError
        return Outcome("succeeded", {})

    bench = Bench(box, act)
    bench.receive(command("bad"), command("good"))
    while bench.worker.step():
        pass
    assert bench.results() == [("bad", "failed", "internal"), ("good", "succeeded", None)]


def test_the_loop_answers_what_was_cut_off_and_then_works_when_woken(box: Box) -> None:
    first = Bench(box)
    first.receive(command("cut"))
    first.inbox.start("cut")
    bench = Bench(box)
    stop = threading.Event()
    thread = threading.Thread(target=bench.worker.run, args=(stop,))
    thread.start()
    try:
        assert bench.reported.acquire(timeout=10)
        bench.receive(command("next"))
        bench.worker.wake()
        assert bench.reported.acquire(timeout=10)
    finally:
        stop.set()
        bench.worker.wake()
        thread.join(10)
    assert bench.results() == [("cut", "not_now", "interrupted"), ("next", "succeeded", None)]


# --- read_phone ------------------------------------------------------------------


class Shelf:
    """Phones by target: a serial, or the reason why there is none."""

    def __init__(self, box: Box, phones: dict[str, str]) -> None:
        self.box, self.phones, self.read_targets = box, phones, list[str]()

    def read(self, target: str, known_serial: str | None = None) -> Entry:
        self.read_targets.append(target)
        found = self.phones[target]
        if not found.isupper():
            return self.unreached(target, known_serial, found)
        entry = self.box.reading(found)
        return Entry("readings", {**entry.body, "target": target}, entry.at, entry.series)

    def unreached(self, target: str, known_serial: str | None, reason: str) -> Entry:
        return self.box.unreached(target, reason)


def read(
    box: Box, phones: dict[str, str], known: dict[str, str], *, targets: Sequence[str] | None = None
) -> tuple[Outcome, Shelf]:
    shelf = Shelf(box, phones)
    kind = ReadPhone(shelf, Hands(), Serials(known), lambda: targets if targets is not None else list(phones))
    return kind(command(serial="S1")), shelf


def test_read_phone_reads_where_the_phone_was_last(box: Box) -> None:
    outcome, shelf = read(box, {"tcp:a:1": "S1", "tcp:b:1": "S2"}, {"tcp:a:1": "S1", "tcp:b:1": "S2"})
    assert (outcome.state, outcome.detail) == ("succeeded", {"reading": True})
    assert shelf.read_targets == ["tcp:a:1"]
    assert [entry.body["phone"] for entry in outcome.entries] == ["S1"]


def test_read_phone_finds_a_phone_that_the_adb_server_lists(box: Box) -> None:
    outcome, _ = read(box, {"server:S1": "S1"}, {})
    assert outcome.state == "succeeded"


def test_read_phone_tries_the_next_way(box: Box) -> None:
    outcome, _ = read(box, {"tcp:a:1": "timeout", "server:S1": "S1"}, {"tcp:a:1": "S1"})
    assert outcome.state == "succeeded"
    assert [entry.part for entry in outcome.entries] == ["unreached", "readings"]


def test_another_phone_in_the_hand_is_refused_but_its_reading_counts(box: Box) -> None:
    outcome, _ = read(box, {"tcp:a:1": "S2"}, {"tcp:a:1": "S1"})
    assert (outcome.state, outcome.detail) == ("refused", {"reason": "other_phone"})
    assert [entry.body["phone"] for entry in outcome.entries] == ["S2"]


@pytest.mark.parametrize(
    ("reason", "state"),
    [("timeout", "not_now"), ("unauthorized", "not_now"), ("protocol", "failed"), ("identity", "failed")],
)
def test_read_phone_says_why_not(box: Box, reason: str, state: str) -> None:
    outcome, _ = read(box, {"tcp:a:1": reason}, {"tcp:a:1": "S1"})
    assert (outcome.state, outcome.detail) == (state, {"reason": reason})


def test_a_phone_that_nobody_has_seen_is_not_looked_for(box: Box) -> None:
    outcome, shelf = read(box, {"tcp:a:1": "S2"}, {"tcp:a:1": "S2"})
    assert (outcome.state, outcome.detail) == ("not_now", {"reason": "not_seen"})
    assert shelf.read_targets == []


def test_a_target_that_is_no_longer_ours_is_not_tried(box: Box) -> None:
    outcome, _ = read(box, {"tcp:a:1": "S1"}, {"tcp:a:1": "S1"}, targets=[])
    assert outcome.detail == {"reason": "not_seen"}


def test_read_phone_does_not_read_a_phone_that_is_being_read(box: Box) -> None:
    hands = Hands()
    shelf = Shelf(box, {"tcp:a:1": "S1"})
    kind = ReadPhone(shelf, hands, Serials({"tcp:a:1": "S1"}), lambda: ["tcp:a:1"], hand_wait_s=0.0)
    with hands.take("S1"):
        assert kind(command()) == Outcome("not_now", {"reason": "busy"})
    assert shelf.read_targets == []
    assert kind(command()).state == "succeeded"
