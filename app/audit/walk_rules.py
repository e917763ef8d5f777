"""Walking along a chain, event by event, and naming the first thing that is wrong. Plain values only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.audit.rules import GENESIS, ChainFields, commit_details, event_hash

ERASED = "audit.erased"
"""The event that says whose details were erased; its own are never erased."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    fields: ChainFields
    details: str | None
    salt: bytes | None
    prev_hash: bytes
    hash: bytes


class Walk:
    """`expected`: the hash that each checkpoint says of the event at its size.

    An erased detail is no break as long as an erasure further on names that event.
    """

    def __init__(self, expected: Mapping[int, bytes] | None = None) -> None:
        self.seq = 0
        self.hash = GENESIS
        self._expected = expected or {}
        self._bare: set[int] = set()

    def take(self, event: StoredEvent) -> str | None:
        """The next event; what is wrong with it, None when nothing is."""
        seq = event.fields.seq
        if seq != self.seq + 1:
            return f"event {self.seq + 1} is missing"
        if event.prev_hash != self.hash or event_hash(event.fields, self.hash) != event.hash:
            return f"event {seq} was altered"
        if event.details is None:
            self._bare.add(seq)
        elif commit_details(event.details, event.salt or b"") != event.fields.details_commit:
            return f"the details of event {seq} were altered"
        elif event.fields.action == ERASED:
            self._bare -= erased_events(event.details)
        self.seq, self.hash = seq, event.hash
        if seq in self._expected and self._expected[seq] != event.hash:
            return f"the checkpoint at {seq} was signed for another chain: events up to {seq} were rewritten"
        return None

    def end(self) -> str | None:
        """After the last event: what should stand behind it, or before."""
        beyond = [size for size in self._expected if size > self.seq]
        if beyond:
            return f"events after {self.seq} are missing: a checkpoint was signed at {max(beyond)}"
        if self._bare:
            return f"the details of event {min(self._bare)} are gone, and no erasure says so"
        return None


def erased_events(details: str) -> set[int]:
    """The events that an erasure names as `[[first, last], …]`."""
    spans: Sequence[Sequence[int]] = json.loads(details).get("events", [])
    return {seq for first, last in spans for seq in range(first, last + 1)}


def as_spans(numbers: Sequence[int]) -> list[list[int]]:
    """Sorted numbers as spans of which both ends are meant."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return spans
