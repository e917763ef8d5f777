"""A running transfer is told to end: it does at its next safe point, keeps what it has, and leaves both phones tidy."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.longwork import LongWork, WorkCalledOff
from agent.simulator.faults import Fault, FaultKind
from tests.agent.transfer.gateway import ORDER, Gateway
from tests.agent.transfer.rig import TRANSFER, fill, put, tree

MIB = 2**20


def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    """Look until it is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def words(gateway: Gateway) -> list[tuple[str, str, Any]]:
    """The last words in the order in which the server hears them: id, state, detail."""
    assert gateway.works.join(30)
    return [
        (r["id"], r["state"], r["detail"]) for r in gateway.box.send()["results"] if r["state"] != "running"
    ]


def ours(gateway: Gateway) -> list[Path]:
    """What of ours is on the phones."""
    found: list[Path] = []
    for device in gateway.rig.fleet.devices[:2]:
        real = device.files.real
        found += Path(real("/sdcard")).glob(".butler*")
        found += Path(real("/data/local/tmp")).glob("butler-list-*")
        found += Path(real("/sdcard/Download")).glob("butler-*.vcf")
    return found


def copy(gateway: Gateway) -> list[str]:
    """Files of the copy beside its journal."""
    return sorted(p.name for p in gateway.root.rglob("*") if p.name.isdigit() and int(p.name))


@pytest.mark.parametrize("stage", ["reading", "writing"])
def test_it_ends_in_the_middle_keeps_its_copy_and_goes_on_from_there(gateway: Gateway, stage: str) -> None:
    rig = gateway.rig
    fill(rig.old / "DCIM", 20)
    put(rig.old / "DCIM/long.mp4", random.Random(5).randbytes(12 * MIB))
    put(rig.new / "DCIM/theirs.jpg", b"theirs")
    rig.phones[0 if stage == "reading" else 1].delay_s = 0.02
    gateway.give(gateway.order(id=ORDER))
    until(lambda: copy(gateway) if stage == "reading" else any(rig.new.glob(".butler*/*")))
    gateway.give(gateway.order("stop_transfer"))
    transfer, stop = words(gateway)
    assert transfer[:2] == (ORDER, "failed")
    assert (transfer[2]["outcome"], transfer[2]["reason"], transfer[2]["copy"]) == (
        "cancelled",
        "stopped",
        "kept",
    )
    assert transfer[2]["files"]["verified"] == 0
    assert stop == ("s1", "succeeded", {"outcome": "stopped", "old_phone": "clean", "new_phone": "clean"})
    assert ours(gateway) == []
    assert copy(gateway)
    had = tree(rig.new)
    rig.phones[0].delay_s = rig.phones[1].delay_s = 0
    assert gateway.done(gateway.order(id="0197f000-0000-7000-8000-0000000000c2"))[1]["outcome"] == "verified"
    expected = {**tree(rig.old / "DCIM"), "theirs.jpg": tree(rig.new / "DCIM")["theirs.jpg"]}
    assert tree(rig.new / "DCIM") == expected
    # What had its place was not moved a second time.
    assert had.items() <= tree(rig.new).items()
    assert ours(gateway) == []


def test_one_that_waits_for_a_phone_ends_at_once_and_says_that_it_is_not_clean(gateway: Gateway) -> None:
    fill(gateway.rig.old / "DCIM", 3)
    put(gateway.rig.old / "DCIM/long.mp4", bytes(12 * MIB))
    gateway.rig.phones[0].delay_s = 0.02
    gateway.patience_s = 600.0
    gateway.begin()
    gateway.give(gateway.order(id=ORDER))
    until(lambda: copy(gateway))
    for number in (0, 1):
        gateway.rig.fleet.set_fault(number, Fault(FaultKind.REFUSE))
        gateway.rig.proxies[number].pull()
    gateway.give(gateway.order("stop_transfer"))
    transfer, stop = words(gateway)
    assert transfer[2]["outcome"] == "cancelled"
    assert stop[2]["outcome"] == "stopped"
    assert {stop[2]["old_phone"], stop[2]["new_phone"]} & {"clean", "left"} == set()


def test_told_twice_it_ends_once(gateway: Gateway) -> None:
    put(gateway.rig.old / "DCIM/long.mp4", bytes(12 * MIB))
    gateway.rig.phones[0].delay_s = 0.02
    gateway.give(gateway.order(id=ORDER))
    until(lambda: copy(gateway))
    for name in ("s1", "s2"):
        gateway.give(gateway.order("stop_transfer", id=name))
    told = {name: detail for name, _, detail in words(gateway)}
    assert told[ORDER]["outcome"] == "cancelled"
    assert {told["s1"]["outcome"], told["s2"]["outcome"]} <= {"stopped", "none"}
    assert ours(gateway) == []


def test_one_that_is_over_stays_what_it_was(gateway: Gateway) -> None:
    """It came to its end before it heard: verified is verified."""
    fill(gateway.rig.old / "DCIM", 3)
    assert gateway.done(gateway.order(id=ORDER))[1]["outcome"] == "verified"
    assert gateway.done(gateway.order("stop_transfer")) == (
        "succeeded", {"outcome": "none", "old_phone": "clean", "new_phone": "clean"},
    )  # fmt: skip
    assert tree(gateway.rig.new / "DCIM") == tree(gateway.rig.old / "DCIM")


def test_one_begun_since_is_not_ended_by_a_stop_that_came_late(gateway: Gateway) -> None:
    put(gateway.rig.old / "DCIM/long.mp4", bytes(3 * MIB))
    gateway.rig.phones[0].delay_s = 0.01
    gateway.give(gateway.order(id="0197f000-0000-7000-8000-0000000000c2"))
    until(lambda: copy(gateway))
    gateway.give(gateway.order("stop_transfer"))
    told = {name: detail for name, _, detail in words(gateway)}
    assert told["s1"] == {"outcome": "none"}
    assert told["0197f000-0000-7000-8000-0000000000c2"]["outcome"] == "verified"


def test_after_a_kill_what_was_left_is_cleared_by_the_stop(gateway: Gateway) -> None:
    rig = gateway.rig
    put(rig.old / "DCIM/long.mp4", bytes(12 * MIB))
    rig.phones[1].delay_s = 0.02
    gateway.give(gateway.order(id=ORDER))
    until(lambda: any(rig.new.glob(".butler*/*")))
    gateway.works.stop()
    assert gateway.works.join(10)
    assert ours(gateway)
    gateway.begin()
    gateway.give(gateway.order("stop_transfer"))
    told = {name: (state, detail) for name, state, detail in words(gateway)}
    assert told[ORDER] == ("not_now", {"reason": "interrupted"})
    assert told["s1"][1] == {"outcome": "none", "old_phone": "clean", "new_phone": "clean"}
    assert ours(gateway) == []
    assert copy(gateway)


def test_what_is_no_stop_is_refused(gateway: Gateway) -> None:
    good = {"transfer": TRANSFER, "order": ORDER, "new": None}
    for args in ({}, {**good, "order": "c1"}, {**good, "transfer": ".."}):
        assert gateway.done(gateway.order("stop_transfer", args=args, id=str(args))) == (
            "refused", {"reason": "bad_args"},
        )  # fmt: skip


def test_one_that_waits_for_its_turn_ends_without_it(gateway: Gateway) -> None:
    ended: dict[str, Any] = {}
    works = LongWork(ended.__setitem__, gateway.box.spool, gateway.box.clock, lambda: None, concurrency=1)
    begun, go = threading.Event(), threading.Event()

    def holds(command: Any, progress: Any) -> Any:
        begun.set()
        go.wait(20)
        return "done"

    def waits(command: Any, progress: Any) -> Any:
        progress({})
        return "done"

    works.start(gateway.order(id="first"), holds)
    assert begun.wait(10)
    works.start(gateway.order(id="second"), waits)
    assert works.call_off("third", 0) is None
    assert works.call_off("second", 10) is True
    assert (ended["second"].state, ended["second"].detail["reason"]) == ("failed", "stopped")
    assert works.call_off("first", 0) is False
    go.set()
    assert works.join(10)
    # What never asked came to its own end.
    assert ended["first"] == "done"
    assert issubclass(WorkCalledOff, Exception)
