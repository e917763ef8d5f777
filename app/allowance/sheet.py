"""A month of one centre as the evidence says now: who had custody, what that earns, what R02 says of it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.allowance.evidence import NOTHING, Word, words_of
from app.allowance.rules import Held, LineState, Share, bounds, digest, paid, shares
from app.kernel.tenancy import SYSTEM
from app.policy import PolicyFiles
from app.registry import Custody, history_in


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One employee: `amount` is what custody earns in fen; `handsets` are those of his custody and of his incidents."""

    employee_id: uuid.UUID
    days: int
    amount: int
    shares: tuple[Share, ...]
    word: Word
    handsets: frozenset[uuid.UUID]

    @property
    def state(self) -> LineState:
        return self.word.state

    @property
    def paid(self) -> int:
        return paid(self.state, self.amount)

    def plain(self) -> dict[str, Any]:
        """What a person sees of it, to be confirmed and kept."""
        return {
            "employee": str(self.employee_id), "days": self.days, "amount": self.amount, "state": str(self.state),
            "strikes": self.word.strikes, "suspected": self.word.suspected, "undecided": self.word.undecided,
            "shares": self.plain_shares(), "matters": self.word.matters,
        }  # fmt: skip

    def plain_shares(self) -> list[dict[str, Any]]:
        return [{"post": str(s.post), "days": s.days, "fen": s.fen} for s in self.shares]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`sha256` is over all that is shown of the lines and over the policy's numbers."""

    centre_id: uuid.UUID
    month: str
    lines: tuple[SheetLine, ...]
    sha256: str


def draw_up(
    session: Session, files: PolicyFiles, centre_id: uuid.UUID, month: str, policy: Mapping[str, Any]
) -> Sheet:
    """The sheet by the numbers of `policy`, in the order of employees' ids. Internal: callers have checked rights.

    While the month runs, custody that has no end is taken to last until the month's end.
    """
    custodies = history_in(session, SYSTEM, centre_id, *bounds(month))
    earned = shares(_held(custodies), month, policy["monthly_fen"])
    words = words_of(session, files, centre_id, month, earned.keys())
    handsets = _handsets(custodies, words)
    spoken = {employee for employee, word in words.items() if word.matters or word.strikes}
    lines = tuple(
        _line(employee, earned.get(employee, ()), words.get(employee, NOTHING), handsets[employee])
        for employee in sorted(earned.keys() | spoken)
    )
    told = {"month": month, "policy": dict(policy), "lines": [line.plain() for line in lines]}
    return Sheet(centre_id, month, lines, digest(told))


def _line(
    employee: uuid.UUID, parts: tuple[Share, ...], word: Word, handsets: frozenset[uuid.UUID]
) -> SheetLine:
    amount, days = sum(part.fen for part in parts), sum(part.days for part in parts)
    return SheetLine(employee, days, amount, parts, word, handsets)


def _held(custodies: list[Custody]) -> list[Held]:
    return [Held(c.post_id, c.employee_id, c.since, c.until) for c in custodies if c.employee_id is not None]


def _handsets(
    custodies: list[Custody], words: Mapping[uuid.UUID, Word]
) -> defaultdict[uuid.UUID, frozenset[uuid.UUID]]:
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for custody in custodies:
        if custody.employee_id is not None:
            found[custody.employee_id].add(custody.handset_id)
    for employee, word in words.items():
        found[employee] |= {uuid.UUID(matter["handset"]) for matter in word.matters}
    return defaultdict(frozenset, {employee: frozenset(ids) for employee, ids in found.items()})
