"""This room's part of a life: cases, new phones, disposals, deductions."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from app.hardware import store
from app.hardware.disposing import CAUSES as DISPOSAL_CAUSES
from app.hardware.documents import PAYERS, yuan
from app.hardware.model import DeductionOrder, Disposal, HardwareCase
from app.hardware.states import ORDER_WORDS, WORDS
from app.hardware.tools import CAUSES, KINDS, case_path
from app.kernel.tenancy import Principal, within
from app.kernel.timeline import LifeEvent, Subject
from app.registry import Handset

ROOM = "hardware"
_MOST = 200


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Of a phone (as the old or the new one), a post or a person; nothing of numbers and accounts."""
    query = select(HardwareCase).where(store.visible(principal), _about(subject)).order_by(HardwareCase.id)
    cases = session.scalars(query.limit(_MOST)).all()
    orders = store.orders_of(session, [case.id for case in cases])
    phones = store.rows_of(session, Handset, [i for c in cases for i in (c.handset_id, c.new_handset_id)])
    events = [
        event
        for case in cases
        for event in _of_case(case, orders.get(case.id), {i: row.asset_tag for i, row in phones.items()})
    ]
    if subject.kind == "handset":
        events += _disposals(session, principal, subject)
    return sorted(events, key=lambda event: event.at)


def _about(subject: Subject) -> ColumnElement[bool]:
    if subject.kind == "handset":
        return or_(HardwareCase.handset_id == subject.id, HardwareCase.new_handset_id == subject.id)
    if subject.kind == "post":
        return HardwareCase.post_id == subject.id
    if subject.kind == "employee":
        return HardwareCase.employee_id == subject.id
    return false()


def _of_case(case: HardwareCase, order: DeductionOrder | None, tags: dict[object, str]) -> list[LifeEvent]:
    link, what = case_path(case.id), f"{KINDS[case.kind]} {tags[case.handset_id]}"
    said = f"{case.words}　{WORDS[case.state]}"
    found = [LifeEvent(case.happened_at, f"手机{what}", said, link, ROOM, case.ended_at)]
    if case.judged_at is not None:
        detail = f"{CAUSES[case.cause or 'unknown']}，{PAYERS[case.payer or 'centre']}"
        found.append(LifeEvent(case.judged_at, f"认定：{what}", detail, link, ROOM))
    replaced_at = order.ordered_at if order is not None else case.ended_at
    if case.new_handset_id is not None and replaced_at is not None:
        told = f"换机：{tags[case.new_handset_id]} 接替 {tags[case.handset_id]}"
        found.append(LifeEvent(replaced_at, told, "", link, ROOM))
    if order is not None:
        detail = f"{yuan(order.amount_fen)}，{ORDER_WORDS[order.state]}，已扣 {yuan(order.taken_fen)}"
        found.append(LifeEvent(order.ordered_at, "下达赔付扣款单", detail, link, ROOM, order.ended_at))
    return found


def _disposals(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    query = select(Disposal).where(Disposal.handset_id == subject.id, within(principal, Disposal.centre_id))
    return [
        LifeEvent(
            row.ordered_at,
            f"列入待销毁：{DISPOSAL_CAUSES[row.cause]}",
            row.reason,
            row.source,
            ROOM,
            row.ended_at,
        )
        for row in session.scalars(query.order_by(Disposal.id).limit(_MOST))
    ]
