"""After closing: what new evidence changes is corrected by reversal and new booking, never in silence."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from app.allowance import claim_effects, store
from app.allowance.booking import entries_of, rebook
from app.allowance.closing import line_row, money_time, trace_of
from app.allowance.evidence import NOTHING, require_settled
from app.allowance.model import AllowanceLine, AllowanceMonth
from app.allowance.rules import LineState, Move, compare, digest, month_after, month_of
from app.allowance.sheet import Sheet, SheetLine, draw_up
from app.allowance.tools import CLOSERS, SUBJECT, Tools
from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles
from app.tasks import close_task, open_task

log = structlog.get_logger(__name__)
_MONTHS_AT_ONCE = 20
_EMPTY = (LineState.PAYABLE, 0)


@dataclass(frozen=True)
class Drift:
    """How one employee's closed line differs from what the evidence says now."""

    employee_id: uuid.UUID
    before: AllowanceLine | None
    after: SheetLine
    move: Move


@dataclass(frozen=True)
class Drifts:
    """`sha256` is over what a person sees of `losses`, which only a person may book."""

    sheet: Sheet
    gains: tuple[Drift, ...]
    losses: tuple[Drift, ...]
    waiting: tuple[Drift, ...]
    sha256: str


def drifts_of(session: Session, files: PolicyFiles, row: AllowanceMonth) -> Drifts:
    """A closed month against the evidence of now, by the very policy that it was closed by."""
    sheet = draw_up(session, files, row.centre_id, row.month, row.policy_body)
    found = list(_compared(store.lines_of(session, row.id), sheet))
    by_move = {move: tuple(d for d in found if d.move is move) for move in Move}
    told = [
        [str(d.employee_id), d.before.revision if d.before else 0, d.after.plain()]
        for d in by_move[Move.LOSS]
    ]
    return Drifts(sheet, by_move[Move.GAIN], by_move[Move.LOSS], by_move[Move.WAITS], digest(told))


def _compared(lines: Sequence[AllowanceLine], sheet: Sheet) -> list[Drift]:
    before = {line.employee_id: line for line in lines}
    after = {line.employee_id: line for line in sheet.lines}
    found = []
    for employee in sorted(before.keys() | after.keys()):
        old = before.get(employee)
        new = after.get(employee) or SheetLine(employee, 0, 0, (), NOTHING, frozenset())
        stood = (LineState(old.state), old.amount_fen) if old else _EMPTY
        found.append(Drift(employee, old, new, compare(stood, (new.state, new.amount))))
    return found


def correct(
    session: Session,
    principal: Principal,
    tools: Tools,
    month_id: uuid.UUID,
    *,
    seen: str,
    reason: str,
    now: dt.datetime,
) -> int:
    """Book what evidence takes from people after closing; `seen` is the sha256 of the losses that were confirmed.

    How many lines changed. Raise `Conflict` when the losses are no more those, `Invalid` without a reason.
    """
    row = store.find_month(session, principal, month_id)
    if row is None:
        raise NotFound("没有这个月 / no such month")
    principal.require_role(row.centre_id, *CLOSERS)
    words = one_line(reason, 300)
    if not words:
        raise Invalid(
            "请写明原因", fields=[FieldError("reason", "required", "请写明更正的原因 / a reason is required")]
        )
    now = money_time(session, row.centre_id, now)
    require_settled(session, row.centre_id, now)
    drifts = drifts_of(session, tools.files, row)
    if not drifts.losses or drifts.sha256 != seen:
        raise Conflict("内容有变化，请重新核对 / the corrections changed: look again", code="sheet_changed")
    for drift in drifts.losses:
        _apply(session, principal, tools, row, drifts.sheet, drift, words, now)
    close_task(session, drift_key(row), how="已更正", by=principal.user, now=now)
    return len(drifts.losses)


def recheck(session: Session, tools: Tools, now: dt.datetime) -> int:
    """Compare the closed months that were compared longest ago; how many lines were corrected.

    What gives is booked at once: the deciding was done where the incident was decided. What takes asks a person.
    """
    changed = 0
    months = tools.files.latest(SUBJECT).body["recheck_months"]
    since = month_after(month_of(now), -months)
    for row in store.checked_longest_ago(session, since, _MONTHS_AT_ONCE):
        try:
            with session.begin_nested():
                changed += recheck_month(session, tools, row, now)
        except DomainError as exc:  # one centre's trouble must not keep the others from being looked at
            log.info("allowance_recheck_put_off", month=row.month, centre=str(row.centre_id), code=exc.code)
            store.set_checked(session, row.id, now)
    return changed


def recheck_month(session: Session, tools: Tools, row: AllowanceMonth, now: dt.datetime) -> int:
    """As `recheck`, of one closed month."""
    booked_at = money_time(session, row.centre_id, now)
    require_settled(session, row.centre_id, now)
    drifts = drifts_of(session, tools.files, row)
    for drift in drifts.gains:
        _apply(session, SYSTEM, tools, row, drifts.sheet, drift, _why(drift), booked_at)
    if drifts.losses:
        open_task(
            session, key=drift_key(row), kind="month", centre_id=row.centre_id,
            title=f"{row.month} 已关账，有 {len(drifts.losses)} 人的补贴因新证据应减少，请核对更正",
            link=f"/allowance/{row.month}/{row.centre_id}", roles=CLOSERS, now=now,
        )  # fmt: skip
    else:
        close_task(session, drift_key(row), how="已无差异", by=SYSTEM.user, now=now)
    store.set_checked(session, row.id, now)
    return len(drifts.gains)


def drift_key(row: AllowanceMonth) -> str:
    return f"allowance_correction:{row.id}"


_WORDS = {LineState.PAYABLE: "照发", LineState.CANCELLED: "取消", LineState.HELD: "待定"}


def _why(drift: Drift) -> str:
    before = LineState(drift.before.state) if drift.before else LineState.PAYABLE
    if before is drift.after.state:
        return "保管天数有更正"
    return f"证据或决定有更新：{_WORDS[before]}改为{_WORDS[drift.after.state]}"


def _apply(
    session: Session,
    principal: Principal,
    tools: Tools,
    row: AllowanceMonth,
    sheet: Sheet,
    drift: Drift,
    why: str,
    now: dt.datetime,
) -> None:
    before, after = drift.before, drift.after
    revision = before.revision + 1 if before else 1
    wanted = entries_of(sheet, after, row.id, revision)
    booked = rebook(session, principal, before, wanted, why, now)
    if before is not None and not store.replace(session, before, now):
        raise Conflict(
            "这一行刚被他人更正，请刷新 / corrected by another in this moment", code="line_changed"
        )
    trace = trace_of(session, tools, after, sheet.centre_id, now)
    values = line_row(sheet, after, row.id, revision, trace, why, principal.user, now)
    values |= {"grant_id": booked.grant_id, "cancellation_id": booked.cancellation_id}
    store.insert_lines(session, [values])
    claim_effects.follow(session, principal, row.centre_id, drift.employee_id, row.month, after.state, now)
    record(
        session,
        AuditEvent(
            at=now,
            actor=principal.user,
            action="allowance.corrected",
            object=f"allowance_month:{row.id}",
            centre_id=row.centre_id,
            reason=why,
            details={"employee": str(drift.employee_id), "revision": revision, "state": str(after.state)},
        ),
    )
