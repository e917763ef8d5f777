"""The demo's phones: a valid scenario, and boots that never contradict those of the run before."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from stdnum import imei

from agent.simulator import scenario
from scripts import demo


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(demo.PHONES_FILE.read_text(encoding="utf-8"))
    return loaded


def test_the_file_is_a_scenario_of_distinct_phones(document: dict[str, Any]) -> None:
    phones = document["phones"]
    scenario.parse(document, len(phones))
    assert [entry["phone"] for entry in phones] == list(range(len(phones)))
    assert len({entry["serial"] for entry in phones}) == len(phones)
    numbers = [number for entry in phones for number in entry["imeis"]]
    assert len(set(numbers)) == len(numbers)
    assert all(imei.is_valid(number) for number in numbers)


def test_the_demo_shows_the_cases_that_it_promises(document: dict[str, Any]) -> None:
    installed = [{app["name"] for app in entry["install"]} for entry in document["phones"]]
    work = installed[0]
    assert any(apps - work for apps in installed), "no phone with a foreign app"
    assert any(work - apps for apps in installed), "no phone that lacks a work app"
    assert any("fault" in entry for entry in document["phones"]), "no phone that cannot be reached"
    assert any(event["do"] == "reboot" and event["every_s"] for event in document["events"])


def test_a_later_run_is_a_new_boot(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.time, "time", lambda: 1_000_000.0)
    first = demo.this_run(copy.deepcopy(document), tmp_path)["phones"]
    # Reboots of a run of an hour: two by the scenario, and each adds one to the count.
    monkeypatch.setattr(demo.time, "time", lambda: 1_003_600.0)
    second = demo.this_run(copy.deepcopy(document), tmp_path)["phones"]
    # The demo's told past ends four hours before: a first run's boots begin after it.
    assert all("boot_id" not in entry and 0 < entry["uptime_s"] <= 3 * 3600 for entry in first)
    assert len({entry["boot_id"] for entry in second}) == len(second)
    assert all(entry["uptime_s"] <= 1 for entry in second)
    for before, after in zip(first, second, strict=True):
        assert after["boot_count"] > before["boot_count"] + 2


def test_a_run_at_once_after_another_still_counts_on(document: dict[str, Any], tmp_path: Path) -> None:
    runs = [demo.this_run(copy.deepcopy(document), tmp_path)["phones"][0]["boot_count"] for _ in range(3)]
    # One reboot by the scenario within a short run, at least.
    assert runs[1] > runs[0] + 1
    assert runs[2] > runs[1] + 1


def test_ports_that_are_taken_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_is_free", lambda port: port >= demo._FIRST_PORT + 9)
    assert demo._free_ports(8) == demo._FIRST_PORT + 16
    monkeypatch.setattr(demo, "_is_free", lambda port: False)
    with pytest.raises(demo.Stop, match="no 8 free ports in a row"):
        demo._free_ports(8)


def test_phones_have_the_lock_that_is_filed(document: dict[str, Any], tmp_path: Path) -> None:
    first, second = (entry["serial"] for entry in document["phones"][:2])
    file = tmp_path / "passwords.txt"
    file.write_text(f"# 演示\n锁屏密码\tGJ-0001\t{first}\t739154\n微信密码\t小新\t\tabc\n", encoding="utf-8")
    demo.lock(document, file)
    pins = {entry["serial"]: entry.get("lock_pin") for entry in document["phones"]}
    assert (pins[first], pins[second]) == ("739154", None)
    scenario.parse(document, len(document["phones"]))
