"""From a line to the rows of the ledger, and back again when it is corrected."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowance.model import AllowanceLine
from app.allowance.rules import LineState, bookings
from app.allowance.sheet import Sheet, SheetLine
from app.kernel.money import Fen
from app.kernel.tenancy import Principal
from app.ledger import Entry, book, reverse

RULES = {"grant": "U05", "cancellation": "R02"}
ACCOUNTS = tuple(RULES)


@dataclass(frozen=True)
class Booked:
    """The bookings that stand for a line now."""

    grant_id: uuid.UUID | None
    cancellation_id: uuid.UUID | None


def entries_of(sheet: Sheet, line: SheetLine, month_id: uuid.UUID, revision: int) -> dict[str, Entry]:
    """Account → what is to be booked for a new line."""
    return {
        account: Entry(
            centre_id=sheet.centre_id,
            employee_id=line.employee_id,
            month=sheet.month,
            account=account,
            amount=Fen(fen),
            rule=RULES[account],
            cause=f"allowance:{month_id}:{line.employee_id}:{revision}:{account}",
            note=_note(account, line),
        )
        for account, fen in bookings(line.state, line.amount).items()
    }


def _note(account: str, line: SheetLine) -> str:
    if account == "grant":
        return f"话费补贴，保管 {line.days} 天"
    return f"R02：当月 {line.word.strikes} 次关机成立，取消补贴"


def rebook(
    session: Session,
    principal: Principal,
    before: AllowanceLine | None,
    wanted: dict[str, Entry],
    why: str,
    now: dt.datetime,
) -> Booked:
    """Reverse what no longer holds and book what does; what stays the same stays as it is booked."""
    stands = _standing(before)
    ids: dict[str, uuid.UUID | None] = {}
    for account in ACCOUNTS:
        entry_id, fen = stands.get(account, (None, 0))
        entry = wanted.get(account)
        if entry is not None and entry_id is not None and entry.amount == fen:
            ids[account] = entry_id
            continue
        if entry_id is not None:
            reverse(session, principal, entry_id, f"更正：{why}", now)
        ids[account] = None if entry is None else book(session, principal, entry, now).id
    return Booked(ids["grant"], ids["cancellation"])


def _standing(line: AllowanceLine | None) -> dict[str, tuple[uuid.UUID | None, int]]:
    if line is None:
        return {}
    amounts = bookings(LineState(line.state), line.amount_fen)
    ids = {"grant": line.grant_id, "cancellation": line.cancellation_id}
    return {account: (ids[account], fen) for account, fen in amounts.items()}
