"""A password of a number or an account did not match: is told, explained, decided, appealed, and put right (R07).

What follows from a finding is personnel's: no money is taken here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.credchecks import case_store, kit_store, store
from app.credchecks.case_telling import (
    case_over,
    tell_answered,
    tell_appealed,
    tell_decided,
    tell_found,
    to_answer_key,
    to_decide,
)
from app.credchecks.documents import issue_case_paper
from app.credchecks.model import ChangeCase, CheckItem
from app.credchecks.rules import DAY, restored
from app.credchecks.states import Case, CaseEvent, Finding
from app.credchecks.tools import CHECKERS, SUBJECT, Tools
from app.credchecks.verifying import answer_mark, decision_mark
from app.escrow import SecretState, kit_secrets
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.people import user_of_employee
from app.policy import PolicyFiles, effective
from app.tasks import close_task

MAX_TEXT = 1000
Speech = Callable[..., ChangeCase]
"""`make_statement` or `appeal`."""
_BATCH = 100


def found_wrong(session: Session, item: CheckItem, state: SecretState, now: dt.datetime) -> ChangeCase | None:
    """A check found another password: a case, unless one is open about it. Internal: called by the settling."""
    assert state.id is not None
    if item.checked_at is None or case_store.open_about(session, state.id) is not None:
        return None
    holder = kit_store.holders_of_posts(session, [item.post_id], item.checked_at).get(item.post_id)
    matched = store.last_match(session, item.subject_id, item.kind, item.checked_at)
    good = [at for at in (state.filed_at, matched) if at is not None]
    row = ChangeCase(
        id=new_id(), centre_id=item.centre_id, item_id=item.id, round_id=item.round_id, secret_id=state.id,
        of=item.of, subject_id=item.subject_id, subject_name=item.subject_name, kind=item.kind, label=item.label,
        post_id=item.post_id, employee_id=holder.id if holder else None, state=Case.OPENED,
        mismatch_at=item.checked_at, checked_by=item.by or "", known_good_at=max(good, default=None),
        opened_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, SYSTEM.user, row, "open", now)
    return row


def found_right(session: Session, state: SecretState, now: dt.datetime) -> None:
    """It matches: a case that nobody was told of yet, and no new password since, had been mistyped.

    Told already, it stays for people to decide: who changed it may have changed it back.
    """
    row = case_store.open_about(session, state.id) if state.id is not None else None
    if row is None or row.told_at is not None or row.state not in (Case.OPENED, Case.SILENT):
        return
    if state.filed_at is not None and state.filed_at > row.mismatch_at:
        return
    case_store.move(session, row, CaseEvent.DROP, closed_at=now)
    case_over(session, row, "核对一致", SYSTEM.user, now)
    _note(session, SYSTEM.user, row, "drop", now)


def tell_due(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Tell the butlers of cases that were not taken back within policy's minutes; how many.

    Nobody held the post: nobody to ask, it is to be decided at once.
    """
    told = 0
    for row in case_store.to_tell(session, _BATCH):
        body = effective(session, policies, SUBJECT, row.centre_id).body
        if now < row.opened_at + dt.timedelta(minutes=body["tell_minutes"]):
            continue
        told += 1
        if row.employee_id is None:
            case_store.move(session, row, CaseEvent.LAPSE, told_at=now, statement_until=now)
            to_decide(session, row, now + body["decide_days"] * DAY, now)
            continue
        row.told_at, row.statement_until = now, now + body["statement_days"] * DAY
        session.flush()
        tell_found(session, row, now)
    return told


def lapse(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """The time for a statement is over: it is decided without one, though one that comes still counts."""
    rows = case_store.to_lapse(session, now, _BATCH)
    for row in rows:
        body = effective(session, policies, SUBJECT, row.centre_id).body
        case_store.move(session, row, CaseEvent.LAPSE)
        to_decide(session, row, now + body["decide_days"] * DAY, now)
        _note(session, SYSTEM.user, row, "lapse", now)
    return len(rows)


def close_restored(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Close what is decided, can be appealed no more, and whose password is in order again; how many."""
    closed = 0
    for row in case_store.to_close(session, _BATCH):
        waits = row.state == Case.DECIDED and row.appeal_until is not None and now < row.appeal_until
        if not waits and in_order(session, row, policies, now):
            case_store.move(session, row, CaseEvent.CLOSE, closed_at=now)
            case_over(session, row, "已结案", SYSTEM.user, now)
            _note(session, SYSTEM.user, row, "close", now)
            closed += 1
    return closed


def in_order(session: Session, row: ChangeCase, policies: PolicyFiles, now: dt.datetime) -> bool:
    """Whether its password is filed anew, or matches where nobody is to blame."""
    ids = {f"{of}_ids": [row.subject_id] if of == row.of else [] for of in ("handset", "number", "wechat")}
    found = next(
        (s for s in kit_secrets(session, SYSTEM, policies, now=now, **ids) if s.kind == row.kind), None
    )
    return found is not None and restored(
        row.mismatch_at, row.finding or "", filed_at=found.filed_at, checked_at=found.checked_at,
        matched=found.matched,
    )  # fmt: skip


def make_statement(
    session: Session,
    principal: Principal,
    case_id: uuid.UUID,
    text: str,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> ChangeCase:
    """The butler's own word, until it is decided; for one who has no user the desk writes it down.

    Raise `Forbidden` for anybody else, `Conflict` before he was told or after the decision, `Invalid` for no text.
    """
    row = case_store.find(session, principal, case_id)
    _require_own(session, principal, row)
    if row.told_at is None:
        raise Conflict("还没有通知管家 / he was not told yet", code="round_state")
    body = effective(session, policies, SUBJECT, row.centre_id).body
    values = {"statement": _text(text, "statement"), "stated_by": principal.user, "stated_at": now}
    case_store.move(session, row, CaseEvent.STATE, **values)
    to_decide(session, row, now + body["decide_days"] * DAY, now)
    _note(session, principal.user, row, "state", now)
    return row


def decide(
    session: Session,
    principal: Principal,
    case_id: uuid.UUID,
    *,
    finding: Finding,
    reason: str,
    tools: Tools,
    now: dt.datetime,
) -> ChangeCase:
    """The lead's or operations' word, with a paper. Nobody is blamed before he could say something.

    Raise `Forbidden` for whom it concerns, `Conflict`, `Invalid` without a reason.
    """
    row = case_store.find(session, principal, case_id)
    _require_judge(session, principal, row, now)
    if finding is Finding.UNAUTHORISED and row.employee_id is None:
        raise Conflict("发现时岗位无人，不能认定为擅自更改 / nobody held the post", code="nobody_to_blame")
    body = effective(session, tools.policies, SUBJECT, row.centre_id).body
    blames = finding is Finding.UNAUTHORISED
    case_store.move(
        session, row, CaseEvent.BLAME if blames else CaseEvent.CLEAR, finding=finding,
        reason=_text(reason, "reason"), decided_by=principal.user, decided_at=now,
        appeal_until=now + body["appeal_days"] * DAY if blames else None,
    )  # fmt: skip
    if row.told_at is None:
        row.told_at = now
    row.paper_id = issue_case_paper(session, principal.user, row, tools, now)
    session.flush()
    close_task(session, to_answer_key(row), how="已认定", by=principal.user, now=now)
    tell_decided(session, row, now)
    _note(session, principal.user, row, "decide", now, finding=str(finding), mark=decision_mark(row))
    return row


def appeal(
    session: Session,
    principal: Principal,
    case_id: uuid.UUID,
    text: str,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> ChangeCase:
    """Once, by who was found to blame, within policy's days. Raise as `make_statement`."""
    row = case_store.find(session, principal, case_id)
    _require_own(session, principal, row)
    if row.finding != Finding.UNAUTHORISED or row.appeal_until is None:
        raise Conflict("没有可以申诉的认定 / there is nothing to appeal against", code="round_state")
    if row.state == Case.DECIDED and now >= row.appeal_until:
        raise Conflict("申诉期已过 / the time for an appeal is over", code="too_late")
    body = effective(session, policies, SUBJECT, row.centre_id).body
    case_store.move(session, row, CaseEvent.APPEAL, appeal=_text(text, "appeal"), appealed_at=now)
    tell_appealed(session, row, now + body["decide_days"] * DAY, now)
    _note(session, principal.user, row, "appeal", now)
    return row


def answer(
    session: Session,
    principal: Principal,
    case_id: uuid.UUID,
    *,
    uphold: bool,
    reason: str,
    tools: Tools,
    now: dt.datetime,
) -> ChangeCase:
    """A second person's last word; the paper of the decision is corrected by another. Raise as `decide`."""
    row = case_store.find(session, principal, case_id)
    _require_judge(session, principal, row, now)
    principal.require_person()
    if principal.user == row.decided_by:
        raise Forbidden("要由另一个人复核 / another person answers the appeal", code="second_person")
    finding = Finding.UNAUTHORISED if uphold else Finding.EXPLAINED
    case_store.move(
        session, row, CaseEvent.UPHOLD if uphold else CaseEvent.OVERTURN, finding=finding,
        answer=_text(reason, "reason"), answered_by=principal.user, answered_at=now,
    )  # fmt: skip
    row.paper_id = issue_case_paper(session, principal.user, row, tools, now)
    session.flush()
    close_task(session, to_answer_key(row), how="已复核", by=principal.user, now=now)
    tell_answered(session, row, now)
    _note(session, principal.user, row, "answer", now, finding=str(finding), mark=answer_mark(row))
    return row


def may_judge(session: Session, principal: Principal, row: ChangeCase, now: dt.datetime) -> bool:
    try:
        _require_judge(session, principal, row, now)
    except Forbidden:
        return False
    return True


def may_speak(session: Session, principal: Principal, row: ChangeCase) -> bool:
    """Whether the caller may state or appeal: he whom it concerns, or the desk for one who has no user."""
    try:
        _require_own(session, principal, row)
    except Forbidden:
        return False
    return True


def _require_judge(session: Session, principal: Principal, row: ChangeCase, now: dt.datetime) -> None:
    principal.require_role(row.centre_id, *CHECKERS)
    if principal.employee is None:
        return
    since = row.known_good_at or row.mismatch_at
    held = {person.id for person, *_ in kit_store.holders_between(session, row.post_id, since, now)}
    if principal.employee in held | {row.employee_id}:
        raise Forbidden(
            "您保管过这个号码或微信号，请由他人处理 / you had it: another decides", code="own_kit"
        )


def _require_own(session: Session, principal: Principal, row: ChangeCase) -> None:
    if row.employee_id is not None and principal.employee == row.employee_id:
        return
    principal.require_role(row.centre_id, *CHECKERS)
    if row.employee_id is None or user_of_employee(session, row.employee_id) is not None:
        raise Forbidden("要由管家本人说明 / he has a user: he speaks for himself", code="own_answer")


def _text(text: str, field: str) -> str:
    words = one_line(text, MAX_TEXT)
    if not words:
        raise Invalid("请写明内容 / say it in words", fields=[FieldError(field, "required", "请写明内容")])
    return words


def _note(session: Session, actor: str, row: ChangeCase, verb: str, now: dt.datetime, **details: str) -> None:
    event = AuditEvent(
        at=now, actor=actor, action=f"change_case.{verb}", object=f"change_case:{row.id}", centre_id=row.centre_id,
        details={"secret": str(row.secret_id), "kind": row.kind, **details},
    )  # fmt: skip
    record(session, event)
