"""Who is told of an incident, in which words, and what is asked of the lead. A penalty is nobody else's business."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.incidents import words
from app.incidents.model import Incident, IncidentChange
from app.incidents.rules import Verdict
from app.incidents.verdicts import employee_of
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, tell
from app.policy import Policy
from app.registry import find_handset
from app.tasks import close_task, open_task

KIND = "incident"
_QUIET = frozenset({"refuted", "excused"})


def tell_change(
    session: Session,
    row: Incident,
    before: Verdict | None,
    after: Verdict | None,
    change: IncidentChange,
    procedure: Policy,
    now: dt.datetime,
) -> None:
    """Tell each person whom it concerns, and the lead, of a verdict that is new to them; keep the lead's task right."""
    _keep_task(session, row, after, procedure, now)
    if not _is_news(before, after):
        return
    phone = find_handset(session, SYSTEM, row.handset_id).asset_tag
    about = after or before
    assert about is not None
    now_called = words.STATUS[after.status] if after else "已撤销"
    title = f"关机事件{now_called}：{phone} {words.span_words(about)}"
    concerned = (before.persons if before else frozenset()) | (after.persons if after else frozenset())
    for answers in sorted(concerned):
        employee = employee_of(answers)
        if employee is not None:
            tell(
                session, key=f"incident:{change.id}:{employee}", kind=KIND, centre_id=row.centre_id,
                to=Recipients(employees=(employee,)), title=title, now=now, link=f"/my/incidents/{row.id}",
                body=_body_for(row, after, about, answers, change),
            )  # fmt: skip
    tell(
        session, key=f"incident:{change.id}:lead", kind=KIND, centre_id=row.centre_id, title=title, now=now,
        to=Recipients(roles=("lead",), group=True), link=f"/incidents/{row.id}",
        body="\n".join([*words.evidence_words(about), _why(change)]),
    )  # fmt: skip


def _is_news(before: Verdict | None, after: Verdict | None) -> bool:
    if before is None:
        return after is not None and after.status not in _QUIET
    if after is None:
        return before.status not in _QUIET
    if before.status in _QUIET and after.status in _QUIET:
        return False
    return (before.status, before.persons, before.strikes) != (after.status, after.persons, after.strikes)


def _body_for(
    row: Incident, after: Verdict | None, about: Verdict, answers: str, change: IncidentChange
) -> str:
    """The evidence in words and what it means for this one person."""
    lines = [*words.evidence_words(about), _why(change)]
    if after is None or answers not in after.persons:
        lines.append("经更正，这个事件不计在您名下。")
    elif after.status == "confirmed":
        lines.append(
            words.strike_words(s.month for s in after.strikes if s.answers == answers) or "目前不计次数。"
        )
        if row.appeal_until is not None:
            until = row.appeal_until.astimezone(dt.timezone(dt.timedelta(hours=8)))
            lines.append(f"如有异议，请在 {until.month}月{until.day}日 {until:%H:%M} 前申诉，可申诉一次。")
    elif after.pending:
        lines.append("目前没有结论，不计次数。有说明或证据，请告诉负责人。")
    else:
        lines.append("这个事件不计次数。")
    return "\n".join(line for line in lines if line)


def _why(change: IncidentChange) -> str:
    return f"结论变化的原因：{change.why}。" if change.before is not None and change.why else ""


def _keep_task(
    session: Session, row: Incident, after: Verdict | None, procedure: Policy, now: dt.datetime
) -> None:
    key = f"incident_decide:{row.id}"
    if after is not None and after.status == "undecided":
        due = now + dt.timedelta(days=procedure.body["decide_days"])
        phone = find_handset(session, SYSTEM, row.handset_id).asset_tag
        open_task(
            session, key=key, kind="incident", centre_id=row.centre_id, handset_id=row.handset_id, due_at=due,
            title=f"请决定关机事件：{phone} {words.span_words(after)}", roles=("lead",), now=now,
            body="\n".join(words.evidence_words(after)), link=f"/incidents/{row.id}",
        )  # fmt: skip
    else:
        close_task(session, key, how="已有结论", by=SYSTEM.user, now=now)


def tell_appeal(
    session: Session, row: Incident, about: Verdict, appeal_id: uuid.UUID, now: dt.datetime
) -> None:
    """An appeal was filed: the centre's lead and operations are asked for a second person's decision."""
    phone = find_handset(session, SYSTEM, row.handset_id).asset_tag
    title = f"管家申诉，请另一人复核：{phone} {words.span_words(about)}"
    open_task(
        session, key=f"incident_appeal:{row.id}", kind="incident", centre_id=row.centre_id, title=title,
        handset_id=row.handset_id, roles=("lead", "operations"), link=f"/incidents/{row.id}", now=now,
    )  # fmt: skip
    tell(
        session, key=f"incident_appeal:{appeal_id}", kind=KIND, centre_id=row.centre_id, title=title, now=now,
        to=Recipients(roles=("lead", "operations"), group=True), link=f"/incidents/{row.id}",
        body="\n".join(words.evidence_words(about)),
    )  # fmt: skip


def tell_appeal_decided(
    session: Session,
    row: Incident,
    decision_id: uuid.UUID,
    employees: tuple[uuid.UUID, ...],
    upheld: bool,
    now: dt.datetime,
) -> None:
    """The word on an appeal, to those who appealed; what it changes is told as a change of the verdict."""
    close_task(session, f"incident_appeal:{row.id}", how="申诉已复核", by=SYSTEM.user, now=now)
    phone = find_handset(session, SYSTEM, row.handset_id).asset_tag
    outcome = "维持原结论" if upheld else "申诉成立，事件不成立"
    for employee in employees:
        tell(
            session, key=f"incident_final:{decision_id}:{employee}", kind=KIND, centre_id=row.centre_id,
            to=Recipients(employees=(employee,)), title=f"申诉已复核：{phone}，{outcome}", now=now,
            body=f"复核结果：{outcome}。理由见系统。这是最终结论；以后若有新的证据，结论仍会随证据更正。",
            link=f"/my/incidents/{row.id}",
        )  # fmt: skip
