"""A case begins: reported, stated upon, taken back."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.hardware import losing, store
from app.hardware.answering import Answers, answers_at, may_report_own
from app.hardware.differing import answers_of, condition_labels, liable_changes, plain, reported
from app.hardware.model import HardwareCase
from app.hardware.noting import ask, done, keep_photos, tell_person, write_step
from app.hardware.states import Case, CaseEvent
from app.hardware.tools import DECIDERS, KINDS, MAX_PHOTOS, MAX_WORDS, REPORTERS, SUBJECT, Tools, case_path
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.people import user_of_employee
from app.policy import effective
from app.registry import find_handset


@dataclass(frozen=True)
class Report:
    """`happened_at`: when it was found, or last had; custody is told by it. `photos`: JPEG bytes as taken in.

    With `leg_id` it comes of a handover's difference: `items` are the keys of its changes, in whose custody they came
    about.
    """

    handset_id: uuid.UUID
    kind: str
    happened_at: dt.datetime
    words: str
    photos: tuple[bytes, ...] = ()
    police_number: str = ""
    leg_id: uuid.UUID | None = None
    items: tuple[str, ...] = ()


def report(
    session: Session, principal: Principal, tools: Tools, given: Report, now: dt.datetime
) -> HardwareCase:
    """Open a case, ask for its decision, and for a lost phone all that must be done at once.

    By staff, or by who answers for the phone now. Raise `Invalid`, `NotFound`, `Forbidden`, `Conflict` `case_runs` when
    another case of the phone is not over.
    """
    handset = find_handset(session, principal, given.handset_id)
    if not principal.may(handset.centre_id, *REPORTERS):
        own = principal.employee
        if own is None or not may_report_own(session, handset.id, own, now):
            raise Forbidden("只能报告自己保管的手机 / only the phone that you answer for", code="not_yours")
    if given.kind not in KINDS:
        raise wrong("kind", "请选择损坏或遗失")
    if given.happened_at > now:
        raise wrong("happened_at", "时间不能在将来 / lies ahead")
    words = required(given.words, "words", "请写明情况 / say what happened", MAX_WORDS)
    other = store.running(session, handset.id)
    if other is not None:
        raise _runs(other)
    answers, items = _answers(session, principal, tools, given, handset.centre_id)
    case = HardwareCase(
        centre_id=handset.centre_id, handset_id=handset.id, post_id=answers.post_id, kind=given.kind,
        state=Case.REPORTED, happened_at=given.happened_at, words=words, items=items,
        photos=keep_photos(session, tools, given.photos, MAX_PHOTOS, now), leg_id=given.leg_id,
        reported_by=principal.user, created_at=now, employee_id=answers.employee_id, answers_why=answers.why,
        police_number=one_line(given.police_number, 60) or None, disputed=False, finding_photos=[], appeal="none",
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(case)
    except IntegrityError as exc:  # reported by another in this very moment
        found = store.running(session, handset.id)
        raise (_runs(found) if found else exc) from exc
    write_step(session, principal, case, "report", words, now, kind=given.kind, answers=answers.why)
    days = effective(session, tools.policies, SUBJECT, case.centre_id).body["judge_days"]
    ask(
        session, case, "judge", f"认定手机{KINDS[case.kind]}", now, body=words, due_at=now + dt.timedelta(days=days)
    )  # fmt: skip
    tell_person(session, case, "report", f"手机{KINDS[case.kind]}登记", _asked(answers), now)
    if case.kind == "loss":
        losing.begin(session, tools, case, now)
    return case


def _answers(
    session: Session, principal: Principal, tools: Tools, given: Report, centre_id: uuid.UUID
) -> tuple[Answers, list[dict[str, Any]]]:
    held = answers_at(session, given.handset_id, given.happened_at)
    if given.leg_id is None:
        return held, []
    changes = [
        c for c in liable_changes(session, principal, given.leg_id, given.handset_id) if c.key in given.items
    ]
    if not changes:
        raise wrong("items", "请选择交接差异中的项目 / choose what differs")
    for case in reported(session, given.handset_id, changes).values():
        raise Conflict(
            f"选中的差异已登记过，见 {case_path(case.id)} / one of them was reported before",
            code="reported_before",
        )
    labels = condition_labels(session, tools.policies, centre_id)
    return answers_of(changes, held.post_id), [plain(change, labels) for change in changes]


def _asked(answers: Answers) -> str:
    return f"{answers.why}。请说明情况；认定之前您可以陈述，认定之后可以申诉一次。"


def _runs(other: HardwareCase) -> Conflict:
    return Conflict(
        f"这台手机已有未结束的事项，见 {case_path(other.id)} / a case of this phone is not over",
        code="case_runs",
    )


def state_view(
    session: Session,
    principal: Principal,
    case_id: uuid.UUID,
    *,
    words: str,
    disputed: bool,
    now: dt.datetime,
) -> HardwareCase:
    """What the person says of it, once; the desk writes it down for one who has no user. `disputed`: that it was not he
    who had it.

    Only while nothing is decided. Raise `Conflict` after that.
    """
    case = store.find(session, principal, case_id)
    require_own_word(session, principal, case)
    text = required(words, "words", "请写明您的陈述 / say your view", MAX_WORDS)
    if case.state != Case.REPORTED:
        raise Conflict("已经认定，可以申诉 / it is decided: appeal", code="hardware_state")
    if case.statement is not None:
        raise Conflict("已有陈述 / a statement stands already", code="stated")
    store.change(session, case, statement=text, stated_by=principal.user, stated_at=now, disputed=disputed)
    write_step(session, principal, case, "state", text, now, disputed=disputed)
    return case


def require_person_or_desk(principal: Principal, case: HardwareCase) -> None:
    """Raise `Forbidden` unless it is his own case, or he writes it down for him at the desk."""
    if not is_own(principal, case):
        principal.require_role(case.centre_id, *DECIDERS)


def require_own_word(session: Session, principal: Principal, case: HardwareCase) -> None:
    """Raise `Forbidden` for who would speak for a person that can sign in himself: he has one statement, one appeal."""
    require_person_or_desk(principal, case)
    if not is_own(principal, case) and has_user(session, case):
        raise Forbidden("要由本人办理 / he has a user: he speaks for himself", code="own_answer")


def is_own(principal: Principal, case: HardwareCase) -> bool:
    return case.employee_id is not None and principal.employee == case.employee_id


def has_user(session: Session, case: HardwareCase) -> bool:
    """Whether he who answers can sign in himself."""
    return case.employee_id is not None and user_of_employee(session, case.employee_id) is not None


def require_other(principal: Principal, case: HardwareCase) -> None:
    """Raise `Forbidden` for who decides on himself, and for a token that is nobody."""
    principal.require_role(case.centre_id, *DECIDERS)
    principal.require_person()
    if principal.employee is not None and principal.employee == case.employee_id:
        raise Forbidden("不能决定自己的事项 / not one's own case", code="own_case")


def drop(
    session: Session, principal: Principal, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HardwareCase:
    """Reported by mistake, or nothing came of it: nobody pays. Says why."""
    case = store.find(session, principal, case_id)
    require_other(principal, case)
    words = required(reason, "reason", "请写明撤销的原因 / say why")
    store.move(session, case, CaseEvent.DROP, ended_at=now)
    write_step(session, principal, case, "cancel", words, now)
    for what in ("judge", "repair", "appeal"):
        done(session, case, what, "事项已撤销", principal.user, now)
    losing.end(session, case, "事项已撤销", principal.user, now)
    tell_person(session, case, "drop", "事项已撤销", f"原因：{words}。您不承担费用。", now)
    return case
