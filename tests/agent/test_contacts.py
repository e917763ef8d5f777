"""How many contacts a phone holds, counted whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent import wire
from agent.clock import steady
from agent.contacts import CountContacts, count_of
from agent.hands import Hands
from agent.inbox import Outcome
from agent.transport import TransportOptions
from tests.agent.lock_rig import Rig, said


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    with Rig(tmp_path, **getattr(request, "param", {})).up() as made:
        yield made


@pytest.mark.parametrize(("rig", "told"), [({"contacts": 0}, 0), ({"contacts": 312}, 312)], indirect=["rig"])
def test_contacts_are_counted(rig: Rig, told: int) -> None:
    kind = CountContacts(TransportOptions(), Hands(), rig.serials, lambda: [rig.target], steady)
    assert kind(rig.command(purpose=wire.COMMAND_PURPOSE)) == Outcome("succeeded", {"contacts": told})
    assert kind(replace(rig.command(), serial="X")) == Outcome("not_now", {"reason": "not_seen"})


@pytest.mark.parametrize("rig", [{"contacts": None}], indirect=True)
def test_contacts_that_may_not_be_read_are_unknown(rig: Rig) -> None:
    kind = CountContacts(TransportOptions(), Hands(), rig.serials, lambda: [rig.target], steady)
    assert kind(rig.command()) == Outcome("succeeded", {"contacts": None, "reason": "denied"})


@pytest.mark.parametrize(
    ("out", "code", "number"),
    [
        ("Row: 0 _id=1\nRow: 1 _id=9\n", 0, 2),
        ("Row: 0 _id=1\nRow: 2 _id=9\n", 0, None),
        ("Row: 0 _id=1\nRow: 1 _i", 0, None),
        ("Row: 0 _id=1\n", 1, None),
        ("No result found.\n", 0, 0),
        ("", 0, None),
        ("[ERROR] Unsupported argument\n", 0, None),
    ],
)
def test_counts_are_taken_whole_or_not_at_all(out: str, code: int, number: int | None) -> None:
    assert count_of(said(out, code))[0] == number
