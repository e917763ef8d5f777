"""`agent simulate`: simulated phones on consecutive ports until they are interrupted."""

import argparse
import heapq
import itertools
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.clock import steady
from agent.simulator import changes, keeping, scenario
from agent.simulator.checks import ScenarioError
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.profiles import add_second_users, fresh_phone, worked_phone
from agent.simulator.scenario import Event, Scenario
from agent.simulator.state import PhoneState

_BAD_ARGUMENTS = 2
_BOOT_DURATION_S = 15.0
_MOST_PHONES = 5000


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `simulate`."""
    parser = subparsers.add_parser("simulate", help="start simulated phones that speak ADB")
    parser.add_argument(
        "--phones", type=_number(1, _MOST_PHONES), required=True, metavar="N", help="how many phones"
    )
    parser.add_argument(
        "--port",
        type=_number(1, 65535),
        required=True,
        metavar="P",
        help="first port; the next phones follow it",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="JSON file, see docs/simulator.md")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="what became of their apps, and an erasure, goes on in the next run with this file",
    )
    parser.add_argument(
        "--mode",
        choices=("mksh", "canned"),
        default="mksh",
        help="mksh runs commands for real where mksh and toybox are installed; canned is for load",
    )
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM; 0 then, 2 for a bad scenario, port or address (said in one line each)."""
    try:
        plan = scenario.load(args.scenario, args.phones) if args.scenario else Scenario({}, [])
    except ScenarioError as error:
        return _refuse(str(error))
    if args.port + args.phones - 1 > 65535:
        return _refuse(f"{args.phones} phones from port {args.port} on go beyond port 65535")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    fleet = _fleet(args, plan)
    as_made = keeping.made(fleet.phones)
    try:
        if args.keep:
            keeping.bring_back(args.keep, fleet.phones)
        with fleet:
            _announce(fleet, args.host)
            play(fleet, plan.events, stop)
    except keeping.KeptError as error:
        return _refuse(f"what was kept cannot be used: {error}")
    except OSError as error:
        return _refuse(f"cannot listen on {args.host} from port {args.port} on: {error.strerror or error}")
    if args.keep:
        keeping.keep(args.keep, fleet.phones, as_made)
    return 0


def play(fleet: Fleet, events: list[Event], stop: threading.Event) -> None:
    """Let events happen at their time until `stop` is set."""
    begin = steady()
    places = itertools.count()
    queue = [(event.at_s, next(places), event) for event in events]
    heapq.heapify(queue)
    while not stop.is_set():
        if not queue:
            stop.wait()
        elif stop.wait(max(0.0, queue[0][0] - (steady() - begin))):
            return
        else:
            at, _, event = heapq.heappop(queue)
            _ACTIONS[event.verb](fleet, event)
            if "for_s" in event.values:
                back = Event(at + event.values["for_s"], 0.0, event.phone, "power_on", {})
                heapq.heappush(queue, (back.at_s, next(places), back))
            if event.every_s > 0:
                heapq.heappush(queue, (at + event.every_s, next(places), event))


def _fleet(args: argparse.Namespace, plan: Scenario) -> Fleet:
    phones = [_phone(index, plan) for index in range(args.phones)]
    for phone in phones:
        phone.boot_duration_s = _BOOT_DURATION_S
    for index, fields in plan.phones.items():
        changes.apply(phones[index], fields)
    fleet = Fleet(phones, args.mode, args.host, args.port)
    for index, fields in plan.phones.items():
        fleet.devices[index].fault = fields.get("fault")
    return fleet


def _phone(index: int, plan: Scenario) -> PhoneState:
    fields = plan.phones.get(index, {})
    name = fields.get("profile")
    if name is None:
        return make_phone(index, plan.seed, plan.packages)
    if fields.get("fresh"):
        return fresh_phone(name, index)
    phone = worked_phone(name, index)
    add_second_users(phone, name)
    return phone


def _announce(fleet: Fleet, host: str) -> None:
    for port, phone in zip(fleet.ports, fleet.phones, strict=True):
        it = phone.identity
        sys.stdout.write(
            f"tcp:{host}:{port} {it.serial} {it.brand} {it.model} Android {it.android_release}\n"
        )
    sys.stdout.write(f"{len(fleet.phones)} simulated phones ({fleet.mode}); Ctrl-C ends them\n")
    sys.stdout.flush()


def _refuse(text: str) -> int:
    sys.stderr.write(text + "\n")
    return _BAD_ARGUMENTS


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"a whole number from {low} to {high} is wanted")
        return int(text)

    return parse


def _reboot(fleet: Fleet, event: Event) -> None:
    fleet.reboot(event.phone, **event.values)


def _power_off(fleet: Fleet, event: Event) -> None:
    fleet.power_off(event.phone, event.values.get("reason", ""))


def _battery_dies(fleet: Fleet, event: Event) -> None:
    """Empty and off without a word; whoever switches it on again has put it on the cable."""

    def empty(phone: PhoneState) -> None:
        phone.battery.percent, phone.battery.charging = 0, False

    def fed(phone: PhoneState) -> None:
        phone.battery.percent, phone.battery.charging = 5, True

    fleet.change(event.phone, empty)
    fleet.power_off(event.phone)
    fleet.change(event.phone, fed)


def _fault(fleet: Fleet, event: Event) -> None:
    fleet.set_fault(event.phone, event.values["fault"])


def _set(fleet: Fleet, event: Event) -> None:
    values: dict[str, Any] = dict(event.values["values"])
    if "fault" in values:
        fleet.set_fault(event.phone, values.pop("fault"))
    fleet.change(event.phone, lambda phone: changes.apply(phone, values))


_ACTIONS: dict[str, Callable[[Fleet, Event], Any]] = {
    "reboot": _reboot,
    "power_off": _power_off,
    "battery_dies": _battery_dies,
    "kill_journal": lambda fleet, event: fleet.kill_journal(event.phone),
    "lose_journal": lambda fleet, event: fleet.lose_journal(event.phone),
    "power_on": lambda fleet, event: fleet.power_on(event.phone),
    "tap": lambda fleet, event: fleet.tap(event.phone),
    "factory_reset": lambda fleet, event: fleet.factory_reset(event.phone),
    "enable_debugging": lambda fleet, event: fleet.enable_debugging(event.phone),
    "authorise": lambda fleet, event: fleet.authorise(event.phone),
    "drop": lambda fleet, event: fleet.drop_connections(event.phone),
    "fault": _fault,
    "set": _set,
}
