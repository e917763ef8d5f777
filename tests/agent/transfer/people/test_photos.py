"""A contact's picture is whole, or it is asked for again."""

from __future__ import annotations

from typing import cast

import pytest

from agent.errors import TransportError
from agent.transfer.people.gains import Gains
from agent.transfer.people.photos import read_photos
from agent.transport import CommandResult, Transport
from tests.agent.transfer.people.rig import MemoryStore

LINES = [{"number": 0, "photo": True, "raw": 5, "contact": 7}]
WHOLE = b"\xff\xd8 all of it"


class Phone:
    def __init__(self, *answers: tuple[bytes, int]) -> None:
        self.answers = list(answers)

    def run(self, command: str, deadline_s: float) -> CommandResult:
        out, code = self.answers.pop(0)
        return CommandResult(out, b"", code, 0.0, 0.0)


def test_half_a_picture_is_no_picture() -> None:
    """The phone killed the program in the middle: what came begins like a picture, and is compared by being there."""
    phone, store, gains = Phone((WHOLE[:5], 137), (WHOLE, 0)), MemoryStore(), Gains()
    with pytest.raises(TransportError) as caught:
        read_photos(cast(Transport, phone), store, LINES, gains, lambda *_: None)
    assert (caught.value.reason, store.kept, gains.photos) == ("dropped", {}, 0)
    read_photos(cast(Transport, phone), store, LINES, gains, lambda *_: None)
    assert (store.kept, gains.photos) == ({"contacts.photo-0": WHOLE}, 1)
