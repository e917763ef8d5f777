"""What moves besides files: each kind of personal record is a `Part`, implemented in `agent/transfer/people/`.

The engine calls `collect`, `deliver`, `verify`, each perhaps several times over: the cable may be pulled in the middle,
the agent killed. A part keeps nothing but what it puts into its store. All raise `agent.errors.TransportError`, after
which the whole call is made again on a new transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.transport import Transport

PartOutcome = Literal["verified", "differences", "not_offered", "failed"]
TAP_NEEDED = "tap_needed"
"""The note while a person has to confirm something on the new phone's screen."""


class PartStore(Protocol):
    """The part's own names in the encrypted copy. A name is written whole or not at all."""

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Put a text in, in place of one of that name. What `chunks` raises comes out, and nothing is changed."""

    def read(self, name: str) -> Iterator[bytes]:
        """Its pieces, as they were written or cut otherwise. Raise `agent.transfer.store.CopyDamaged`, `KeyError`."""

    def has(self, name: str) -> bool:
        """Whether it is there, whole."""


class PartProgress(Protocol):
    """Told now and then, and while something is waited for. Raises what ends the work; let it pass."""

    def __call__(self, done: int, total: int | None, note: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class PartCount:
    """Of one step. None: cannot be known; `reason` is a code that says why, or why there is nothing."""

    found: int | None
    moved: int | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PartReport:
    """What the new phone was read to hold. `differences` (<= 200, shaped as manifest entries) go into the manifest."""

    name: str
    outcome: PartOutcome
    found: int | None
    moved: int | None
    verified: int | None
    differs: int | None
    reason: str | None = None
    differences: list[dict[str, Any]] = field(default_factory=list)


class Part(Protocol):
    name: str
    """`contacts`, `calls` or `messages`."""

    @property
    def held(self) -> tuple[int, ...]:
        """How far it has come, by several counts that a cut does not undo: a try after which one of them is greater
        than after the try before was not in vain.
        """

    def collect(self, old: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """Read it from the old phone into the encrypted copy."""

    def deliver(self, new: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """Write it into the new phone. A second run adds nothing twice."""

    def verify(self, new: Transport, store: PartStore, progress: PartProgress) -> PartReport:
        """Read the new phone again and compare."""
