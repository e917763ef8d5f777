import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.simulator import cli, scenario
from tests.agent.simulator.client import Client
from tests.agent.simulator.conftest import StartFleet

TIMEOUT_S = 20


def _free_ports(count: int) -> int:
    """First of `count` consecutive free ports."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count < 65535 and all(_free(first + step) for step in range(count)):
            return first


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _simulate(*args: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "agent", "simulate", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_phones_on_consecutive_ports_until_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(
        json.dumps({"phones": [{"phone": 1, "serial": "SERIAL1", "auth": "open"}]}), encoding="utf-8"
    )
    port = _free_ports(3)
    running = _simulate("--phones", 3, "--port", port, "--mode", "canned", "--scenario", tmp_path / "s.json")
    with running:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(4)]
        assert [re.match(r"tcp:127.0.0.1:(\d+) ", line)[1] for line in lines[:3]] == [
            str(port + n) for n in range(3)
        ]  # type: ignore[index]
        assert "SERIAL1" in lines[1]
        assert lines[3] == "3 simulated phones (canned); Ctrl-C ends them\n"
        with Client(port + 1) as client:
            client.connect()
            assert client.collect("shell:getprop ro.serialno") == b"SERIAL1\n"
        running.send_signal(number)
        _, errors = running.communicate(timeout=TIMEOUT_S)
    assert (running.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--phones", 0, "--port", 1), "from 1 to 5000"),
        (("--phones", 1, "--port", 70000), "from 1 to 65535"),
        (("--phones", 2, "--port", 65535), "go beyond port 65535"),
        (("--phones", 1), "--port"),
        (
            ("--phones", 1, "--port", 1, "--scenario", "/nonexistent.json"),
            "/nonexistent.json: No such file or directory",
        ),
    ],
)
def test_bad_arguments_are_told_with_exit_2(args: tuple[object, ...], message: str) -> None:
    with _simulate(*args) as running:
        _, errors = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 2
    assert message in errors
    assert "Traceback" not in errors


def test_a_taken_port_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = _simulate("--phones", 1, "--port", taken.getsockname()[1], "--mode", "canned")
        _, errors = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 2
    assert errors.count("\n") == 1
    assert "cannot listen on 127.0.0.1" in errors


def test_events_happen_in_their_order(start: StartFleet) -> None:
    fleet = start(count=2)
    phones = fleet.phones
    counts = [phone.boot_count for phone in phones]
    plan = scenario.parse(
        {
            "events": [
                {"at_s": 0.02, "phone": 1, "do": "power_on"},
                {"at_s": 0, "every_s": 0.05, "phone": 0, "do": "reboot", "reason": "reboot,ota"},
                {"at_s": 0, "phone": 1, "do": "power_off", "reason": "shutdown,thermal"},
                {
                    "at_s": 0,
                    "phone": 1,
                    "do": "set",
                    "values": {"battery_percent": 1, "fault": {"kind": "empty"}},
                },
                {"at_s": 0.03, "phone": 1, "do": "fault", "fault": None},
                {"at_s": 0.03, "phone": 1, "do": "authorise"},
                {"at_s": 0.03, "phone": 1, "do": "drop"},
            ]
        },
        2,
    )
    stop = threading.Event()
    player = threading.Thread(target=cli.play, args=(fleet, plan.events, stop))
    player.start()
    for _ in range(500):
        if phones[0].boot_count >= counts[0] + 3 and phones[1].boot_count > counts[1]:
            break
        stop.wait(0.01)
    stop.set()
    player.join()
    assert phones[0].boot_count >= counts[0] + 3
    assert phones[0].boot_reasons[0][0] == "reboot,ota"
    assert phones[1].boot_reasons[0][0] == "shutdown,thermal"
    assert phones[1].battery.percent == 1
    assert fleet.devices[1].fault is None


def test_a_phone_goes_off_for_a_while_and_comes_back_by_itself(start: StartFleet) -> None:
    fleet = start()
    phone = fleet.phones[0]
    count = phone.boot_count
    document = {
        "events": [
            {"at_s": 0, "phone": 0, "do": "power_off", "reason": "shutdown,userrequested", "for_s": 0.05},
            {"at_s": 0.1, "phone": 0, "do": "kill_journal"},
            {"at_s": 0.1, "phone": 0, "do": "battery_dies", "for_s": 0.05},
            {"at_s": 0.2, "phone": 0, "do": "lose_journal"},
        ]
    }
    stop = threading.Event()
    thread = threading.Thread(target=cli.play, args=(fleet, scenario.parse(document, 1).events, stop))
    thread.start()
    for _ in range(400):
        if phone.boot_count == count + 2:
            break
        stop.wait(0.02)
    stop.set()
    thread.join()
    assert phone.boot_count == count + 2
    assert [reason for reason, _ in phone.boot_reasons[:2]] == ["cold,powerkey", "shutdown,userrequested"]
    assert phone.battery.charging
