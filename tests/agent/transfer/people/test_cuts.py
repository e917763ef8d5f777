"""The cable is pulled at any question, before or after the phone has heard it: none lost, none twice."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from agent.errors import TransportError, TransportFault
from agent.simulator.faults import Fault, FaultKind
from tests.agent.transfer.people.rig import Moving, StartFleet, again, two

COUNT = 30


class Cutting:
    """A transport that breaks at the n-th thing it is asked, sometimes after the phone has done it."""

    def __init__(self, inner: Any, rng: random.Random, chance: float) -> None:
        self._inner = inner
        self._rng = rng
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in ("run", "send", "feed", "stream"):
            return found

        def asked(*args: Any, **options: Any) -> Any:
            cut, after = self._rng.random() < self._chance, self._rng.random() < 0.5
            if cut and not after:
                self._break()
            if cut and name == "run":
                # The phone has got through a part of them when the cable goes.
                commands = re.split(r"\n(?=content (?:insert|update) )", args[0])
                args = ("\n".join(commands[: self._rng.randint(1, len(commands))]), *args[1:])
            if cut and name == "stream":
                args = (args[0], _first_bytes(args[1], self._rng.randint(0, 400)), *args[2:])
            result = found(*args, **options)
            if cut:
                self._break()
            return result

        return asked

    def _break(self) -> None:
        self._inner.close()
        raise TransportFault("cut", reason="dropped")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()


def _first_bytes(sink: Callable[[bytes], None], left: int) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        nonlocal left
        sink(piece[:left])
        left = max(0, left - len(piece))

    return take


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("way", ["import", "rows"])
def test_cuts_at_random_places(start: StartFleet, seed: int, way: str) -> None:
    lies = ["import_half"] if seed % 2 else ["import_no_custom", "import_no_photos"]
    fleet = two(start, old={"contacts": COUNT}, new={"provider_lies": lies, "contacts": 2})
    moving = Moving(fleet, import_from_rows=10 if way == "import" else 10_000)
    rng = random.Random(f"{seed}/{way}")
    moving.wrap = lambda inner: Cutting(inner, rng, 0.02)
    again(moving.collect)
    again(moving.deliver)
    report = again(moving.verify)
    assert (report.outcome, report.verified, report.reason) == ("verified", COUNT, None)
    assert moving.count() == COUNT + 2


class Short:
    """A line that breaks at the n-th question of each connection."""

    def __init__(self, inner: Any, questions: int) -> None:
        self._inner, self._left = inner, questions

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return found if name not in ("run", "stream") else partial(self._asked, found)

    def _asked(self, run: Any, *args: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            self._inner.close()
            raise TransportFault("cut", reason="dropped")
        return run(*args, **options)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()


def test_a_line_that_never_lasts_for_a_whole_reading(start: StartFleet) -> None:
    """What it told before it broke is not asked again, unless the rows are others now."""
    fleet = two(start, old={"contacts": COUNT})
    moving = Moving(fleet, insert_rows=5000)
    moving.wrap = lambda inner: Short(inner, 12)
    with pytest.raises(TransportError):
        moving.collect()
    # Somebody is taken off meanwhile.
    moving.change(
        "update raw_contacts set deleted = 1 where _id = (select min(_id) from raw_contacts)", phone=0
    )
    again(moving.collect, 30)
    moving.wrap = lambda inner: Short(inner, 25)
    again(moving.deliver, 60)
    report = again(moving.verify, 30)
    assert (report.outcome, report.verified) == ("verified", COUNT - 1)


@pytest.mark.parametrize("after", [0, 10, 400, 3000, 20_000])
def test_a_connection_that_ends_in_the_middle_of_an_answer(start: StartFleet, after: int) -> None:
    fleet = two(start, old={"contacts": COUNT})
    moving = Moving(fleet)
    fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=after))
    # The same cut at each answer: what is taken is whole, or nothing is.
    with contextlib.suppress(TransportError):
        moving.collect()
    assert not moving.store.has("contacts.rows") or after == 20_000
    fleet.set_fault(0, None)
    assert moving.all().verified == COUNT


def test_an_import_that_goes_on_while_the_cable_is_out(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": COUNT}, new={"import_per_s": 1.0})
    clock = [0.0]
    fleet.phones[1].clock = lambda: clock[0]
    moving = Moving(fleet, import_from_rows=10)
    moving.collect()

    def cut() -> None:
        clock[0] += 3
        fleet.drop_connections(1)

    moving.at_sleep = cut
    with pytest.raises(TransportFault):
        moving.deliver()

    def pass_time() -> None:
        clock[0] += 3

    moving.at_sleep = pass_time
    again(moving.deliver)
    assert moving.verify().outcome == "verified"
    assert moving.count() == COUNT


def test_a_screen_that_was_forgotten_at_a_cut_imports_nothing(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": COUNT}, new={"import_tap": "ask"})
    moving = Moving(fleet, import_from_rows=10)
    moving.collect()
    moving.at_sleep = lambda: fleet.drop_connections(1)
    with pytest.raises(TransportFault):
        moving.deliver()
    begun = moving.now
    moving.at_sleep = lambda: moving.now > begun + 60 and fleet.tap(1)
    moving.deliver()
    assert moving.verify().outcome == "verified"
    assert moving.count() == COUNT


def test_who_ends_the_work_leaves_no_file_on_the_phone(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": COUNT}, new={"import_tap": "ask"})
    moving = Moving(fleet, import_from_rows=10)
    moving.collect()

    def stop() -> None:
        raise KeyboardInterrupt

    moving.at_sleep = stop
    with pytest.raises(KeyboardInterrupt):
        moving.deliver()
    assert list(fleet.devices[1].files.real("/sdcard/Download").glob("*.vcf")) == []


def test_somebody_who_is_written_down_during_the_reading_is_read_too(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 3}))
    asked: list[str] = []

    class Watched(Cutting):
        def run(self, command: str, deadline_s: float) -> Any:
            asked.append(command)
            if len(asked) == 20:
                moving.change("insert into raw_contacts (contact_id) values (99)", phone=0)
            return self._inner.run(command, deadline_s)

    moving.wrap = lambda inner: Watched(inner, random.Random(1), 0.0)
    assert moving.collect().found == 4


@pytest.mark.parametrize("step", ["collect", "deliver", "verify"])
def test_who_ends_the_work_is_heard_in_every_step(start: StartFleet, step: str) -> None:
    moving = Moving(two(start, old={"contacts": COUNT}), insert_rows=5000)
    if step != "collect":
        moving.collect()
    if step == "verify":
        moving.deliver()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    moving.progress = stop  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        getattr(moving, step)()
