"""A shop's work, and what follows when it could not be mended."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.hardware import store
from app.hardware.judging import close_tasks, next_task
from app.hardware.model import HardwareCase, HardwareRepair
from app.hardware.noting import keep_photos, tell_person, write_step
from app.hardware.rules import day_of
from app.hardware.states import CaseEvent
from app.hardware.tools import MAX_PHOTOS, REPORTERS, Tools
from app.kernel.errors import Conflict, Forbidden
from app.kernel.money import Fen, format_yuan
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong

RESULTS: Mapping[str, str] = {"repaired": "已修好", "beyond_repair": "无法修复"}
MAX_FEN = 10_000_000


@dataclass(frozen=True)
class Repair:
    shop: str
    done_on: dt.date
    price_fen: int
    result: str
    words: str = ""
    photos: tuple[bytes, ...] = ()


def record_repair(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, given: Repair, now: dt.datetime
) -> HardwareCase:
    """By staff, not by whom it concerns. A price that somebody pays needs a photo of the receipt. Beyond repair: the
    one who pays is to replace it from now.
    """
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *REPORTERS)
    if principal.employee is not None and principal.employee == case.employee_id:
        raise Forbidden("不能登记自己的维修 / not one's own", code="own_case")
    shop = required(given.shop, "shop", "请填写维修商 / the shop is required", 200)
    if given.result not in RESULTS:
        raise wrong("result", "请选择维修结果")
    if not 0 <= given.price_fen <= MAX_FEN:
        raise wrong("price", "金额须在 0 到 10 万元之间 / out of range")
    if given.done_on > day_of(now):
        raise wrong("done_on", "日期不能在将来 / lies ahead")
    if given.price_fen and not given.photos:
        raise wrong("photos", "请拍下维修票据 / the receipt is required")
    if case.payer is None:
        raise Conflict("还没有认定 / it is not decided yet", code="hardware_state")
    session.add(
        HardwareRepair(
            centre_id=case.centre_id, case_id=case.id, shop=shop, done_on=given.done_on, price_fen=given.price_fen,
            paid_by=case.payer, result=given.result, words=one_line(given.words, 500),
            photos=keep_photos(session, tools, given.photos, MAX_PHOTOS, now), recorded_by=principal.user,
            recorded_at=now,
        )
    )  # fmt: skip
    told = f"{shop}：{RESULTS[given.result]}，¥{format_yuan(Fen(given.price_fen))}"
    if given.result == "repaired":
        store.move(session, case, CaseEvent.REPAIRED, ended_at=now)
    elif case.payer == "person":
        assert case.policy_body is not None  # it was judged
        due = day_of(now) + dt.timedelta(days=case.policy_body["replacement_days"])
        store.move(session, case, CaseEvent.BEYOND_PERSON, due_on=due)
    else:
        store.move(session, case, CaseEvent.BEYOND_CENTRE)
    write_step(session, principal, case, "repair", told, now, price_fen=given.price_fen, result=given.result)
    close_tasks(session, case, principal.user, now)
    next_task(session, case, now)
    tell_person(session, case, "repair", f"维修结果：{RESULTS[given.result]}", _consequence(case, told), now)
    return case


def _consequence(case: HardwareCase, told: str) -> str:
    if case.payer != "person":
        return f"{told}。费用由中心承担。"
    if case.due_on is None:
        return f"{told}。费用由您承担。"
    return f"{told}。请在 {case.due_on} 前提供同品牌、不低于原配置的新机；也可以选择由中心购买并从工资中分期扣除。"
