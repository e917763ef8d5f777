"""Resets of simulated phones: what goes, what stays, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import TransportError
from agent.simulator.android.testharness import HarnessLie
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.runner import execute
from agent.simulator.state import Account, AuthMode, PhoneState, Volume
from agent.transport import open_transport

ENABLE = "cmd testharness enable"


def phone_of(**state: object) -> PhoneState:
    phone = make_phone(0)
    phone.identity.sdk, phone.lock_pin, phone.auth, phone.reset_after_s = 33, None, AuthMode.OPEN, 0.0
    phone.contacts, phone.volumes, phone.esim_profiles = 7, [Volume()], 1
    phone.accounts = [Account(0, "com.google", "a@b")]
    for name, value in state.items():
        setattr(phone, name, value)
    return phone


def until(what: Callable[[], bool]) -> None:
    for _ in range(500):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def ran(fleet: Fleet, command: str) -> tuple[str, int | None]:
    with open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}") as transport:
        result = transport.run(command, 5.0)
    return (result.stdout + result.stderr).decode(), result.exit_code


def test_the_phone_answers_first_and_comes_back_erased(tmp_path: Path) -> None:
    phone = phone_of()
    before = phone.identity.android_id, phone.boot_id, phone.identity.serial, list(phone.identity.imeis)
    (tmp_path / "p").write_text("x")
    with Fleet([phone]) as fleet:
        with open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}") as transport:
            transport.push(tmp_path / "p", "/sdcard/DCIM/p.jpg", 5.0)
            transport.push(tmp_path / "p", "/sdcard/Android/data/x", 5.0)
            transport.push(tmp_path / "p", "/data/local/tmp/x", 5.0)
        assert fleet.devices[0].files.media_count() == 1, "what apps keep below Android is not counted"
        assert ran(fleet, ENABLE) == ("", 0)
        until(lambda: phone.resets == 1 and fleet.devices[0].powered)
        assert ran(fleet, "getprop persist.sys.test_harness") == ("1\n", 0)
        history, _ = ran(fleet, "getprop persist.sys.boot.reason.history")
        assert history.startswith("reboot,factory_reset,")
        assert ran(fleet, "settings get global boot_count") == ("1\n", 0)
        assert [ran(fleet, f"pm list packages -3 --user {u}")[0] for u in (0, 999)] == ["", ""]
        assert "179,65 mounted" in ran(fleet, "sm list-volumes all")[0], "an SD card is not touched"
        assert fleet.devices[0].files.media_count() == 0
        assert not fleet.devices[0].files.real("/data/local/tmp/x").exists()
    assert (phone.identity.android_id, phone.boot_id) != before[:2]
    assert (phone.identity.serial, phone.identity.imeis) == before[2:]
    assert (phone.accounts, phone.contacts, phone.frp_account, phone.esim_profiles) == ([], 0, "a@b", 1)
    assert all(package.system and package.installed_at > 1_780_000_000 for package in phone.packages)


@pytest.mark.parametrize(
    ("state", "said", "code"),
    [
        ({"lock_pin": "1234"}, "Test Harness Mode cannot be enabled if there is a lock screen\n", 2),
        ({"persistent_block": False}, "Failed to enable Test Harness Mode\n", 1),
        ({"test_harness_service": False}, "cmd: Can't find service: testharness\n", 20),
        ({"harness_lie": HarnessLie.DOES_NOTHING}, "", 0),
    ],
)
def test_refusals_and_the_lie_erase_nothing(state: dict[str, object], said: str, code: int) -> None:
    phone = phone_of(**state)
    with Fleet([phone]) as fleet:
        assert ran(fleet, ENABLE) == (said, code)
        assert ran(fleet, "am broadcast -a android.intent.action.MASTER_CLEAR")[0].endswith(
            "completed: result=0\n"
        )
        time.sleep(0.02)
        assert ran(fleet, "echo 1") == ("1\n", 0)
    assert (phone.resets, phone.contacts) == (0, 7)


def test_before_android_10_there_is_no_such_service() -> None:
    phone = phone_of()
    phone.identity.sdk = 28
    assert b"Can't find service" in execute(ENABLE, phone).stderr
    assert execute("service check testharness", phone).stdout == b"Service testharness: not found\n"


@pytest.mark.parametrize(("lie", "resets"), [("lost_before", 0), ("lost_after", 1), ("silent_after", 1)])
def test_an_answer_that_is_lost_tells_nothing(lie: str, resets: int) -> None:
    phone = phone_of(harness_lie=lie)
    with Fleet([phone]) as fleet:
        with open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}") as transport, pytest.raises(TransportError):
            transport.run(ENABLE, 0.5)
        until(lambda: phone.resets == resets and fleet.devices[0].powered)
    assert phone.wipe_orders == 1


def test_pictures_may_be_forgotten_and_power_lost_before_it_began(tmp_path: Path) -> None:
    phone = phone_of(harness_lie=HarnessLie.KEEPS_MEDIA, reset_after_s=1.0)
    (tmp_path / "p").write_text("x")
    with Fleet([phone]) as fleet:
        with open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}") as transport:
            transport.push(tmp_path / "p", "/sdcard/p.jpg", 5.0)
        ran(fleet, ENABLE)
        fleet.power_off(0)
        time.sleep(1.1)
        fleet.power_on(0)
        assert phone.resets == 0, "what was not begun does not go on after a loss of power"
        ran(fleet, ENABLE)
        until(lambda: phone.resets == 1 and fleet.devices[0].powered)
        assert fleet.devices[0].files.media_count() == 1


def test_after_a_reset_by_hand_nobody_is_let_in_until_somebody_allows_it() -> None:
    phone = phone_of()
    with Fleet([phone]) as fleet:
        fleet.factory_reset(0)
        assert (phone.resets, phone.test_harness, phone.esim_profiles) == (1, False, 0)
        with pytest.raises(TransportError) as refused:
            ran(fleet, "echo 1")
        assert refused.value.reason == "unreachable"
        fleet.enable_debugging(0)
        with pytest.raises(TransportError) as asked:
            ran(fleet, "echo 1")
        assert asked.value.reason == "unauthorized"
        assert phone.settings["global"]["device_provisioned"] == "0"


def test_the_small_shell_compares_what_commands_print() -> None:
    phone = phone_of()
    serial = phone.identity.serial
    same = f"""[ "$(getprop ro.serialno)" = '{serial}' ] && echo yes || exit 93; echo on"""
    assert execute(same, phone).stdout == b"yes\non\n"
    other = execute("""[ "$(getprop ro.serialno)" = 'X' ] && echo yes || exit 93; echo on""", phone)
    assert (other.stdout, other.exit_code) == (b"", 93)
