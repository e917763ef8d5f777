from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import inbox as module
from agent import wire
from agent.inbox import Inbox, Outcome, receive
from tests.agent.builders import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "spool.db")
    yield box
    box.database.close()


def command(name: str = "c1", **changes: Any) -> wire.Command:
    return wire.Command(name, "read_phone", "a1", "S1", ("1",), {"n": 1}, 60, **changes)


def take_in(box: Box, *commands: wire.Command) -> None:
    with box.database.transaction() as db:
        receive(db, commands, box.clock.now())


def inbox(box: Box) -> Inbox:
    return Inbox(box.database, box.clock)


def results(box: Box) -> list[tuple[str, str]]:
    return [(r["id"], r["state"]) for r in box.send()["results"]]


def test_a_command_comes_out_as_it_went_in_with_its_receipt(box: Box) -> None:
    take_in(box, command())
    box.steady.now += 5
    box.restart()
    received = inbox(box).next()
    assert received
    assert received.command == command()
    assert box.clock.age_s(received.at) == 5


def test_commands_are_carried_out_in_the_order_of_their_receipt(box: Box) -> None:
    take_in(box, command("c2"), command("c1"))
    take_in(box, command("c0"))
    seen = []
    while received := inbox(box).next():
        seen.append(received.command.id)
        inbox(box).finish(received.command.id, Outcome("succeeded", {}))
    assert seen == ["c2", "c1", "c0"]


def test_a_result_and_its_reading_are_spooled_together(box: Box) -> None:
    take_in(box, command())
    inbox(box).start("c1")
    inbox(box).finish("c1", Outcome("succeeded", {"reading": True}, (box.reading(),)))
    body = box.send()
    assert [r["phone"] for r in body["readings"]] == ["S1"]
    assert body["results"][0] == {"id": "c1", "state": "succeeded", "detail": {"reading": True}, "age_s": 0.0}


def test_an_id_that_waits_or_runs_is_not_taken_twice(box: Box) -> None:
    take_in(box, command(), command())
    take_in(box, command())
    inbox(box).start("c1")
    take_in(box, command())
    assert inbox(box).next() is None
    inbox(box).finish("c1", Outcome("succeeded", {}))
    assert inbox(box).next() is None
    assert results(box) == [("c1", "succeeded")]


def test_an_executed_id_is_answered_with_its_stored_result(box: Box) -> None:
    take_in(box, command())
    inbox(box).finish("c1", Outcome("failed", {"reason": "protocol"}))
    take_in(box, command())
    assert results(box) == [("c1", "failed")], "the answer is on its way already, once is enough"
    box.restart()
    take_in(box, command())
    assert inbox(box).next() is None
    assert results(box) == [("c1", "failed")]


def test_an_act_that_was_cut_off_is_answered_not_now(box: Box) -> None:
    take_in(box, command("c1"), command("c2"))
    inbox(box).start("c1")
    box.restart()
    assert list(inbox(box).recover()) == ["c1"]
    assert results(box) == [("c1", "not_now")]
    received = inbox(box).next()
    assert received
    assert received.command.id == "c2"
    assert list(inbox(box).recover()) == []


def test_not_now_lets_the_same_id_run_again_once_it_was_reported(box: Box) -> None:
    take_in(box, command())
    inbox(box).finish("c1", Outcome("not_now", {"reason": "timeout"}))
    take_in(box, command())
    assert inbox(box).next() is None
    assert results(box) == [("c1", "not_now")]
    box.steady.now += 50
    take_in(box, command())
    received = inbox(box).next()
    assert received
    assert box.clock.age_s(received.at) == 0, "its time counts from the new receipt"


def test_executed_ids_are_bounded(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 5)
    for n in range(9):
        take_in(box, command(f"c{n}"))
        inbox(box).finish(f"c{n}", Outcome("succeeded", {}))
    with box.database.transaction() as db:
        kept = [row[0] for row in db.execute("SELECT id FROM command ORDER BY seq")]
    assert kept == ["c4", "c5", "c6", "c7", "c8"]


def test_ten_thousand_repeated_commands_are_no_work_of_their_square(box: Box) -> None:
    """Statements are counted, not seconds: the sweep waits for this transaction."""
    ids = [f"c{n}" for n in range(300)]
    take_in(box, *(command(name) for name in ids))
    for name in ids:
        inbox(box).start(name)
        inbox(box).finish(name, Outcome("succeeded", {}))
    statements: list[str] = []
    box.database._connection.set_trace_callback(statements.append)
    take_in(box, *(command(name) for name in ids), *(command(name) for name in ids))
    box.database._connection.set_trace_callback(None)
    assert len([s for s in statements if "part = 'results'" in s]) == 1
    assert len(results(box)) == len(ids)


def test_a_result_is_reported_again_once_however_often_its_command_comes(box: Box) -> None:
    take_in(box, command())
    inbox(box).finish("c1", Outcome("succeeded", {}))
    box.send()
    take_in(box, command(), command(), command())
    assert results(box) == [("c1", "succeeded")]
