"""What wages pay: one order a case, taken month by month within what finance confirms, given back to the fen."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.allowance import closed_until, money_time
from app.hardware import documents, store
from app.hardware.lives import service_life
from app.hardware.model import DeductionOrder, HardwareCase, Instalment, WageCap
from app.hardware.noting import tell_person, write_step
from app.hardware.rules import Owed, day_of, month_after, month_of, monthly, months_between, owed, take
from app.hardware.states import Appeal, CaseEvent, Order, OrderEvent
from app.hardware.tools import ACCOUNT, FINANCE, Tools
from app.hardware.verifying import order_mark
from app.kernel.errors import Conflict, Forbidden
from app.kernel.money import Fen, format_yuan
from app.kernel.tenancy import Principal
from app.kernel.texts import wrong
from app.ledger import Entry, book, reverse
from app.registry import Handset
from app.tasks import close_task


@dataclass(frozen=True)
class Draft:
    """An order as it is about to be given."""

    owed: Owed
    months: int


def draft(
    session: Session, tools: Tools, case: HardwareCase, invoice_fen: int, months: int | None
) -> Draft | None:
    """What the person is asked for by the policy that he was judged by; None when nothing. Raise `Invalid` for months
    that policy does not let.
    """
    if case.payer != "person":
        return None
    body = _policy(case)
    wanted = months if months is not None else body["deduction_months"]
    if not 1 <= wanted <= body["deduction_months_most"]:
        raise wrong("months", f"最多分 {body['deduction_months_most']} 个月 / too many months")
    life = service_life(session, case.handset_id, policies=tools.policies)
    age = None if life.begins is None else months_between(life.begins, day_of(case.happened_at))
    found = owed(invoice_fen, session.get_one(Handset, case.handset_id).price_fen, age, body)
    return Draft(found, wanted) if found.fen > 0 else None


def _policy(case: HardwareCase) -> Mapping[str, Any]:
    assert case.policy_body is not None  # who pays is told by a policy
    return case.policy_body


def order(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, given: Draft, now: dt.datetime
) -> DeductionOrder:
    """One for a case, for ever; the person may appeal once before the first fen is taken. Internal: rights were
    checked by the purchase.
    """
    assert case.employee_id is not None  # the database lets nobody pay who is not named
    closed = closed_until(session, case.centre_id)
    first = max(month_of(now), month_after(closed)) if closed else month_of(now)
    row = DeductionOrder(
        centre_id=case.centre_id, case_id=case.id, employee_id=case.employee_id, state=Order.OPEN,
        amount_fen=given.owed.fen, monthly_fen=monthly(given.owed.fen, given.months), taken_fen=0, first_month=first,
        basis=asdict(given.owed), ordered_by=principal.user, ordered_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise Conflict("这个事项已下达过扣款单 / one order a case", code="already_ordered") from exc
    if case.appeal == Appeal.NONE:
        until = now + dt.timedelta(days=_policy(case)["appeal_days"])
        store.change(session, case, appeal_until=until)
    amount = format_yuan(Fen(row.amount_fen))
    write_step(
        session,
        principal,
        case,
        "order",
        f"¥{amount}，分 {given.months} 个月",
        now,
        amount_fen=row.amount_fen,
        mark=order_mark(row),
    )
    paper = documents.issue_deduction(session, principal, tools, case, row, now)
    body = (
        f"扣款单 {paper.number}：共 ¥{amount}，每月至多 ¥{format_yuan(Fen(row.monthly_fen))}，从 {first} 起。"
        "每月扣款不超过法定上限，由财务逐月确认；没有确认的月份不扣。"
    )
    tell_person(session, case, "order", "赔付扣款单", body, now)
    return row


@dataclass(frozen=True)
class Confirmed:
    """Finance's word on one month: `cap_fen` is what the person's wage of that month bears in all, `attested` that it
    is within the law's share and leaves the minimum wage.
    """

    month: str
    cap_fen: int
    attested: bool


def confirm_month(
    session: Session, principal: Principal, case_id: uuid.UUID, given: Confirmed, now: dt.datetime
) -> Instalment:
    """Take a month's part, at most what the cap leaves after the person's other orders, and book it.

    By finance, not by who ordered it nor whom it concerns. Raise `Conflict` for a month that was taken, is closed or
    lies ahead, while an appeal may come or waits, and `cap_differs` when the month was confirmed with another cap.
    """
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *FINANCE)
    principal.require_person()
    now = money_time(session, case.centre_id, now)
    order = _open_order(session, case)
    if principal.user == order.ordered_by or principal.employee == order.employee_id:
        raise Forbidden("下达人和本人不能确认扣款 / another person confirms it", code="second_person")
    if not given.attested:
        raise wrong("attested", "请确认不超过法定上限、扣后不低于最低工资")
    _check_month(session, order, given, now)
    store.lock_employee(session, order.employee_id)
    session.refresh(case)
    _check_appeal(case, now)
    cap = _cap(session, principal, order, given, now)
    left = order.amount_fen - order.taken_fen
    cap_left = cap.cap_fen - store.taken_in(session, order.employee_id, given.month)
    fen = take(left, order.monthly_fen, cap_left)
    row = Instalment(
        centre_id=order.centre_id, order_id=order.id, employee_id=order.employee_id, month=given.month, taken_fen=fen,
        confirmed_by=principal.user, confirmed_at=now,
    )  # fmt: skip
    if fen:
        row.entry_id = book(session, principal, _entry(case, order, given.month, fen), now).id
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise _taken(given.month) from exc
    _settle_part(session, principal, case, order, row, now)
    return row


def _open_order(session: Session, case: HardwareCase) -> DeductionOrder:
    order = store.order_of(session, case.id)
    if order is None or order.state != Order.OPEN:
        raise Conflict("没有执行中的扣款单 / no order is open", code="hardware_state")
    return order


def _check_month(session: Session, order: DeductionOrder, given: Confirmed, now: dt.datetime) -> None:
    if not 0 <= given.cap_fen <= 10_000_000:
        raise wrong("cap", "上限须在 0 到 10 万元之间 / out of range")
    closed = closed_until(session, order.centre_id)
    if closed is not None and given.month <= closed:
        raise Conflict(f"{given.month} 已关账 / that month is closed", code="month_closed")
    if not order.first_month <= given.month <= month_of(now):
        raise Conflict(f"只能确认 {order.first_month} 至 {month_of(now)} / not that month", code="month_out")
    if any(part.month == given.month for part in store.instalments(session, order.id)):
        raise _taken(given.month)


def _taken(month: str) -> Conflict:
    return Conflict(f"{month} 已确认过 / that month was taken before", code="already_taken")


def _check_appeal(case: HardwareCase, now: dt.datetime) -> None:
    if case.appeal == Appeal.FILED:
        raise Conflict("申诉还没有决定 / an appeal waits", code="appeal_waits")
    if case.appeal == Appeal.NONE and case.appeal_until is not None and now < case.appeal_until:
        raise Conflict(
            f"申诉期到 {day_of(case.appeal_until)} 为止，之后才能扣款 / he may still appeal",
            code="appeal_open",
        )


def _cap(
    session: Session, principal: Principal, order: DeductionOrder, given: Confirmed, now: dt.datetime
) -> WageCap:
    """One cap for a person's month, whatever orders share it."""
    known = store.cap_of(session, order.employee_id, given.month)
    if known is not None:
        if known.cap_fen != given.cap_fen:
            raise Conflict(
                f"{given.month} 的上限已确认为 ¥{format_yuan(Fen(known.cap_fen))} / confirmed before with another cap",
                code="cap_differs",
            )
        return known
    cap = WageCap(
        centre_id=order.centre_id, employee_id=order.employee_id, month=given.month, cap_fen=given.cap_fen,
        confirmed_by=principal.user, confirmed_at=now,
    )  # fmt: skip
    session.add(cap)
    session.flush()
    return cap


def _entry(case: HardwareCase, order: DeductionOrder, month: str, fen: int) -> Entry:
    return Entry(
        centre_id=order.centre_id, employee_id=order.employee_id, month=month, account=ACCOUNT, amount=Fen(-fen),
        rule="R05", cause=f"hardware:{case.id}:{month}", note="手机赔付扣款",
    )  # fmt: skip


def _settle_part(
    session: Session,
    principal: Principal,
    case: HardwareCase,
    order: DeductionOrder,
    part: Instalment,
    now: dt.datetime,
) -> None:
    taken = order.taken_fen + part.taken_fen
    words = f"{part.month} 扣款 ¥{format_yuan(Fen(part.taken_fen))}，累计 ¥{format_yuan(Fen(taken))}"
    write_step(session, principal, case, "take", words, now, month=part.month, fen=part.taken_fen)
    close_task(session, task_key(order, part.month), how=words, by=principal.user, now=now)
    tell_person(session, case, "take", f"{part.month} 赔付扣款", f"{words}。", now, last=part.month)
    if taken < order.amount_fen:
        store.set_taken(session, order, taken)
        return
    store.move_order(session, order, OrderEvent.SETTLE, taken_fen=taken, ended_at=now)
    store.move(session, case, CaseEvent.SETTLE, ended_at=now)
    write_step(session, principal, case, "settle", "扣款完成", now)


def task_key(order: DeductionOrder, month: str) -> str:
    """Of the task that asks finance to confirm a month."""
    return f"hardware.deduct:{order.id}:{month}"


def lift(
    session: Session, principal: Principal, tools: Tools, case: HardwareCase, why: str, now: dt.datetime
) -> int:
    """Give back all that an order took, to the fen, and end it; the fen given back. 0 without an order.

    Internal: the caller has checked rights and moves the case.
    """
    if store.order_of(session, case.id) is None:
        return 0
    now = money_time(session, case.centre_id, now)
    order = store.order_of(session, case.id)
    assert order is not None
    given_back = 0
    for part in store.instalments(session, order.id):
        if part.entry_id is not None and part.reversal_id is None:
            part.reversal_id = reverse(session, principal, part.entry_id, f"撤销赔付扣款：{why}", now).id
            given_back += part.taken_fen
    session.flush()
    store.move_order(session, order, OrderEvent.LIFT, ended_at=now)
    for month in _months(order, now):
        close_task(session, task_key(order, month), how="扣款单已撤销", by=principal.user, now=now)
    said = f"{why}；已退回 ¥{format_yuan(Fen(given_back))}"
    write_step(session, principal, case, "lift", said, now, fen=given_back)
    documents.correct_deduction(session, principal, tools, case, order, now)
    return given_back


def _months(order: DeductionOrder, now: dt.datetime) -> list[str]:
    month, found = order.first_month, []
    while month <= month_of(now):
        found.append(month)
        month = month_after(month)
    return found
