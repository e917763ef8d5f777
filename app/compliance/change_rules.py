"""What changed from one verdict of a phone to the next. Plain values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from app.compliance.rules import Status


class Told(Protocol):
    """A finding, as its view tells it."""

    @property
    def code(self) -> str:
        """Its kind."""
        ...

    @property
    def subject(self) -> str:
        """What it is about."""
        ...

    @property
    def status(self) -> Status:
        """What it came to."""
        ...


T = TypeVar("T", bound=Told)


@dataclass(frozen=True, slots=True)
class Changes(Generic[T]):
    """`appeared` and `gone`: what began and stopped being other than a pass; `moved`: (before, after) of what has
    another status now. All empty: only the policy changed, or what passes.
    """

    appeared: Sequence[T]
    gone: Sequence[T]
    moved: Sequence[tuple[T, T]]


def changes_between(before: Iterable[T], after: Iterable[T]) -> Changes[T]:
    """The findings of the verdict before, none at all of a first one, and of the one after."""
    was, now = _open(before), _open(after)
    return Changes(
        appeared=[finding for key, finding in now.items() if key not in was],
        gone=[finding for key, finding in was.items() if key not in now],
        moved=[
            (was[key], finding)
            for key, finding in now.items()
            if key in was and was[key].status != finding.status
        ],
    )


def _open(findings: Iterable[T]) -> dict[tuple[str, str], T]:
    return {(f.code, f.subject): f for f in findings if f.status is not Status.PASS}
