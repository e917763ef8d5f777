import json
from pathlib import Path
from typing import Any

import pytest

from agent.simulator import changes, scenario
from agent.simulator.android import run
from agent.simulator.checks import ScenarioError
from agent.simulator.faults import Fault, FaultKind
from agent.simulator.make import make_phone
from agent.simulator.scenario import Event
from agent.simulator.state import AuthMode, Enabled


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "scenario: an object is wanted, not []"),
        ({"phone": []}, "scenario.phone: no such field"),
        ({"phones": {}}, "scenario.phones: a list is wanted, not {}"),
        ({"phones": [{}]}, "scenario.phones[0].phone: is missing"),
        ({"phones": [{"phone": 3}]}, "scenario.phones[0].phone: there are 3 phones, 0 to 2, not 3"),
        (
            {"phones": [{"phone": 0, "sdk": "33"}]},
            'scenario.phones[0].sdk: a whole number from 21 to 99 is wanted, not "33"',
        ),
        ({"phones": [{"phone": True}]}, "scenario.phones[0].phone: a whole number from 0"),
        (
            {"phones": [{"phone": 0, "battery_percent": 101}]},
            "scenario.phones[0].battery_percent: a whole number from 0 to 100",
        ),
        ({"phones": [{"phone": 0, "lock_lie": "none"}]}, "scenario.phones[0].lock_lie"),
        (
            {"phones": [{"phone": 0, "settings": {"globl": {}}}]},
            "scenario.phones[0].settings.globl: no such field",
        ),
        (
            {"phones": [{"phone": 0, "settings": {"global": {"a": 1}}}]},
            "scenario.phones[0].settings.global.a: a string is wanted, not 1",
        ),
        (
            {"phones": [{"phone": 0, "install": [{"version_code": 1}]}]},
            "scenario.phones[0].install[0].name: is missing",
        ),
        (
            {"phones": [{"phone": 0, "fault": {"kind": "hang"}}]},
            "scenario.phones[0].fault: fault hang needs at, one of accept, cnxn, open, output",
        ),
        (
            {"phones": [{"phone": 0, "fault": {"kind": "burn"}}]},
            "scenario.phones[0].fault.kind: one of unauthorised",
        ),
        ({"events": [{"at_s": 1, "phone": 0}]}, "scenario.events[0].do: one of reboot"),
        ({"events": ["reboot"]}, "scenario.events[0]: an object is wanted"),
        (
            {"events": [{"at_s": -1, "phone": 0, "do": "reboot"}]},
            "scenario.events[0].at_s: a number of seconds, 0 or more, is wanted, not -1",
        ),
        ({"events": [{"at_s": 1, "phone": 0, "do": "fault"}]}, "scenario.events[0].fault: is missing"),
        (
            {"events": [{"at_s": 1, "phone": 0, "do": "power_on", "reason": "x"}]},
            "scenario.events[0].reason: no such field",
        ),
        (
            {"events": [{"at_s": 1, "phone": 9, "do": "power_on"}]},
            "scenario.events[0].phone: there are 3 phones",
        ),
        ({"seed": 1.5}, "scenario.seed: a whole number"),
    ],
)
def test_what_is_wrong_is_named(document: Any, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(document, 3)
    assert message in str(caught.value)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(
            {"seed": "x", "phones": [{"phone": 0, "charging": 1, "sdk": 1}], "events": [{"do": "reboot"}]}, 3
        )
    assert len(caught.value.problems) == 5


def test_a_file_that_cannot_be_read_or_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        scenario.load(tmp_path / "none.json", 1)
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(ScenarioError, match="not JSON"):
        scenario.load(tmp_path / "bad.json", 1)


def test_a_good_scenario(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps(
            {
                "seed": 4,
                "phones": [{"phone": 1, "serial": "X1"}, {"phone": 1, "screen_on": True}],
                "events": [
                    {"at_s": 30, "phone": 2, "do": "reboot"},
                    {
                        "at_s": 1.5,
                        "every_s": 60,
                        "phone": 0,
                        "do": "fault",
                        "fault": {"kind": "drop", "after_bytes": 9},
                    },
                ],
            }
        ),
        encoding="utf-8",
    )
    found = scenario.load(path, 3)
    assert found.phones == {1: {"serial": "X1", "screen_on": True}}
    assert found.seed == 4
    assert found.events == [
        Event(30.0, 0.0, 2, "reboot", {}),
        Event(1.5, 60.0, 0, "fault", {"fault": Fault(FaultKind.DROP, after_bytes=9)}),
    ]


def test_every_field_reaches_the_phone() -> None:
    phone = make_phone(0)
    fields = scenario.parse(
        {
            "phones": [
                {
                    "phone": 0,
                    "serial": "S1",
                    "android_release": "13",
                    "sdk": 33,
                    "airplane_mode": True,
                    "lock_pin": "2580",
                    "storage_free": 5,
                    "boot_count": 7,
                    "delay_s": 0.5,
                    "auth": "ask",
                    "battery_percent": 3,
                    "charging": True,
                    "uptime_s": 60,
                    "users": [{"id": 0, "name": "A"}, {"id": 10, "name": "B", "running": False}],
                    "unreadable_users": [10],
                    "accounts": [{"user": 0, "type": "com.google", "name": "a@b.c"}],
                    "sims": [{"state": "ABSENT"}],
                    "settings": {"global": {"auto_time": None, "x": "1"}},
                    "properties": {"ro.x": "y"},
                    "install_sources": {"com.android.browser": True},
                    "install": [
                        {"name": "com.new", "version_code": 5, "enabled": "disabled_user"},
                        {"name": "com.tencent.mm", "suspended": True, "user": 10},
                    ],
                    "uninstall": ["com.xhey.xcamera"],
                }
            ]
        },
        1,
    ).phones[0]
    changes.apply(phone, fields)
    assert phone.identity.serial == "S1"
    assert ":13/" in phone.identity.fingerprint
    assert phone.airplane_mode
    assert (phone.lock_pin, phone.storage_free, phone.boot_count, phone.delay_s) == ("2580", 5, 7, 0.5)
    assert phone.auth is AuthMode.ASK
    assert (phone.battery.percent, phone.battery.charging) == (3, True)
    assert 60 <= phone.uptime() < 90
    assert abs(phone.boot_reasons[0][1] - (phone.wall() - phone.uptime())) < 2
    assert [user.running for user in phone.users] == [True, False]
    assert phone.unreadable_users == {10}
    assert phone.accounts[0].type == "com.google"
    assert [card.state for card in phone.sims] == ["ABSENT"]
    assert phone.settings["global"]["x"] == "1"
    assert "auto_time" not in phone.settings["global"]
    assert run(["getprop", "ro.x"], phone).stdout == b"y\n"
    assert phone.install_sources["com.android.browser"]
    packages = {package.name: package for package in phone.packages}
    assert packages["com.new"].users[0].enabled is Enabled.DISABLED_USER
    assert packages["com.tencent.mm"].users[10].suspended
    assert not packages["com.tencent.mm"].users[0].suspended
    assert packages["com.tencent.mm"].version_code == 2580
    assert "com.xhey.xcamera" not in packages
