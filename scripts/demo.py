"""The demo: a service centre with some data, simulated phones on real ports, and an agent that reads them."""

from __future__ import annotations

import json
import random
import socket
import time
import uuid
from pathlib import Path
from typing import Any

from scripts.place import ROOT, Place
from scripts.processes import Child, Children, once
from scripts.terminal import Stop, note, step

PHONES_FILE = ROOT / "scripts" / "demo_phones.json"
_FIRST_PORT = 15550
_LAST_PORT = 16550
_FIRST_BOOT_COUNT = 40
# The demo's past, which `flask demo seed` tells, ends four hours before its first run.
_FIRST_UPTIME_S = 3 * 3600.0
# Demo phones reboot less often than this, so counts that follow from it never run backwards.
_BOOT_EVERY_S = 300
_BOOTS_A_SHORT_RUN = 10
_LISTEN_S = 30.0


def start_demo(place: Place, children: Children) -> None:
    with step("密码托管 / escrow"):
        _set_escrow_up(place)
    with step("演示数据 / demo data"):
        centre = _seed(place)
    with step("演示手机 / demo phones"):
        targets = _start_phones(place, children)
    with step("采集代理 / agent"):
        _enrol(place, centre)
        _start_agent(place, children, targets)


def _set_escrow_up(place: Place) -> None:
    """Once. The recovery key is put where a real one must not be: beside what it opens."""
    if place.keyring.exists():
        return
    # Left by a start that was stopped before its key counted.
    place.recovery_key.unlink(missing_ok=True)
    init = place.flask("escrow", "init", "--own-key", "--recovery-file", str(place.recovery_key))
    once(init, place.environment, place.log("setup"))


def _seed(place: Place) -> str:
    """Makes the demo's centre, posts and phones where they are not there yet; returns the centre's code."""
    files = ["--phones", str(PHONES_FILE), "--secrets", str(place.passwords)]
    command = place.flask("demo", "seed", *files)
    lines = once(command, place.environment, place.log("setup")).split()
    if not lines:
        raise Stop(f"`flask demo seed` named no service centre (see {place.log('setup')})")
    return lines[-1]


def _start_phones(place: Place, children: Children) -> list[str]:
    """Starts the simulated phones; returns the agent's targets of all of them, the unreachable one included."""
    scenario = this_run(json.loads(PHONES_FILE.read_text(encoding="utf-8")), place.settings.var_dir)
    lock(scenario, place.passwords)
    file = place.settings.var_dir / "phones.json"
    file.write_text(json.dumps(scenario, ensure_ascii=False, indent=1), encoding="utf-8")
    count = len(scenario["phones"])
    first = _free_ports(count)
    kept = place.settings.var_dir / "phones-kept.json"
    arguments = ["--phones", str(count), "--port", str(first), "--scenario", str(file), "--keep", str(kept)]
    phones = children.start(
        Child("phones", place.agent("simulate", *arguments), place.agent_environment, place.log("phones"))
    )
    reachable = [first + entry["phone"] for entry in scenario["phones"] if "fault" not in entry]
    for port in reachable:
        _await_listening(port, phones)
    return [f"tcp:127.0.0.1:{first + entry['phone']}" for entry in scenario["phones"]]


def this_run(scenario: dict[str, Any], var: Path) -> dict[str, Any]:
    """The scenario with boots that follow those of the runs before it.

    Simulated phones lose power with the run. Were they to come back with the boot that they had, readings of
    two runs would contradict each other; so each later run is a new boot, with a higher count, just begun.
    """
    memory = var / "boots.json"
    now = time.time()
    known = json.loads(memory.read_text()) if memory.exists() else None
    since, count = (known["since"], known["boot_count"]) if known else (now, _FIRST_BOOT_COUNT)
    if known:
        count = max(count + _BOOTS_A_SHORT_RUN, _FIRST_BOOT_COUNT + int((now - since) / _BOOT_EVERY_S))
    for entry in scenario["phones"]:
        entry["boot_count"] = count
        if known:
            entry["boot_id"] = str(uuid.uuid4())
        most = 1.0 if known else _FIRST_UPTIME_S
        entry["uptime_s"] = round(random.uniform(0.2, 1.0) * most, 2)  # noqa: S311 - made-up phones
    memory.write_text(json.dumps({"since": since, "boot_count": count}))
    return scenario


def lock(scenario: dict[str, Any], passwords: Path) -> None:
    """Give each phone the screen lock that is filed for it in the demo's file of passwords."""
    rows = [line.split("\t") for line in passwords.read_text(encoding="utf-8").splitlines()]
    pins = {row[2]: row[3] for row in rows if len(row) == 4}
    for entry in scenario["phones"]:
        if entry["serial"] in pins:
            entry["lock_pin"] = pins[entry["serial"]]


def _free_ports(count: int) -> int:
    for first in range(_FIRST_PORT, _LAST_PORT, count):
        if all(_is_free(first + place) for place in range(count)):
            return first
    raise Stop(f"no {count} free ports in a row from {_FIRST_PORT} on for the demo phones")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _await_listening(port: int, phones: Child) -> None:
    deadline = time.monotonic() + _LISTEN_S
    while _is_free(port):
        if not phones.running():
            raise phones.died()
        if time.monotonic() > deadline:
            raise Stop(f"the demo phone on port {port} does not answer (see {phones.log})")
        time.sleep(0.05)


def _enrol(place: Place, centre: str) -> None:
    """Enrols the demo's agent by a code, as any gateway is; one that is enrolled already stays who it is."""
    log = place.log("setup")
    if (place.agent_state / "agent.json").exists():
        return
    options = ["--centre", centre, "--name", "演示网关", "--url", place.url]
    code = once(place.flask("agents", "enrol-code", *options), place.environment, log).strip()
    # By standard input: what stands in a command line can be read by every user of the machine.
    enrol = place.agent("enrol", "-", "--state", str(place.agent_state), "--name", "演示网关")
    once(enrol, place.agent_environment, log, given=code)


def _start_agent(place: Place, children: Children, targets: list[str]) -> None:
    # Never the machine's own adb server: a real phone that happens to be plugged in is no demo phone.
    options = [
        "--state",
        str(place.agent_state),
        "--server",
        place.url,
        "--interval",
        "15",
        "--no-adb-server",
    ]
    options += ["--adb-key", str(place.agent_state / "adbkey")]
    chosen = [part for target in targets for part in ("--target", target)]
    command = place.agent("run", *options, *chosen)
    children.start(Child("agent", command, place.agent_environment, place.log("agent")))
    note(f"{len(targets)} 部演示手机 / demo phones: {targets[0]} …")
