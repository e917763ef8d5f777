"""Contacts, calls and messages: each a part of a transfer. Nobody's name or number leaves the encrypted copy but for
the new phone: reports count, and name a difference by its place in the list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.clock import Steady, steady
from agent.transfer.parts import Part
from agent.transfer.people.contacts import Contacts
from agent.transfer.people.records import CALLS, MESSAGES, Records

__all__ = ["make_parts"]


def make_parts(
    names: Sequence[str],
    limits: Mapping[str, Any],
    clock: Steady = steady,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Part]:
    """The parts that are wanted, contacts first.

    `limits`: `insert_rows` (how many rows may be written one by one, 2,000), `tap_wait_s` (how long somebody has to
    confirm the import on the new phone, 600), `import_from_rows` (from how many rows on he is asked to, 400).
    """
    made: dict[str, Part] = {
        "contacts": Contacts(limits, clock, sleep),
        "calls": Records(CALLS, limits),
        "messages": Records(MESSAGES, limits),
    }
    return [part for name, part in made.items() if name in names]
