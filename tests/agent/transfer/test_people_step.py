"""How often a part may be broken off: without end while it comes on, and no more once it does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from agent.clock import steady
from agent.errors import TransportFault
from agent.transfer.parts import PartCount, PartReport
from agent.transfer.people_step import people_report
from agent.transfer.store import open_copy
from agent.transfer.turns import Telling, Turns
from agent.transport import Transport

TRANSFER = "0197f000-0000-7000-8000-00000000abcd"


class Slow:
    """A part whose collection is broken off `cuts` times; `gains` says what it holds after each."""

    name = "contacts"

    def __init__(self, cuts: int, *gains: int) -> None:
        self.left, self.gains = cuts, gains
        self.tries = 0
        self.held: tuple[int, ...] = (0, 0)

    def collect(self, *_: Any) -> PartCount:
        if self.left == 0:
            return PartCount(1, None)
        self.left -= 1
        self.held = (0, self.gains[min(self.tries, len(self.gains) - 1)])
        self.tries += 1
        raise TransportFault("cut", reason="dropped")

    def deliver(self, *_: Any) -> PartCount:
        return PartCount(1, 1)

    def verify(self, *_: Any) -> PartReport:
        return PartReport(self.name, "verified", 1, 1, 1, 0)


def report_of(part: Slow, tmp_path: Path) -> PartReport:
    @contextmanager
    def phone() -> Iterator[Transport]:
        yield cast(Transport, None)

    copy = open_copy(tmp_path, TRANSFER, bytes(32), 7, room=lambda folder: 2**40)
    turns = Turns(
        Telling(lambda detail, *, now=False: None, steady), steady, threading.Event(), first_wait_s=0.0
    )
    turns.met = True
    try:
        return people_report(part, copy, turns, phone, phone)
    finally:
        copy.close()


def test_a_part_that_comes_on_is_broken_off_as_often_as_it_likes(tmp_path: Path) -> None:
    part = Slow(100, *range(1, 101))
    assert report_of(part, tmp_path).outcome == "verified"
    assert part.tries == 100


def test_a_part_that_comes_no_further_is_given_up(tmp_path: Path) -> None:
    part = Slow(1000, 0)
    report = report_of(part, tmp_path)
    assert (report.outcome, report.reason, part.tries) == ("failed", "dropped", 20)


def test_a_part_that_reads_the_same_again_and_again_is_given_up(tmp_path: Path) -> None:
    """It holds more while it reads, and breaks off at the same place of its writing."""
    part = Slow(1000, *[5, 9, 0] * 400)
    assert report_of(part, tmp_path).outcome == "failed"
    assert part.tries == 60
