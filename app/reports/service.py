"""Staff judge reports: only a confirmed one is evidence, from the instant at which the household says it called."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.duty import answerable
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective
from app.reports import store
from app.reports.intake_service import ask_to_judge, task_key
from app.reports.model import CustomerReport
from app.reports.rules import Confirmed, once_a_household
from app.reports.states import Event
from app.tasks import close_task
from app.uptime import queue_settling

MAX_REASON = 500
JUDGES = ("operations", "lead")


def report_facts(session: Session, handset_id: uuid.UUID) -> list[dt.datetime]:
    """When confirmed reports accuse a phone, oldest first; a household's reports within policy's hours are one.

    Internal: for the ruling, which sees every centre.
    """
    rows = store.confirmed(session, handset_id)
    return once_a_household(
        Confirmed(row.called_at, row.household_id, dt.timedelta(hours=row.quiet_hours or 0))
        for row in rows
        if row.called_at is not None and row.household_id is not None
    )


def get(session: Session, principal: Principal, report_id: uuid.UUID) -> CustomerReport:
    """Raise `NotFound`, also for a foreign centre's."""
    report = store.find(session, principal, report_id)
    if report is None:
        raise NotFound("没有这条客户反映 / no such report")
    return report


def confirm(
    session: Session,
    principal: Principal,
    report_id: uuid.UUID,
    *,
    household_id: uuid.UUID,
    called_at: dt.datetime,
    reason: str,
    policies: PolicyFiles,
    now: dt.datetime,
) -> CustomerReport:
    """A household of this grid called at `called_at` and did not get through: from now on that is evidence.

    Raise `NotFound`; `Forbidden` for whoever answers for the phone; `Invalid` for a household of another grid or an
    instant that cannot be; `Conflict` when it was judged meanwhile, or the post had no phone then.
    """
    report = get(session, principal, report_id)
    body = effective(session, policies, "reports", report.centre_id).body
    if household_id not in store.rooms(session, report.grid_id):
        raise _invalid("household_id", "请选择本片区的住户 / must be a household of this grid")
    earliest = report.received_at - dt.timedelta(hours=body["back_hours"])
    if not earliest <= called_at <= report.received_at:
        raise _invalid(
            "called_at",
            f"时间应在收到反映之前的 {body['back_hours']} 小时内 / must lie before the report, not too long",
        )
    handset_id = store.phone_of(session, report.post_id, called_at)
    if handset_id is None:
        raise Conflict("那时该岗位没有手机 / the post had no phone then", code="no_phone_then")
    _require_judge(session, principal, report, {handset_id: called_at})
    _judge(
        session, principal, report, Event.CONFIRM, reason, now, household_id=household_id, called_at=called_at,
        handset_id=handset_id, quiet_hours=body["household_hours"],
    )  # fmt: skip
    return report


def reject(
    session: Session, principal: Principal, report_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> CustomerReport:
    """It is no evidence. Raise as `confirm`, and `Invalid` without a reason."""
    report = get(session, principal, report_id)
    _require_reason(reason)
    _require_judge(session, principal, report, {})
    _judge(session, principal, report, Event.REJECT, reason, now)
    return report


def undo(
    session: Session,
    principal: Principal,
    report_id: uuid.UUID,
    *,
    reason: str,
    policies: PolicyFiles,
    now: dt.datetime,
) -> CustomerReport:
    """Take a judgement back; it stays on record, and the report waits again. Raise as `reject`."""
    report = get(session, principal, report_id)
    _require_reason(reason)
    _require_judge(session, principal, report, {})
    _judge(session, principal, report, Event.UNDO, reason, now)
    hours = effective(session, policies, "reports", report.centre_id).body["judge_hours"]
    ask_to_judge(session, report, now, dt.timedelta(hours=hours))
    return report


def may_judge(session: Session, principal: Principal, report: CustomerReport) -> bool:
    """Whether the caller may judge this report, as far as its time is known."""
    try:
        _require_judge(session, principal, report, {})
    except Forbidden:
        return False
    return True


def _require_judge(
    session: Session, principal: Principal, report: CustomerReport, also: dict[uuid.UUID, dt.datetime]
) -> None:
    """The role in this centre, and nobody who answers for the phone: when it was reported, or when it was called."""
    principal.require_role(report.centre_id, *JUDGES)
    if principal.employee is None:
        return
    moments = list(also.items())
    if report.handset_id is not None:
        moments += [
            (report.handset_id, at) for at in (report.received_at, report.called_at) if at is not None
        ]
    for handset_id, at in moments:
        if principal.employee in answerable(session, handset_id, at):
            raise Forbidden(
                "这条反映涉及您保管的手机，请由他人核实 / you answer for this phone: another must judge",
                code="own_phone",
            )


def _judge(
    session: Session, principal: Principal, report: CustomerReport, event: Event, reason: str, now: dt.datetime,
    **changes: object,
) -> None:  # fmt: skip
    words = one_line(reason, MAX_REASON)
    store.move(session, report, event, judged_at=now, judged_by=principal.user, reason=words, **changes)
    store.add_change(session, report, event, at=now, by=principal.user, reason=words)
    if report.handset_id is not None:
        queue_settling(session, {report.handset_id: report.centre_id}, now)
    if event is not Event.UNDO:
        close_task(session, task_key(report.id), how=f"已处理：{words}", by=principal.user, now=now)
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action=f"report.{event}", object=f"report:{report.id}",
            centre_id=report.centre_id, reason=words,
            details={"handset": str(report.handset_id), "household": str(report.household_id)},
        ),
    )  # fmt: skip


def _require_reason(reason: str) -> None:
    if not one_line(reason, MAX_REASON):
        raise _invalid("reason", "请写明原因 / say why")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])
