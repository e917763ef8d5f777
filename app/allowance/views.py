"""The month as pages and API show it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.allowance import store
from app.allowance.closing import obstacle, preview
from app.allowance.correcting import Drifts, drifts_of
from app.allowance.model import AllowanceLine, AllowanceMonth, PayrollExport
from app.allowance.rules import LineState, closable_from, paid
from app.allowance.sheet import SheetLine
from app.allowance.tools import SUBJECT, Tools
from app.allowance.words import reasons, shares_text
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.policy import effective_many
from app.registry import Employee, ServiceCentre


@dataclass(frozen=True)
class Sum:
    """Of the lines that hold: how many people, and what their custody earned in fen."""

    people: int = 0
    fen: int = 0


@dataclass(frozen=True)
class CentreMonth:
    """One centre of the overview. `closable_at`: from when on it may be closed; `sums` by state, empty while open."""

    centre: ServiceCentre
    row: AllowanceMonth | None
    closable_at: dt.datetime
    sums: Mapping[str, Sum]


def overview(session: Session, principal: Principal, tools: Tools, month: str) -> list[CentreMonth]:
    """Every centre of the caller, by code."""
    centres = store.centres(session, principal)
    closed = {row.centre_id: row for row in store.closed_months(session, principal, month)}
    found: dict[uuid.UUID, dict[str, Sum]] = {}
    for month_id, state, people, fen in store.sums(session, [row.id for row in closed.values()]):
        found.setdefault(month_id, {})[state] = Sum(people, fen)
    policies = effective_many(session, tools.files, SUBJECT, [c.id for c in centres])
    made = []
    for centre in centres:
        row = closed.get(centre.id)
        opens = closable_from(month, policies[centre.id].body["grace_days"])
        made.append(CentreMonth(centre, row, opens, found.get(row.id, {}) if row else {}))
    return made


@dataclass(frozen=True)
class LineView:
    """One employee's line, of a closed month or of a preview (`revision` 0). Money in fen."""

    employee_id: uuid.UUID
    number: str
    name: str
    days: int
    amount: int
    paid: int
    state: str
    strikes: int
    suspected: int
    undecided: int
    why: str
    shares: str
    matters: Sequence[Mapping[str, Any]]
    revision: int
    correction: str
    trace: str | None


@dataclass(frozen=True)
class MonthView:
    """`lines` are those that hold (closed) or would hold (open); `hindrance`: why it cannot be closed now."""

    centre: ServiceCentre
    month: str
    row: AllowanceMonth | None
    lines: Sequence[LineView]
    sha256: str
    monthly_fen: int
    hindrance: str | None
    drifts: Drifts | None
    losses: Sequence[tuple[LineView, LineView | None]]
    exports: Sequence[PayrollExport]

    def sum(self, state: str) -> Sum:
        lines = [line for line in self.lines if line.state == state]
        return Sum(len(lines), sum(line.amount for line in lines))


def month_view(
    session: Session, principal: Principal, tools: Tools, centre_id: uuid.UUID, month: str, now: dt.datetime
) -> MonthView:
    """Raise `NotFound` for a foreign centre."""
    centre = store.find_centre(session, principal, centre_id)
    if centre is None:
        raise NotFound("没有这个服务中心 / no such service centre")
    row = store.closed_month(session, principal, centre_id, month)
    if row is None:
        sheet, policy = preview(session, principal, tools, centre_id, month)
        hindered = obstacle(session, centre_id, month, policy, now)
        lines = _views(session, sheet.lines, _of_sheet)
        why = hindered.detail.split(" / ")[0] if hindered else None
        fen = policy.body["monthly_fen"]
        return MonthView(centre, month, None, lines, sheet.sha256, fen, why, None, (), ())
    held = store.lines_of(session, row.id)
    drifts = drifts_of(session, tools.files, row)
    after = {v.employee_id: v for v in _views(session, [d.after for d in drifts.losses], _of_sheet)}
    lines = _views(session, held, _of_line)
    by_employee = {line.employee_id: line for line in lines}
    losses = [(after[d.employee_id], by_employee.get(d.employee_id)) for d in drifts.losses]
    fen = row.policy_body["monthly_fen"]
    exports = store.exports_of(session, principal, row.id)
    return MonthView(centre, month, row, lines, row.lines_sha256, fen, None, drifts, losses, exports)


def line_views(session: Session, lines: Sequence[AllowanceLine]) -> list[LineView]:
    return _views(session, lines, _of_line)


def _views(
    session: Session,
    lines: Sequence[Any],
    make: Callable[[Any, Employee, Mapping[str, str]], LineView],
) -> list[LineView]:
    people = store.employees(session, [line.employee_id for line in lines])
    ids = {uuid.UUID(share["post"]) for line in lines for share in _plain_shares(line)}
    posts = {str(post): name for post, name in store.posts(session, ids).items()}
    return [make(line, people[line.employee_id], posts) for line in lines]


def _plain_shares(line: AllowanceLine | SheetLine) -> Iterable[Mapping[str, Any]]:
    return line.plain_shares() if isinstance(line, SheetLine) else line.shares


def _of_sheet(line: SheetLine, person: Employee, posts: Mapping[str, str]) -> LineView:
    word = line.word
    return LineView(
        line.employee_id, person.number, person.name, line.days, line.amount, line.paid, line.state, word.strikes,
        word.suspected, word.undecided, reasons(line.state, word.strikes, word.suspected, word.undecided),
        shares_text(line.plain_shares(), posts), word.matters, 0, "", None,
    )  # fmt: skip


def _of_line(line: AllowanceLine, person: Employee, posts: Mapping[str, str]) -> LineView:
    return LineView(
        line.employee_id, person.number, person.name, line.days, line.amount_fen,
        paid(LineState(line.state), line.amount_fen), line.state, line.strikes, line.suspected, line.undecided,
        reasons(line.state, line.strikes, line.suspected, line.undecided), shares_text(line.shares, posts),
        line.matters, line.revision, line.why if line.revision > 1 else "", line.trace_sha256,
    )  # fmt: skip


_SORTS: Mapping[str, Callable[[LineView], Any]] = {
    "number": lambda line: line.number,
    "name": lambda line: line.name,
    "days": lambda line: line.days,
    "amount": lambda line: line.amount,
    "paid": lambda line: line.paid,
    "strikes": lambda line: (line.strikes, line.suspected + line.undecided),
}


def chosen(lines: Sequence[LineView], words: str, state: str, sort: str) -> list[LineView]:
    """The lines that fit, in order; what is no order is that of employees' numbers."""
    found = [
        line
        for line in lines
        if (not state or line.state == state)
        and (not words or words.casefold() in f"{line.number} {line.name}".casefold())
    ]
    found.sort(key=_SORTS["number"])
    key = _SORTS.get(sort.removeprefix("-"), _SORTS["number"])
    return sorted(found, key=key, reverse=sort.startswith("-"))
