"""One appeal, decided by another person than who decided before; and what was lost that is found again."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.hardware import deducting, documents, losing, store
from app.hardware.disposing import note_found
from app.hardware.judging import close_tasks, next_task
from app.hardware.model import HardwareCase, HardwareRepair
from app.hardware.noting import ask, done, tell_person, write_step
from app.hardware.reporting import is_own, require_other, require_own_word
from app.hardware.states import APPEALABLE, Appeal, AppealEvent, Case, CaseEvent, OfferEvent, advance
from app.hardware.tools import FINANCE, MAX_WORDS, REPORTERS, Tools
from app.hardware.verifying import appeal_mark
from app.kernel.errors import Conflict, Forbidden
from app.kernel.money import Fen, format_yuan
from app.kernel.tenancy import Principal
from app.kernel.texts import required


def file_appeal(
    session: Session, principal: Principal, case_id: uuid.UUID, *, words: str, now: dt.datetime
) -> HardwareCase:
    """By the person who is to pay; the desk writes it down for one who has no user. Raise `Conflict` when its time is
    over.
    """
    case = store.find(session, principal, case_id)
    require_own_word(session, principal, case)
    text = required(words, "words", "请写明申诉的理由 / say why", MAX_WORDS)
    if case.state not in APPEALABLE or case.payer != "person":
        raise Conflict("没有可以申诉的决定 / nothing to appeal against", code="hardware_state")
    after = advance(Appeal(case.appeal), AppealEvent.FILE)
    if case.appeal_until is None or now >= case.appeal_until:
        raise Conflict("申诉期已过 / the time to appeal is over", code="too_late")
    store.change(session, case, appeal=after, appeal_words=text, appealed_by=principal.user, appealed_at=now)
    write_step(session, principal, case, "appeal", text, now)
    ask(session, case, "appeal", "决定损坏遗失的申诉", now, body=text)
    return case


def decide_appeal(
    session: Session,
    principal: Principal,
    tools: Tools,
    case_id: uuid.UUID,
    *,
    allow: bool,
    reason: str,
    now: dt.datetime,
) -> HardwareCase:
    """Allowed: the centre pays from now, and all that was taken is given back. By who decided nothing of it before."""
    case = store.find(session, principal, case_id)
    require_other(principal, case)
    words = required(reason, "reason", "请写明决定的理由 / say why")
    order = store.order_of(session, case.id)
    earlier = {case.judged_by, case.appealed_by, order.ordered_by if order else None}
    if principal.user in earlier:
        raise Forbidden(
            "认定、下达扣款或代写申诉的人不能决定申诉 / another person decides", code="second_person"
        )
    if allow:
        _relieve(session, principal, tools, case, words, now)
    after = advance(Appeal(case.appeal), AppealEvent.ALLOW if allow else AppealEvent.DISMISS)
    store.change(
        session, case, appeal=after, appeal_decision=words, appeal_decided_by=principal.user, appeal_decided_at=now
    )  # fmt: skip
    write_step(
        session, principal, case, "appeal_allow" if allow else "appeal_dismiss", words, now, mark=appeal_mark(case)
    )  # fmt: skip
    done(session, case, "appeal", "已决定", principal.user, now)
    documents.issue_damage(session, principal, tools, case, now)
    told = "申诉成立，由中心承担；已扣的全部退回。" if allow else "申诉不成立，原决定不变。"
    tell_person(session, case, "appeal", "申诉已决定", f"{told}理由：{words}", now)
    return case


def _relieve(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, why: str, now: dt.datetime
) -> None:
    advance(Appeal(case.appeal), AppealEvent.ALLOW)  # before any money moves
    deducting.lift(session, principal, tools, case, "申诉成立", now)
    _drop_offer(session, principal, case, "申诉成立，不再需要本人换机", now)
    ends = (
        {"ended_at": case.ended_at or now}
        if case.state in (Case.REPAIRED, Case.REPLACED, Case.DEDUCTING)
        else {}
    )
    store.move(session, case, CaseEvent.RELIEVE, payer="centre", due_on=None, **ends)
    close_tasks(session, case, principal.user, now)
    next_task(session, case, now)
    spent = _spent(session, case)
    if spent:
        body = f"申诉成立，本人已支付 ¥{format_yuan(Fen(spent))}，请凭票据退还。{why}"
        ask(
            session,
            case,
            "refund",
            "退还本人支付的维修或换机费用",
            now,
            roles=FINANCE,
            body=body,
            kind="refund",
        )


def _spent(session: Session, case: HardwareCase) -> int:
    """What the person paid himself, by its receipts, in fen."""
    repairs = store.parts(session, HardwareRepair, case.id)
    own = [
        row
        for row in store.replacements(session, case.id)
        if row.source == "person" and row.state == "accepted"
    ]
    return sum(r.price_fen for r in repairs if r.paid_by == "person") + sum(r.price_fen or 0 for r in own)


def _drop_offer(
    session: Session, principal: Principal, case: HardwareCase, why: str, now: dt.datetime
) -> None:
    row = store.waiting_offer(session, case.id)
    if row is not None:
        store.move_part(
            session, row, OfferEvent.REJECT, decided_by=principal.user, decided_at=now, decision=why
        )


def find_again(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, *, words: str, now: dt.datetime
) -> HardwareCase:
    """The lost phone is back: nobody pays, what was taken is given back, what it asked for ends. Said by another person
    than the one whom it frees.
    """
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *REPORTERS)
    if is_own(principal, case):
        raise Forbidden("要由另一人登记找回 / another person says that it is back", code="own_case")
    if case.kind != "loss":
        raise Conflict("只有遗失才能找回 / it was not lost", code="not_lost")
    text = required(words, "words", "请写明在哪里、怎样找回 / say how", MAX_WORDS)
    replaced = case.new_handset_id is not None
    deducting.lift(session, principal, tools, case, "手机已找回", now)
    _drop_offer(session, principal, case, "手机已找回", now)
    if case.appeal == Appeal.FILED:
        done(session, case, "appeal", "手机已找回", principal.user, now)
    store.move(session, case, CaseEvent.FIND, ended_at=now)
    write_step(session, principal, case, "find", text, now)
    close_tasks(session, case, principal.user, now)
    losing.end(session, case, "手机已找回", principal.user, now)
    if replaced:
        note_found(session, case.handset_id, now)
        _ask_about_new_phone(session, case, now)
    told = "不再需要赔付；已扣的全部退回。"
    tell_person(session, case, "find", "遗失的手机已找回", told, now)
    return case


def _ask_about_new_phone(session: Session, case: HardwareCase, now: dt.datetime) -> None:
    spent = _spent(session, case)
    body = "岗位已换用新机，旧机仍在待销毁清单里。"
    if spent:
        body += f"本人为新机支付了 ¥{format_yuan(Fen(spent))}，请与本人商定退机或报销。"
    ask(
        session,
        case,
        "refund",
        "换机后找回了原机，请决定如何处理",
        now,
        roles=("lead", *FINANCE),
        body=body,
        kind="refund",
    )
