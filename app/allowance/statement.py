"""What payroll is told of one closed month: every booking stands in exactly one statement, for ever."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.allowance import store
from app.allowance.model import AllowanceLine, AllowanceMonth
from app.kernel.tenancy import SYSTEM
from app.ledger import LedgerEntry, entries_between


@dataclass
class Sums:
    """Fen of one employee. `deduction`: what wages pay for hardware (R05), negative. `corrections`: of earlier months,
    booked since the statement before this one.
    """

    grant: int = 0
    cancellation: int = 0
    topup: int = 0
    deduction: int = 0
    corrections: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def net(self) -> int:
        return self.grant + self.cancellation + self.topup + self.deduction + self.corrections


@dataclass(frozen=True)
class Paid:
    """One employee of a statement; `line` is None for one of whom there are only earlier months' corrections."""

    employee_id: uuid.UUID
    line: AllowanceLine | None
    sums: Sums


def statement(session: Session, row: AllowanceMonth) -> list[Paid]:
    """In the order of employees' ids. A booking belongs to the first closing, not before its own month's, that came
    after it: later corrections of this month stand in the next statement. Internal: callers have checked rights.
    """
    last = store.previous_closed(session, row)
    before = None if last is None else (last.month, last.closed_at)
    entries = entries_between(session, SYSTEM, row.centre_id, before, (row.month, row.closed_at))
    sums = _summed(entries, row.month)
    lines = {line.employee_id: line for line in store.lines_as_closed(session, row.id)}
    return [Paid(who, lines.get(who), sums[who]) for who in sorted(sums.keys() | lines.keys())]


def _summed(entries: Iterable[LedgerEntry], month: str) -> defaultdict[uuid.UUID, Sums]:
    found: defaultdict[uuid.UUID, Sums] = defaultdict(Sums)
    for entry in entries:
        sums = found[entry.employee_id]
        if entry.month < month:
            sums.corrections += entry.amount_fen
            sums.notes.append(f"{entry.month} {entry.note}".strip())
        elif entry.account == "topup":
            sums.topup += entry.amount_fen
        elif entry.account == "R05":
            sums.deduction += entry.amount_fen
            sums.notes.append(entry.note)
        elif entry.account == "cancellation":
            sums.cancellation += entry.amount_fen
        else:
            sums.grant += entry.amount_fen
    return found
