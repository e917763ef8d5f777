"""What it was, who answers, who pays: one decision, by policy, within or beyond the two years (R05)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.hardware import documents, store
from app.hardware.lives import service_life
from app.hardware.model import HardwareCase
from app.hardware.noting import ask, done, keep_photos, tell_person, write_step
from app.hardware.reporting import require_other
from app.hardware.rules import day_of
from app.hardware.states import Case, CaseEvent, advance
from app.hardware.tools import CAUSES, MAX_PHOTOS, MAX_WORDS, SUBJECT, Tools
from app.hardware.verifying import finding_mark
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.kernel.tenancy import Principal
from app.kernel.texts import required, wrong
from app.policy import Policy, effective
from app.registry import Employee

WAYS: Mapping[str, str] = {"repair": "送修", "replace": "无法修复，换机"}


@dataclass(frozen=True)
class Finding:
    """`way`: `repair`, or `replace` for what cannot be mended; a loss is always replaced. `employee_id`: another
    person than the custody says, with `employee_why`.
    """

    cause: str
    words: str
    way: str = "repair"
    photos: tuple[bytes, ...] = ()
    employee_id: uuid.UUID | None = None
    employee_why: str = ""


def payer_of(
    cause: str, employee_id: uuid.UUID | None, within_life: bool | None, policy: Mapping[str, Any]
) -> str:
    """`person` only for human damage or loss, by a person who is known, in a time of service that is known."""
    if cause != "human" or employee_id is None or within_life is None:
        return "centre"
    return "person" if within_life else str(policy["beyond_life"])


def judge(
    session: Session,
    principal: Principal,
    tools: Tools,
    case_id: uuid.UUID,
    finding: Finding,
    now: dt.datetime,
) -> HardwareCase:
    """Decide it. By lead or operations, not by whom it concerns. A person is told to pay only after his statement, or
    when policy's days for it are over: else `Conflict` `statement_first`.
    """
    case = store.find(session, principal, case_id)
    require_other(principal, case)
    if finding.cause not in CAUSES or finding.way not in WAYS:
        raise wrong("cause", "请选择原因和处理方式")
    words = required(finding.words, "words", "请写明依据 / say on what evidence", MAX_WORDS)
    person, why = _person(session, principal, case, finding)
    policy = effective(session, tools.policies, SUBJECT, case.centre_id)
    life = service_life(session, case.handset_id, policies=tools.policies).covers(day_of(case.happened_at))
    payer = payer_of(finding.cause, person, life, policy.body)
    event, earlier = _event(case, finding, payer), case.employee_id
    advance(Case(case.state), event)
    if payer == "person":
        _heard(principal, case, person, policy, now)
    demanded = payer == "person" and (case.kind == "loss" or finding.way == "replace")
    store.move(
        session, case, event, employee_id=person, answers_why=why, cause=finding.cause,
        finding=words, finding_photos=keep_photos(session, tools, finding.photos, MAX_PHOTOS, now), payer=payer,
        within_life=life, judged_by=principal.user, judged_at=now, policy_version=policy.version,
        policy_sha256=policy.sha256, policy_body=dict(policy.body),
        due_on=day_of(now) + dt.timedelta(days=policy.body["replacement_days"]) if demanded else None,
        appeal_until=now + dt.timedelta(days=policy.body["appeal_days"]) if payer == "person" else None,
    )  # fmt: skip
    write_step(
        session, principal, case, "judge", words, now, cause=finding.cause, payer=payer, within_life=life,
        employee=str(person) if person else None, policy=policy.sha256, mark=finding_mark(case),
    )  # fmt: skip
    done(session, case, "judge", "已认定", principal.user, now)
    next_task(session, case, now)
    documents.issue_damage(session, principal, tools, case, now)
    tell_person(session, case, "judge", "损坏遗失已认定", documents.verdict_text(case), now)
    if earlier not in (None, person):
        body = "认定由他人负责，您不承担费用。"
        tell_person(session, case, "cleared", "损坏遗失已认定", body, now, whom=earlier)
    return case


def _person(
    session: Session, principal: Principal, case: HardwareCase, finding: Finding
) -> tuple[uuid.UUID | None, str]:
    if finding.employee_id is None or finding.employee_id == case.employee_id:
        return case.employee_id, case.answers_why
    person = session.get(Employee, finding.employee_id)
    if person is None or not principal.sees(person.centre_id):
        raise NotFound("没有这位员工 / no such employee")
    if principal.employee == person.id:
        raise Forbidden("不能决定自己的事项 / not one's own case", code="own_case")
    reason = required(
        finding.employee_why, "employee_why", "改由他人负责时请写明理由 / say why another answers"
    )
    return person.id, f"认定由 {person.name} 负责：{reason}（登记时：{case.answers_why}）"[:500]


def _heard(
    principal: Principal, case: HardwareCase, person: uuid.UUID | None, policy: Policy, now: dt.datetime
) -> None:
    opens = case.created_at + dt.timedelta(days=policy.body["statement_days"])
    # Who decides has not heard anybody by what he himself wrote down for him.
    stated = case.statement is not None and person == case.employee_id and case.stated_by != principal.user
    if not stated and now < opens:
        raise Conflict(
            f"本人还没有陈述，{policy.body['statement_days']} 天内不能认定由本人承担 / he is heard first",
            code="statement_first",
        )


def _event(case: HardwareCase, finding: Finding, payer: str) -> CaseEvent:
    if case.kind == "damage" and finding.way == "repair":
        return CaseEvent.JUDGE_REPAIR
    return CaseEvent.JUDGE_PERSON if payer == "person" else CaseEvent.JUDGE_CENTRE


def next_task(session: Session, case: HardwareCase, now: dt.datetime) -> None:
    """What the state that a case has come to asks of people."""
    if case.state == Case.REPAIR:
        ask(session, case, "repair", "送修并登记维修结果", now)
    elif case.state == Case.BUYING:
        ask(session, case, "buy", "由中心购买新机", now)
    elif case.state == Case.OFFERED:
        ask(session, case, "offer", "核对本人购买的新机", now)


def close_tasks(session: Session, case: HardwareCase, by: str, now: dt.datetime) -> None:
    """Nothing of the way so far is asked any more."""
    for what in ("judge", "repair", "buy", "offer", "due"):
        done(session, case, what, "已处理", by, now)
