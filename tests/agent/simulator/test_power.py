import socket
import time

import pytest

from agent.simulator.state import PhoneState
from tests.agent.simulator.client import Client
from tests.agent.simulator.conftest import StartFleet


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except ConnectionRefusedError:
        return True
    return False


def _wait(phone: PhoneState, before: str) -> None:
    for _ in range(200):
        if phone.boot_id != before:
            return
        time.sleep(0.01)
    raise AssertionError("the phone did not boot")


def test_a_reboot_is_a_new_boot(start: StartFleet) -> None:
    fleet = start()
    phone, port = fleet.phones[0], fleet.ports[0]
    boot_id, count, uptime = phone.boot_id, phone.boot_count, phone.uptime()
    with Client(port) as client:
        client.connect()
        fleet.reboot(0)
        assert client.ends()
    assert phone.boot_id != boot_id
    assert phone.boot_count == count + 1
    assert phone.uptime() < uptime
    assert phone.boot_reasons[0] == ("reboot,userrequested", int(phone.wall() - phone.uptime()))
    assert fleet.ports[0] == port
    with Client(port) as client:
        client.connect()
        got = client.collect(
            "shell:cat /proc/sys/kernel/random/boot_id; settings get global boot_count"
        ).split()
    assert got == [phone.boot_id.encode(), str(count + 1).encode()]


def test_a_loss_of_power_and_the_way_back(start: StartFleet) -> None:
    fleet = start()
    phone, port = fleet.phones[0], fleet.ports[0]
    boot_id, history = phone.boot_id, list(phone.boot_reasons)
    with Client(port) as client:
        client.connect()
        fleet.power_off(0)
        assert client.ends()
    assert _refused(port)
    assert (phone.boot_id, phone.boot_reasons) == (boot_id, history)
    fleet.power_on(0)
    assert phone.boot_reasons[0][0] == "cold,powerkey"
    with Client(port) as client:
        assert client.connect().command == b"CNXN"
    before = phone.boot_id
    fleet.power_on(0)
    assert phone.boot_id == before


def test_an_orderly_shutdown_is_the_next_boots_reason(start: StartFleet) -> None:
    fleet = start()
    fleet.power_off(0, "shutdown,battery")
    fleet.power_off(0)
    fleet.power_on(0)
    assert fleet.phones[0].boot_reasons[0][0] == "shutdown,battery"
    assert len(fleet.phones[0].boot_reasons) <= 4


def test_while_it_boots_a_phone_is_away(start: StartFleet) -> None:
    fleet = start(boot_duration_s=0.3)
    phone, before = fleet.phones[0], fleet.phones[0].boot_id
    fleet.reboot(0)
    assert _refused(fleet.ports[0])
    _wait(phone, before)
    fleet.power_off(0)
    assert _refused(fleet.ports[0])


def test_switching_off_ends_a_boot_under_way(start: StartFleet) -> None:
    fleet = start(boot_duration_s=0.05)
    before = fleet.phones[0].boot_id
    fleet.reboot(0)
    fleet.power_off(0)
    time.sleep(0.15)
    assert fleet.phones[0].boot_id == before
    assert _refused(fleet.ports[0])


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("reboot:", "reboot,adb"),
        ("reboot:bootloader", "reboot,bootloader"),
        ("shell:reboot", "reboot,shell"),
        ("shell:svc power reboot userrequested", "reboot,userrequested"),
    ],
)
def test_a_phone_reboots_itself_when_told(start: StartFleet, service: str, reason: str) -> None:
    fleet = start()
    phone = fleet.phones[0]
    before = phone.boot_id
    with Client(fleet.ports[0]) as client:
        client.connect()
        client.send(b"OPEN", 1, 0, service.encode() + b"\0")
        _wait(phone, before)
    assert phone.boot_reasons[0][0] == reason


def test_a_phone_switches_itself_off_when_told(start: StartFleet) -> None:
    fleet = start()
    with Client(fleet.ports[0]) as client:
        client.connect()
        client.send(b"OPEN", 1, 0, b"shell:reboot -p\0")
        assert client.ends()
    assert _refused(fleet.ports[0])


def test_the_boot_count_is_the_former_one_until_the_boot_is_completed(start: StartFleet) -> None:
    now = 1000.0
    fleet = start(clock=lambda: now, booted_at=0.0, boot_completed_after_s=30.0)
    phone = fleet.phones[0]
    count = phone.boot_count
    fleet.reboot(0)
    with Client(fleet.ports[0]) as client:
        client.connect()
        ask = "shell:getprop sys.boot_completed; settings get global boot_count"
        assert client.collect(ask) == b"\n%d\n" % count
        now += 31
        assert client.collect(ask, local=2) == b"1\n%d\n" % (count + 1)
