"""Closing a month: once, whole, as the person who closes it saw it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.allowance import claim_effects, claim_store, store
from app.allowance.booking import entries_of
from app.allowance.evidence import keep_trace, require_settled
from app.allowance.model import AllowanceMonth
from app.allowance.rules import closable_from, is_month, month_after, month_of
from app.allowance.sheet import Sheet, SheetLine, draw_up
from app.allowance.telling import tell_closed
from app.allowance.tools import CLOSERS, SUBJECT, Tools, close_key
from app.audit import AuditEvent, record
from app.kernel.clock import to_rfc3339
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.ledger import book_all
from app.policy import Policy, effective
from app.tasks import close_task

_MICROSECOND = dt.timedelta(microseconds=1)


def require_month(month: str) -> None:
    if not is_month(month):
        raise Invalid(
            "月份应写作 2026-11 / bad month", fields=[FieldError("month", "month", "write it as 2026-11")]
        )


def preview(
    session: Session, principal: Principal, tools: Tools, centre_id: uuid.UUID, month: str
) -> tuple[Sheet, Policy]:
    """The month as the evidence says now. Raise `NotFound` for a centre that is not the caller's."""
    require_month(month)
    if not principal.sees(centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    policy = effective(session, tools.files, SUBJECT, centre_id)
    return draw_up(session, tools.files, centre_id, month, policy.body), policy


def obstacle(
    session: Session, centre_id: uuid.UUID, month: str, policy: Policy, now: dt.datetime
) -> Conflict | None:
    """Why the month cannot be closed at this time; None when it can."""
    opens = closable_from(month, policy.body["grace_days"])
    if now < opens:
        return Conflict(
            f"{month} 要到 {_shanghai(opens)} 之后才能关账 / not before {to_rfc3339(opens)}", code="too_early"
        )
    last = store.last_closed(session, centre_id)
    if last is None:
        # Months are closed one after the other from the first on: one of long ago would keep this year's waiting.
        oldest = month_after(month_of(now), -policy.body["recheck_months"])
        return None if month >= oldest else _too_old(oldest)
    if month <= last.month:
        return Conflict("这个月已经关账 / this month was closed before", code="already_closed")
    if month != month_after(last.month):
        return Conflict(
            f"请先关 {month_after(last.month)} 的账 / close {month_after(last.month)} first",
            code="out_of_order",
        )
    return None


def _too_old(oldest: str) -> Conflict:
    return Conflict(
        f"第一次关账最早从 {oldest} 开始 / the first month to be closed is {oldest} or later", code="too_old"
    )


def _shanghai(instant: dt.datetime) -> str:
    return (instant.astimezone(dt.UTC) + dt.timedelta(hours=8)).strftime("%Y-%m-%d %H:%M")


def money_time(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> dt.datetime:
    """The instant at which money of the centre may be booked, under its lock: later than the last closing.

    A booking of before a closing that is committed after it would change a statement that has left for payroll.
    """
    if not store.lock_centre(session, centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    last = store.last_closed(session, centre_id)
    return now if last is None else max(now, last.closed_at + _MICROSECOND)


def closed_until(session: Session, centre_id: uuid.UUID) -> str | None:
    """The last month of a centre that is closed, `2026-10`; None before the first closing."""
    last = store.last_closed(session, centre_id)
    return None if last is None else last.month


def close_month(
    session: Session,
    principal: Principal,
    tools: Tools,
    centre_id: uuid.UUID,
    month: str,
    *,
    seen: str,
    now: dt.datetime,
) -> AllowanceMonth:
    """Close a month for good; `seen` is the sha256 of the sheet that the caller confirmed.

    Raise `Conflict` when it is too early, closed before, out of order, not settled, or no more what was confirmed.
    """
    require_month(month)
    if not principal.sees(centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    principal.require_role(centre_id, *CLOSERS)
    now = money_time(session, centre_id, now)
    policy = effective(session, tools.files, SUBJECT, centre_id)
    hindered = obstacle(session, centre_id, month, policy, now)
    if hindered is not None:
        raise hindered
    require_settled(session, centre_id, now)
    sheet = draw_up(session, tools.files, centre_id, month, policy.body)
    if sheet.sha256 != seen:
        raise Conflict(
            "预览之后内容有变化，请重新核对 / the sheet changed: look at it again", code="sheet_changed"
        )
    month_id = _insert(session, principal, tools, sheet, policy, now)
    _write_lines(session, principal, tools, month_id, sheet, now)
    with_claims = claim_store.people_with_claims(session, centre_id, month)
    for line in sheet.lines:
        if line.employee_id in with_claims:
            claim_effects.follow(session, principal, centre_id, line.employee_id, month, line.state, now)
    close_task(session, close_key(centre_id, month), how="已关账", by=principal.user, now=now)
    counts = Counter(str(line.state) for line in sheet.lines)
    _note(session, principal, month_id, sheet, counts, now)
    row = session.get_one(AllowanceMonth, month_id)
    tell_closed(session, row, sorted(counts.items()), now)
    return row


def _insert(
    session: Session, principal: Principal, tools: Tools, sheet: Sheet, policy: Policy, now: dt.datetime
) -> uuid.UUID:
    uptime = effective(session, tools.files, "uptime", sheet.centre_id)
    month_id = new_id()
    values = {
        "id": month_id, "centre_id": sheet.centre_id, "month": sheet.month, "policy_version": policy.version,
        "policy_sha256": policy.sha256, "policy_body": dict(policy.body), "uptime_version": uptime.version,
        "uptime_sha256": uptime.sha256, "lines_sha256": sheet.sha256, "closed_by": principal.user, "closed_at": now,
        "checked_at": now,
    }  # fmt: skip
    if not store.insert_month(session, values):
        raise Conflict("这个月已经关账 / this month was closed before", code="already_closed")
    return month_id


def _write_lines(
    session: Session,
    principal: Principal,
    tools: Tools,
    month_id: uuid.UUID,
    sheet: Sheet,
    now: dt.datetime,
) -> None:
    keys, entries = [], []
    for line in sheet.lines:
        for account, entry in entries_of(sheet, line, month_id, 1).items():
            keys.append((line.employee_id, account))
            entries.append(entry)
    booked = dict(zip(keys, book_all(session, principal, entries, now), strict=True))
    rows = []
    for line in sheet.lines:
        trace = trace_of(session, tools, line, sheet.centre_id, now)
        row = line_row(sheet, line, month_id, 1, trace, "关账", principal.user, now)
        row["grant_id"] = booked.get((line.employee_id, "grant"))
        row["cancellation_id"] = booked.get((line.employee_id, "cancellation"))
        rows.append(row)
    store.insert_lines(session, rows)


def trace_of(
    session: Session, tools: Tools, line: SheetLine, centre_id: uuid.UUID, now: dt.datetime
) -> str | None:
    """The blob from which this line's ruling replays, for lines that incidents speak of."""
    return keep_trace(session, tools, line.handsets, centre_id, now) if line.word.matters else None


def line_row(
    sheet: Sheet,
    line: SheetLine,
    month_id: uuid.UUID,
    revision: int,
    trace: str | None,
    why: str,
    by: str,
    now: dt.datetime,
) -> dict[str, Any]:
    word = line.word
    return {
        "id": new_id(), "month_id": month_id, "centre_id": sheet.centre_id, "employee_id": line.employee_id,
        "month": sheet.month, "revision": revision, "state": line.state, "days": line.days, "amount_fen": line.amount,
        "strikes": word.strikes, "suspected": word.suspected, "undecided": word.undecided,
        "shares": line.plain_shares(), "matters": word.matters, "trace_sha256": trace, "grant_id": None,
        "cancellation_id": None, "why": why, "made_by": by, "made_at": now, "replaced_at": None, "told_at": None,
    }  # fmt: skip


def _note(
    session: Session,
    principal: Principal,
    month_id: uuid.UUID,
    sheet: Sheet,
    counts: Mapping[str, int],
    now: dt.datetime,
) -> None:
    record(
        session,
        AuditEvent(
            at=now,
            actor=principal.user,
            action="allowance.closed",
            object=f"allowance_month:{month_id}",
            centre_id=sheet.centre_id,
            details={"month": sheet.month, "sheet_sha256": sheet.sha256, **counts},
        ),
    )
