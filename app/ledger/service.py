"""Book and reverse; there is no other way to change a balance."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.money import Fen, format_yuan
from app.kernel.tenancy import Principal
from app.ledger.model import LedgerEntry

_CHUNK = 500
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Entry:
    """`month` is `YYYY-MM` in Asia/Shanghai; `cause` is unique, so that a closing run twice books once."""

    centre_id: uuid.UUID
    employee_id: uuid.UUID
    month: str
    account: str
    amount: Fen
    rule: str
    cause: str
    note: str = ""


def book(session: Session, principal: Principal, entry: Entry, now: dt.datetime) -> LedgerEntry:
    """Append one booking; raise `Conflict` when its cause was booked before, `Invalid` for no amount or a bad month."""
    return session.get_one(LedgerEntry, book_all(session, principal, [entry], now)[0])


def book_all(
    session: Session, principal: Principal, entries: Sequence[Entry], now: dt.datetime
) -> list[uuid.UUID]:
    """Append many bookings, all of them or none; their ids in the same order. Raise as `book`."""
    for entry in entries:
        _check(principal, entry)
    for start in range(0, len(entries), _CHUNK):
        causes = [entry.cause for entry in entries[start : start + _CHUNK]]
        before = session.scalar(select(LedgerEntry.cause).where(LedgerEntry.cause.in_(causes)).limit(1))
        if before is not None:
            raise Conflict(f"{before} was booked before", code="already_booked")
    return _append(session, principal, entries, None, now)


def _check(principal: Principal, entry: Entry) -> None:
    principal.require_centre(entry.centre_id)
    if not _MONTH.fullmatch(entry.month):
        raise Invalid("bad month", fields=[FieldError("month", "month", "write it as 2026-11")])
    if entry.amount == 0:
        raise Invalid("no amount", fields=[FieldError("amount", "amount", "an amount of 0 books nothing")])


def reverse(
    session: Session, principal: Principal, entry_id: uuid.UUID, note: str, now: dt.datetime
) -> LedgerEntry:
    """Append the counter-booking of an entry; an entry is reversed at most once."""
    row = session.scalar(select(LedgerEntry).where(LedgerEntry.id == entry_id).with_for_update())
    if row is None or not principal.sees(row.centre_id):
        raise NotFound("no such booking")
    if row.reverses_id is not None:
        raise Conflict("a reversal is not reversed: book anew", code="is_reversal")
    if session.scalar(select(LedgerEntry.id).where(LedgerEntry.reverses_id == entry_id)) is not None:
        raise Conflict("reversed before", code="already_reversed")
    entry = Entry(
        centre_id=row.centre_id,
        employee_id=row.employee_id,
        month=row.month,
        account=row.account,
        amount=Fen(-row.amount_fen),
        rule=row.rule,
        cause=f"reversal:{entry_id}",
        note=note,
    )
    return session.get_one(LedgerEntry, _append(session, principal, [entry], entry_id, now)[0])


def balance(session: Session, principal: Principal, employee_id: uuid.UUID, account: str, month: str) -> Fen:
    """Sum of an employee's bookings of one account and month, in fen."""
    query = select(func.coalesce(func.sum(LedgerEntry.amount_fen), 0)).where(
        LedgerEntry.employee_id == employee_id, LedgerEntry.account == account, LedgerEntry.month == month
    )
    if principal.centres is not None:
        query = query.where(LedgerEntry.centre_id.in_(principal.centres))
    return Fen(int(session.scalar(query) or 0))


def _append(
    session: Session,
    principal: Principal,
    entries: Sequence[Entry],
    reverses: uuid.UUID | None,
    now: dt.datetime,
) -> list[uuid.UUID]:
    ids = [new_id() for _ in entries]
    rows = [
        {
            "id": row_id, "centre_id": entry.centre_id, "employee_id": entry.employee_id, "month": entry.month,
            "account": entry.account, "amount_fen": int(entry.amount), "rule": entry.rule, "cause": entry.cause,
            "reverses_id": reverses, "note": entry.note, "booked_by": principal.user, "booked_at": now,
        }
        for row_id, entry in zip(ids, entries, strict=True)
    ]  # fmt: skip
    if rows:
        session.execute(insert(LedgerEntry), rows)
    for row_id, entry in zip(ids, entries, strict=True):
        event = AuditEvent(
            at=now,
            actor=principal.user,
            action="ledger.reversed" if reverses else "ledger.booked",
            object=f"ledger:{row_id}",
            centre_id=entry.centre_id,
            details={"amount": format_yuan(entry.amount), "rule": entry.rule, "month": entry.month},
        )
        record(session, event)
    return ids
