"""A phone shows itself: what was done is told, what was not as well, and the screen is as before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.simulator.faults import Fault, FaultKind
from agent.simulator.mksh import MkshRunner
from agent.transport_tcp import TcpTransport
from tests.agent.wipe_rig import WipeRig
from tests.support.orders import AGENT

ALL = ["screen", "notification", "vibrate", "brightness"]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[WipeRig]:
    with WipeRig(tmp_path).up() as made:
        yield made


def shown(rig: WipeRig, label: Any = "GJ-0001") -> tuple[str, dict[str, Any]]:
    rig.number += 1
    phone = rig.phones[0].identity
    return rig.order(
        wire.Command(f"d{rig.number}", "identify_phone", AGENT, phone.serial, (), {"label": label}, 300)
    )


@pytest.mark.parametrize("mode", ["null", "0", "1"])
def test_it_lights_up_and_is_as_before(rig: WipeRig, mode: str) -> None:
    phone = rig.phones[0]
    system = phone.settings["system"]
    if mode != "null":
        system["screen_brightness_mode"] = mode
    before, phone.screen_on, phone.lock_pin = dict(system), False, "1234"
    assert shown(rig) == ("succeeded", {"did": ALL, "failed": []})
    assert phone.screen_on
    assert phone.shown == [
        "key KEYCODE_WAKEUP", "notification butler-identify GJ-0001: 找到这部手机：GJ-0001", "vibration",
    ]  # fmt: skip
    assert (system, phone.lock_pin, phone.lock_tries) == (before, "1234", 0)


def test_what_a_phone_cannot_is_told(rig: WipeRig) -> None:
    phone = rig.phones[0]
    phone.identity.sdk = 28
    assert shown(rig)[1] == {"did": ["screen", "vibrate", "brightness"], "failed": ["notification"]}
    phone.identity.sdk = 30
    assert shown(rig)[1]["failed"] == []
    del phone.settings["system"]["screen_brightness"]
    assert shown(rig)[1]["failed"] == ["brightness"], "what it was is not known, so it is left alone"


def test_a_label_may_hold_anything_printable(tmp_path: Path) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    label = "资产'\"$(id)`x\\;|&7"
    with WipeRig(tmp_path, mode="mksh").up() as rig:
        rig.phones[0].settings["system"].pop("screen_brightness")
        assert shown(rig, label)[0] == "succeeded"
        assert f"notification butler-identify {label}: 找到这部手机：{label}" in rig.phones[0].shown


@pytest.mark.parametrize("label", ["", None, 7, "x" * 41, "a\nb"])
def test_a_label_that_is_none_is_refused(rig: WipeRig, label: Any) -> None:
    assert shown(rig, label) == ("refused", {"reason": "bad_args"})
    assert rig.phones[0].shown == []


def test_a_phone_that_goes_away_meanwhile(rig: WipeRig, monkeypatch: Any) -> None:
    real, calls = TcpTransport.run, iter(range(100))

    def run(self: TcpTransport, command: str, deadline_s: float) -> Any:
        if next(calls) == cut:
            rig.fleet.set_fault(0, Fault(FaultKind.DROP))
        return real(self, command, deadline_s)

    monkeypatch.setattr(TcpTransport, "run", run)
    cut = 1
    assert shown(rig) == ("not_now", {"reason": "dropped"})
    rig.fleet.set_fault(0, None)
    calls, cut = iter(range(100)), 2
    assert shown(rig) == ("succeeded", {"did": ["screen"], "failed": ALL[1:]})


def test_another_or_no_phone(rig: WipeRig) -> None:
    serial, rig.phones[0].identity.serial = rig.phones[0].identity.serial, "OTHER1"
    rig.number += 1
    command = wire.Command("o1", "identify_phone", AGENT, serial, (), {"label": "x"}, 300)
    assert rig.order(command) == ("refused", {"reason": "other_phone"})
    rig.fleet.power_off(0)
    rig.phones[0].identity.serial = serial
    assert shown(rig) == ("not_now", {"reason": "unreachable"})
