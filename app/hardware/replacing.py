"""A new phone for the old one: brought by the person and compared, or bought by the centre (R05)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.hardware import deducting, losing, store
from app.hardware.comparing import Compared, Specification, overall, specification_table
from app.hardware.judging import close_tasks, next_task
from app.hardware.kits import NewPhone, move_kit
from app.hardware.lives import specification_of
from app.hardware.model import HardwareCase, HardwareReplacement
from app.hardware.noting import keep_photos, tell_person, write_step
from app.hardware.repairing import MAX_FEN
from app.hardware.reporting import is_own, require_other, require_own_word, require_person_or_desk
from app.hardware.rules import day_of
from app.hardware.states import CaseEvent, Offer, OfferEvent
from app.hardware.tools import MAX_PHOTOS, SUBJECT, Tools
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.policy import effective
from app.registry import Handset


@dataclass(frozen=True)
class Offered:
    """`price_fen` None where the person does not say; the centre's own purchase has one, with the invoice's photo."""

    phone: NewPhone
    price_fen: int | None = None
    invoice_number: str = ""
    photos: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Purchase:
    """`asset_tag`: of the new phone. `months`: over how many a deduction is spread, None: policy's."""

    offered: Offered
    asset_tag: str
    months: int | None = field(default=None)


def offer(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, given: Offered, now: dt.datetime
) -> HardwareReplacement:
    """The person's new phone, entered by him or for him: it waits for another person's comparison."""
    case = store.find(session, principal, case_id)
    require_person_or_desk(principal, case)
    if given.price_fen is not None and not 0 < given.price_fen <= MAX_FEN:
        raise wrong("price", "金额须大于 0 且不超过 10 万元 / out of range")
    store.move(session, case, CaseEvent.OFFER)
    row = _row(session, principal, tools, case, given, "person", now)
    close_tasks(session, case, principal.user, now)
    next_task(session, case, now)
    write_step(session, principal, case, "offer", _named(given.phone), now, verdict=row.verdict)
    return row


def _row(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, given: Offered, source: str,
    now: dt.datetime,
) -> HardwareReplacement:  # fmt: skip
    lines = compare(session, tools, case, given.phone)
    row = HardwareReplacement(
        centre_id=case.centre_id, case_id=case.id, source=source, state=Offer.WAITING, phone=given.phone.plain(),
        price_fen=given.price_fen, invoice_number=one_line(given.invoice_number, 60) or None,
        photos=keep_photos(session, tools, given.photos, MAX_PHOTOS, now), compared=[asdict(line) for line in lines],
        verdict=overall(lines), offered_by=principal.user, offered_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def compare(session: Session, tools: Tools, case: HardwareCase, phone: NewPhone) -> list[Compared]:
    """The new phone against the original, as both are recorded now."""
    old = specification_of(session.get_one(Handset, case.handset_id))
    body: Mapping[str, Any] = effective(session, tools.policies, SUBJECT, case.centre_id).body
    new = Specification(phone.brand, phone.model, dict(phone.specification))
    return specification_table(old, new, required=body["compared"], brand_names=body["brand_names"])


def accept(
    session: Session,
    principal: Principal,
    tools: Tools,
    case_id: uuid.UUID,
    *,
    asset_tag: str,
    reason: str,
    now: dt.datetime,
) -> HardwareCase:
    """By another person than who offered it. What is lower is not accepted; an unknown only with a reason."""
    case, row = _waiting(session, principal, case_id)
    phone = NewPhone.of(row.phone)
    lines = compare(session, tools, case, phone)
    verdict = overall(lines)
    if verdict == "lower":
        raise Conflict("新机低于原机或不是同一品牌，不能接受（R05）/ lower than the original", code="lower")
    words = one_line(reason, 500)
    if verdict == "unknown" and not words:
        raise wrong("reason", "有无法比较的项目，请写明为什么接受 / say why the unknown is taken")
    new = move_kit(session, principal, case, phone, asset_tag, now, price_fen=row.price_fen)
    compared = [asdict(line) for line in lines]
    store.move_part(
        session, row, OfferEvent.ACCEPT, decided_by=principal.user, decided_at=now, decision=words or None,
        handset_id=new.id, compared=compared, verdict=verdict,
    )  # fmt: skip
    store.move(session, case, CaseEvent.ACCEPT, new_handset_id=new.id, ended_at=now)
    write_step(session, principal, case, "accept", words or _named(phone), now, handset_new=str(new.id))
    close_tasks(session, case, principal.user, now)
    losing.end(session, case, "已换机", principal.user, now)
    tell_person(
        session, case, "accept", "新机已接受", f"{_named(phone)} 已登记为 {new.asset_tag}，事项结束。", now
    )
    return case


def reject(
    session: Session, principal: Principal, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HardwareCase:
    """It does not do: another is to be brought by the same date. Says why."""
    case, row = _waiting(session, principal, case_id)
    words = required(reason, "reason", "请写明退回的原因 / say why")
    store.move_part(
        session, row, OfferEvent.REJECT, decided_by=principal.user, decided_at=now, decision=words
    )
    store.move(session, case, CaseEvent.REJECT)
    write_step(session, principal, case, "reject", words, now)
    close_tasks(session, case, principal.user, now)
    tell_person(
        session, case, "reject", "新机被退回", f"原因：{words}。请在 {case.due_on} 前另行提供。", now, last=str(row.id)
    )  # fmt: skip
    return case


def _waiting(
    session: Session, principal: Principal, case_id: uuid.UUID
) -> tuple[HardwareCase, HardwareReplacement]:
    case = store.find(session, principal, case_id)
    require_other(principal, case)
    row = store.waiting_offer(session, case.id)
    if row is None:
        raise Conflict("没有等待核对的新机 / no phone waits", code="hardware_state")
    if row.offered_by == principal.user:
        raise Forbidden("提交人不能自己核对 / another person compares it", code="second_person")
    return case, row


def refuse(
    session: Session, principal: Principal, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HardwareCase:
    """The centre is to buy: the person says that he will not. Staff say so with their reason when his time is over, or
    for one who has no user.
    """
    case = store.find(session, principal, case_id)
    require_person_or_desk(principal, case)
    own, overdue = is_own(principal, case), case.due_on is not None and day_of(now) > case.due_on
    if not overdue:
        require_own_word(session, principal, case)
    words = one_line(reason, 500) or ("本人选择由中心购买并扣款" if own else "")
    if not words and overdue:
        words = f"到 {case.due_on} 没有提供新机"
    words = required(words, "reason", "期限未到，请写明本人的意思 / say what he said")
    store.move(session, case, CaseEvent.CENTRE_BUYS)
    write_step(session, principal, case, "refuse", words, now)
    close_tasks(session, case, principal.user, now)
    next_task(session, case, now)
    tell_person(
        session, case, "refuse", "转由中心购机", f"{words}。中心购机后按发票下达扣款单，您可以申诉一次。", now
    )
    return case


def buy(
    session: Session,
    principal: Principal,
    tools: Tools,
    case_id: uuid.UUID,
    given: Purchase,
    now: dt.datetime,
) -> HardwareCase:
    """The centre's purchase with its invoice; where the person pays, the deduction order comes of it in the same act.

    Raise as `deducting.order`, and `Invalid` without price or photo of the invoice.
    """
    case = store.find(session, principal, case_id)
    require_other(principal, case)
    offered = given.offered
    if offered.price_fen is None or not 0 < offered.price_fen <= MAX_FEN:
        raise wrong("price", "请填写发票金额 / the invoice's price is required")
    if not offered.photos:
        raise wrong("photos", "请上传发票照片 / the invoice is required")
    order = deducting.draft(session, tools, case, offered.price_fen, given.months)
    row = _row(session, principal, tools, case, offered, "centre", now)
    new = move_kit(session, principal, case, offered.phone, given.asset_tag, now, price_fen=offered.price_fen)
    store.move_part(
        session, row, OfferEvent.ACCEPT, decided_by=principal.user, decided_at=now, handset_id=new.id
    )
    said = f"{_named(offered.phone)}，登记为 {new.asset_tag}"
    if order is None:
        store.move(session, case, CaseEvent.BOUGHT, new_handset_id=new.id, ended_at=now)
    else:
        store.move(session, case, CaseEvent.BOUGHT_DEDUCT, new_handset_id=new.id)
    write_step(
        session, principal, case, "buy", said, now, price_fen=offered.price_fen, handset_new=str(new.id)
    )
    close_tasks(session, case, principal.user, now)
    losing.end(session, case, "已换机", principal.user, now)
    if order is not None:
        deducting.order(session, principal, tools, case, order, now)
    return case


def _named(phone: NewPhone) -> str:
    return f"{phone.brand} {phone.model}（序列号 {phone.serial}）"
