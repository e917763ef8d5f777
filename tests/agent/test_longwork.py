"""Works that last: told of as they go, ended by their outcome, begun anew after the agent's end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.commands import CommandWorker
from agent.inbox import Inbox, Outcome, receive
from agent.longwork import PROGRESS_EVERY_S, LongWork, Progress, WorkStopped
from tests.agent.builders import Box

DONE = Outcome("succeeded", {"outcome": "verified"})


def order(command_id: str = "c1") -> wire.Command:
    return wire.Command(command_id, "long", "a1", "S1", (), {}, 600, wire.DANGER_PURPOSE)


class Rig:
    """A worker with one long kind, whose act is given."""

    def __init__(self, path: Path) -> None:
        self.box = Box(path / "spool.db")
        self.woken = 0
        self.begin()

    def begin(self, concurrency: int = 2) -> None:
        self.works = LongWork(
            self._finish,
            self.box.spool,
            self.box.clock,
            self._wake,
            concurrency,
        )

    def _finish(self, command_id: str, outcome: Outcome) -> None:
        self.worker.finish(command_id, outcome)

    def _wake(self) -> None:
        self.woken += 1

    def give(self, act: Callable[[wire.Command, Progress], Outcome], *commands: wire.Command) -> None:
        kind = self.works.kind(act, purpose=wire.DANGER_PURPOSE)
        self.worker = CommandWorker(
            Inbox(self.box.database, self.box.clock), {"long": kind}, self.box.clock, on_result=self._wake
        )
        with self.box.database.transaction() as db:
            receive(db, commands, self.box.clock.now())
        self.worker.drain(threading.Event())

    def results(self) -> list[dict[str, Any]]:
        return [{k: r[k] for k in ("id", "state", "detail")} for r in self.box.send()["results"]]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.works.stop()
    made.works.join(5)
    made.box.database.close()


def test_progress_is_told_at_a_pace_and_the_newest_alone_waits(rig: Rig) -> None:
    def act(command: wire.Command, progress: Progress) -> Outcome:
        for n in range(4):
            progress({"n": n})
            rig.box.steady.now += PROGRESS_EVERY_S / 2
        progress({"n": 99}, now=True)
        return DONE

    rig.give(act, order())
    assert rig.works.join(5)
    assert rig.woken == 4
    assert rig.results() == [
        {"id": "c1", "state": "running", "detail": {"n": 99}},
        {"id": "c1", "state": "succeeded", "detail": {"outcome": "verified"}},
    ]


def test_what_a_batch_holds_is_not_replaced(rig: Rig) -> None:
    rig.works.progress("c1", {"n": 1})
    batch = rig.box.batches.next()
    rig.works.progress("c1", {"n": 2})
    rig.works.progress("c1", {"n": 3})
    rig.works.progress("c2", {"n": 4})
    assert [r["detail"]["n"] for r in rig.box.body(batch)["results"]] == [1]
    rig.box.acknowledge(batch)
    assert [r["detail"]["n"] for r in rig.results()] == [3, 4]


def test_other_commands_go_on_meanwhile_and_only_so_many_works_run(rig: Rig) -> None:
    rig.begin(concurrency=1)
    gate, running = threading.Event(), []

    def act(command: wire.Command, progress: Progress) -> Outcome:
        running.append(command.id)
        gate.wait(5)
        return DONE

    rig.give(act, order("c1"), order("c2"))
    assert len(running) <= 1
    assert not rig.works.join(0.0)
    gate.set()
    assert rig.works.join(5)
    assert sorted(running) == ["c1", "c2"]
    assert [r["state"] for r in rig.results()] == ["succeeded", "succeeded"]


def test_what_ends_other_works_does_not_wait_for_them(rig: Rig) -> None:
    rig.begin(concurrency=1)
    end, ended = threading.Event(), []

    def long(command: wire.Command, progress: Progress) -> Outcome:
        ended.append(end.wait(5))
        return DONE

    def ending(command: wire.Command, progress: Progress) -> Outcome:
        end.set()
        return DONE

    rig.give(long, order("c1"))
    rig.works.start(order("c2"), ending, waits=False)
    assert rig.works.join(6)
    assert ended == [True]


def test_an_unforeseen_end_is_failed_and_says_nothing_of_its_text(rig: Rig) -> None:
    def act(command: wire.Command, progress: Progress) -> Outcome:
        raise RuntimeError("13800138000")

    rig.give(act, order())
    assert rig.works.join(5)
    assert rig.results() == [
        {"id": "c1", "state": "failed", "detail": {"outcome": "failed", "reason": "internal"}}
    ]


def test_an_agent_that_ends_leaves_the_work_to_its_next_run(rig: Rig) -> None:
    began, ended = threading.Event(), threading.Event()

    def act(command: wire.Command, progress: Progress) -> Outcome:
        began.set()
        try:
            while True:
                progress({"n": 1})
                ended.wait(0.01)
        except WorkStopped:
            ended.set()
            raise

    rig.give(act, order())
    assert began.wait(5)
    rig.works.stop()
    assert rig.works.join(5)
    assert ended.is_set()
    rig.results()
    rig.box.restart()
    rig.begin()
    rig.give(lambda command, progress: DONE)
    assert rig.results() == [{"id": "c1", "state": "not_now", "detail": {"reason": "interrupted"}}]
    rig.give(lambda command, progress: DONE, order())
    assert rig.works.join(5)
    assert [r["state"] for r in rig.results()] == ["succeeded"]
