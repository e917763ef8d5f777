"""Orders for transfers at a gateway: the box, the identity of both phones, the manifest, the copy, a killed agent."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.client import ServerAway, ServerRefused
from agent.simulator.faults import Fault, FaultKind
from tests.agent.transfer.gateway import LIMITS, Gateway
from tests.agent.transfer.rig import TRANSFER, Rig, fill, put, tree
from tests.support.cutting import random_cuts

ROUNDS = int(os.environ.get("BUTLER_PROVE_TRANSFER", "1"))


def test_a_whole_order_is_carried_out_told_and_its_copy_destroyed(gateway: Gateway) -> None:
    fill(gateway.rig.old / "DCIM", 20)
    state, detail = gateway.done(gateway.order())
    assert tree(gateway.rig.new / "DCIM") == tree(gateway.rig.old / "DCIM")
    assert state == "succeeded"
    assert detail["outcome"] == "verified"
    assert detail["copy"] == "destroyed"
    assert detail["files"]["verified"] == 20
    (page,) = gateway.server.pages
    assert (page["command"], page["transfer"], page["page"], page["pages"]) == ("c1", TRANSFER, 0, 1)
    assert (page["sha256"], len(page["entries"])) == (detail["manifest"]["sha256"], 20)
    assert {path.name for path in gateway.root.rglob("*")} == {TRANSFER, "keep", "ended"}
    told = gateway.done(gateway.order("discard_copy", id="c2"))
    assert told == ("succeeded", {"outcome": "none", "new_phone": "clean"})
    assert list(gateway.root.iterdir()) == []


def test_the_last_word_is_given_again_without_a_second_transfer(gateway: Gateway) -> None:
    """Killed after the copy was destroyed and before the result was on disk."""
    fill(gateway.rig.old / "DCIM", 3)
    state, detail = gateway.done(gateway.order())
    gateway.box.database.close()
    gateway.box.path.unlink()
    gateway.box.restart()
    gateway.begin()
    gateway.rig.fleet.power_off(0)
    assert gateway.done(gateway.order()) == (state, detail)


def test_differences_keep_the_copy_until_it_is_discarded(gateway: Gateway) -> None:
    put(gateway.rig.old / "DCIM/large", bytes(2000))
    command = gateway.order()
    command.args["limits"] = {**LIMITS, "max_file_bytes": 1000}
    state, detail = gateway.done(command)
    assert (state, detail["outcome"], detail["copy"]) == ("succeeded", "differences", "kept")
    again = gateway.order(id="c2")
    assert gateway.done(again)[1]["outcome"] == "verified"
    told = gateway.done(gateway.order("discard_copy", id="c3", args={"transfer": TRANSFER, "new": None}))
    assert told == ("succeeded", {"outcome": "none"})


def test_what_is_no_order_is_refused_and_touches_nothing(gateway: Gateway) -> None:
    fill(gateway.rig.old / "DCIM", 2)
    good = gateway.order().args
    bad: Sequence[dict[str, Any]] = [
        {**good, "folders": [{"path": "/data/data/com.x"}]},
        {**good, "folders": [{"path": "/sdcard/../data"}]},
        {**good, "folders": [{"path": "/sdcard"}]},
        {**good, "transfer": "../../etc"},
        {**good, "parts": []},
        {**good, "parts": ["passwords"]},
        {**good, "limits": {"max_file_bytes": "many"}},
        {**good, "keep_days": 0},
        {**good, "new": {"serial": gateway.rig.phones[0].identity.serial, "imei": []}},
        {},
    ]
    for number, args in enumerate(bad):
        told = gateway.done(gateway.order(id=f"b{number}", args=args))
        assert told == ("refused", {"reason": "bad_args"}), args
    assert gateway.done(gateway.order(id="short"), key=b"short") == ("refused", {"reason": "bad_box"})
    assert gateway.done(gateway.order(id="none"), key=None) == ("not_now", {"reason": "no_box"})
    assert gateway.done(gateway.order("discard_copy", id="d", args={"transfer": ".."})) == (
        "refused", {"reason": "bad_args"},
    )  # fmt: skip
    assert tree(gateway.rig.new) == {}
    assert not gateway.root.exists()


def test_another_phone_is_refused_by_its_whole_reading(gateway: Gateway) -> None:
    fill(gateway.rig.old / "DCIM", 2)
    gateway.serials._known[gateway.targets[2]] = gateway.rig.phones[1].identity.serial
    del gateway.serials._known[gateway.targets[1]]
    assert gateway.done(gateway.order(id="c2")) == ("refused", {"reason": "other_phone"})
    for device in gateway.rig.fleet.devices:
        assert not any(device.files.real("/sdcard").glob(".butler*"))
    assert tree(gateway.rig.new) == {}


def test_cables_swapped_in_the_middle_write_nothing_to_a_third_phone(gateway: Gateway) -> None:
    rig = gateway.rig
    fill(rig.old / "DCIM", 60)
    third = rig.fleet.devices[2].files.real("/sdcard")
    put(rig.old / "DCIM/long.mp4", random.Random(5).randbytes(5 * 2**20))
    swapped = threading.Event()
    real = rig.proxies[1].target

    def swap() -> None:
        while not any(rig.new.glob(".butler*/*")) and not swapped.is_set():
            time.sleep(0.002)
        rig.proxies[1].target = rig.fleet.ports[2]
        rig.proxies[1].pull()

    thread = threading.Thread(target=swap)
    thread.start()
    gateway.give(gateway.order())
    results = gateway.ended()
    swapped.set()
    thread.join()
    assert results == [("not_now", {"reason": "other_phone"})]
    assert tree(third) == {}
    assert not any(third.iterdir())
    rig.proxies[1].target = real
    assert gateway.done(gateway.order())[1]["outcome"] == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")


def test_a_discarded_transfer_ends_and_leaves_no_copy(gateway: Gateway) -> None:
    put(gateway.rig.old / "DCIM/long.mp4", random.Random(5).randbytes(40 * 2**20))
    gateway.rig.phones[0].delay_s = 0.01
    gateway.give(gateway.order())
    while not any(gateway.root.glob("*/0*1")) and not gateway.works.join(0.005):
        pass
    gateway.give(gateway.order("discard_copy", id="c2"))
    ended = dict(zip(("transfer", "discard"), sorted(gateway.ended(), key=str), strict=True))
    assert ended["transfer"][1]["outcome"] == "cancelled"
    assert ended["discard"] == ("succeeded", {"outcome": "destroyed", "new_phone": "clean"})
    assert list(gateway.root.iterdir()) == []


def test_what_a_transfer_left_half_done_goes_with_its_copy_and_nothing_else(gateway: Gateway) -> None:
    rig = gateway.rig
    new, old = rig.fleet.devices[1].files.real, rig.fleet.devices[0].files.real
    token = TRANSFER.replace("-", "")[-12:]
    rest = [
        Path(new(f"/sdcard/.butler-transfer-{token}/7-abc")), Path(new("/sdcard/Download/butler-0a1b2c3d-0.vcf")),
        Path(old(f"/data/local/tmp/butler-list-{token}")),
    ]  # fmt: skip
    kept = [Path(new("/sdcard/Download/butler-plan.vcf")), Path(new("/sdcard/Download/a.vcf"))]
    for path in (*rest, *kept):
        put(path, b"x")
    told = gateway.done(gateway.order("discard_copy"))
    assert told == ("succeeded", {"outcome": "none", "new_phone": "clean"})
    assert [path.exists() for path in (*rest, *kept)] == [False] * 3 + [True] * 2


def test_a_new_phone_that_is_away_is_not_called_clean(gateway: Gateway) -> None:
    gateway.rig.fleet.set_fault(1, Fault(FaultKind.REFUSE))
    state, told = gateway.done(gateway.order("discard_copy"))
    assert (state, told["outcome"]) == ("succeeded", "none")
    assert told["new_phone"] not in ("clean", "left")


def test_the_server_is_away_or_says_no(gateway: Gateway) -> None:
    fill(gateway.rig.old / "DCIM", 2)
    gateway.server.errors = [ServerAway("x")]
    assert gateway.done(gateway.order())[1]["outcome"] == "verified"
    gateway.server.errors = [ServerRefused(404, "unknown_command", "", {})]
    state, detail = gateway.done(gateway.order(id="c2"))
    assert (state, detail["outcome"], detail["reason"]) == ("failed", "failed", "manifest_refused")
    gateway.server.errors = [ServerRefused(413, "too_large", "", {})]
    assert gateway.done(gateway.order(id="c3"))[1]["reason"] == "too_many_files"


def test_readings_go_on_meanwhile(gateway: Gateway) -> None:
    """Neither phone is held while the other is worked on."""
    fill(gateway.rig.old / "DCIM", 60)
    gateway.give(gateway.order())
    taken = 0
    while not gateway.works.join(0.0):
        for phone in gateway.rig.phones[:2]:
            with gateway.hands.take(phone.identity.serial) as free:
                taken += free
        time.sleep(0.005)
    assert gateway.ended()[0][1]["outcome"] == "verified"
    assert taken > 5


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_killed_agent_goes_on_and_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    """SIGKILL at any moment, cables pulled besides; the server sends the order again each time."""
    rng = random.Random(seed)
    with Rig(tmp_path).up() as rig:
        fill(rig.old / "DCIM", 40, seed)
        put(rig.new / "DCIM/a b", b"theirs")
        put(rig.old / "DCIM/long.mp4", rng.randbytes(5 * 2**20 + 1))
        rig.cuts = {n: random_cuts(rng, 200_000, 5_000_000, 3) for n in (0, 1)}
        gateway = Gateway(rig, tmp_path)
        gateway.box.database.close()
        for _ in range(4):
            child = os.fork()
            if child == 0:
                with contextlib.suppress(BaseException):
                    gateway.box.open("g1")
                    gateway.begin()
                    gateway.give(gateway.order())
                    gateway.give(gateway.order())
                    gateway.works.join(60)
                os._exit(0)
            time.sleep(rng.uniform(0.05, 1.2))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        rig.cuts = {}
        gateway.box.open("g1")
        gateway.begin()
        gateway.give(gateway.order())
        told = gateway.ended()
        if told[-1][0] == "not_now":
            told = [gateway.done(gateway.order())]
        assert told[-1][1]["outcome"] == "verified"
        expected = tree(rig.old / "DCIM")
        expected["a b（旧手机）"] = expected["a b"]
        found = tree(rig.new / "DCIM")
        del expected["a b"], found["a b"]
        assert found == expected
        assert [path.name for path in rig.new.iterdir()] == ["DCIM"]
        gateway.box.database.close()


@pytest.mark.parametrize("end", [0, 1])
def test_a_clone_is_refused_by_its_whole_reading(gateway: Gateway, end: int) -> None:
    """It has the serial and the IMEI; only a reset gives an `android_id`."""
    fill(gateway.rig.old / "DCIM", 2)
    told = [phone.identity.android_id for phone in gateway.rig.phones[:2]]
    gateway.rig.phones[end].identity.android_id = "ffff000011112222"
    order = gateway.order(id="c2")
    new = {**order.args["new"], "expect": {"android_id": told[1]}}
    order = replace(order, args={**order.args, "expect": {"android_id": told[0]}, "new": new})
    assert gateway.done(order) == ("refused", {"reason": "expect"})
    assert tree(gateway.rig.new) == {}
    gateway.rig.phones[end].identity.android_id = told[end]
    assert gateway.done(replace(order, id="c3"))[1]["outcome"] == "verified"


@pytest.mark.parametrize("expect", [[], "x", {"android_id": 7}, {"boot_id": []}])
def test_what_is_expected_in_no_way_that_is_known_is_no_order(gateway: Gateway, expect: Any) -> None:
    order = gateway.order(id="c2")
    assert gateway.done(replace(order, args={**order.args, "expect": expect})) == (
        "refused", {"reason": "bad_args"},
    )  # fmt: skip
    new = {**order.args["new"], "expect": expect}
    assert gateway.done(replace(order, id="c3", args={**order.args, "new": new}))[0] == "refused"
