"""The approved phone is bought and takes the old one's place; the old one waits to be destroyed (R06)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.contracts import work_store
from app.contracts.model import ReplacementRequest
from app.contracts.request_service import find_request, needed_reason, next_task, note_request
from app.contracts.rules import MAX_FEN, local_day, plain_name
from app.contracts.states import RequestEvent as Event
from app.contracts.words import request_task
from app.hardware import order_disposal, out_of_use, specification_of, specification_table
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.money import format_yuan
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective
from app.registry import RESOURCES, Handset, end_tie, find_handset, holder_of, tie, ties_of
from app.tasks import close_task

BUYERS = ("operations",)


@dataclass(frozen=True)
class Bought:
    """The new phone as it is registered, and its invoice; `note` says why it is another than was approved."""

    handset_id: uuid.UUID
    bought_fen: int
    bought_on: dt.date
    invoice_number: str = ""
    note: str = ""


def buy(
    session: Session,
    principal: Principal,
    request_id: uuid.UUID,
    bought: Bought,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> ReplacementRequest:
    """Say which phone was bought. It is registered, of this centre and nobody's, and no dearer than was approved.

    Raise `Invalid` with the fields, `Conflict` (`over_approved`, `phone_used`).
    """
    row = find_request(session, principal, request_id)
    principal.require_role(row.centre_id, *BUYERS)
    handset = _new_phone(session, principal, row, bought.handset_id, now)
    note = one_line(bought.note, 500)
    _check(row, handset, bought, note, now)
    policy = effective(session, policies, "hardware", row.centre_id).body
    lines = specification_table(
        specification_of(find_handset(session, principal, row.handset_id)), specification_of(handset),
        required=policy["compared"], brand_names=policy["brand_names"],
    )  # fmt: skip
    changes: dict[str, Any] = {
        "new_handset_id": handset.id, "bought_fen": bought.bought_fen, "bought_on": bought.bought_on,
        "bought_by": principal.user, "invoice_number": one_line(bought.invoice_number, 60) or None,
        "compared": [asdict(line) for line in lines], "updated_at": now,
    }  # fmt: skip
    try:
        with session.begin_nested():
            work_store.move_request(session, row, Event.BUY, **changes)
    except IntegrityError as exc:
        raise _used() from exc
    details = {"new_handset": str(handset.id), "bought_fen": bought.bought_fen}
    note_request(session, principal, row, "buy", now, note, details)
    close_task(session, request_task(row.id), how="已购买", by=principal.user, now=now)
    next_task(session, principal, row, "换上新手机", BUYERS, now)
    return row


def _new_phone(
    session: Session, principal: Principal, row: ReplacementRequest, handset_id: uuid.UUID, now: dt.datetime
) -> Handset:
    handset = find_handset(session, principal, handset_id)
    if handset.centre_id != row.centre_id or handset.retired_at is not None or handset.id == row.handset_id:
        raise NotFound("本服务中心没有这台新手机 / no such new phone in this centre")
    if _ties_at(session, handset.id, now):
        raise _used()
    if session.scalar(select(Handset.id).where(Handset.id == handset.id, Handset.id.in_(out_of_use()))):
        text = (
            "这台手机在待销毁清单里，或者有没办完的损坏遗失 / it waits to be destroyed, or is broken or lost"
        )
        raise Conflict(text, code="phone_used")
    return handset


def _used() -> Conflict:
    return Conflict("这台手机已属于别的岗位或申请 / the phone is used already", code="phone_used")


def _check(row: ReplacementRequest, handset: Handset, bought: Bought, note: str, now: dt.datetime) -> None:
    problems = []
    if not 0 < bought.bought_fen <= MAX_FEN:
        problems.append(FieldError("bought_fen", "range", "价格须大于 0 且不超过 10 万元 / out of range"))
    if bought.bought_on > local_day(now):
        problems.append(FieldError("bought_on", "future", "购买日期不能在将来 / the day lies ahead"))
    other = plain_name(handset.brand + handset.model) != plain_name(row.brand + row.model)
    if other and not note:
        text = f"与批准的 {row.brand} {row.model} 不同，请写明原因 / another phone than approved: say why"
        problems.append(FieldError("note", "required", text))
    if problems:
        raise Invalid("购买信息不正确 / this will not do", fields=problems)
    if bought.bought_fen > row.price_fen:
        text = f"超过批准的 ¥{format_yuan(row.price_fen)}，请取消后重新申请 / dearer than was approved"
        raise Conflict(text, code="over_approved")


def undo_buy(
    session: Session, principal: Principal, request_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> ReplacementRequest:
    """The purchase was entered wrongly, or the phone went back to the shop, before it took the old one's place."""
    row = find_request(session, principal, request_id)
    principal.require_role(row.centre_id, *BUYERS)
    words = needed_reason(reason)
    work_store.move_request(
        session, row, Event.UNDO_BUY, new_handset_id=None, bought_fen=None, bought_on=None, bought_by=None,
        invoice_number=None, updated_at=now,
    )  # fmt: skip
    note_request(session, principal, row, "undo_buy", now, words)
    close_task(session, request_task(row.id), how=words, by=principal.user, now=now)
    next_task(session, principal, row, "购买并登记新手机", BUYERS, now)
    return row


def replace(
    session: Session, principal: Principal, request_id: uuid.UUID, *, now: dt.datetime
) -> ReplacementRequest:
    """The new phone belongs to the post from now, the old one no more: it stands as "to be destroyed".

    Raise `Conflict` where a handover or another cause holds the post or one of the phones, and where the old phone is
    at the post no more.
    """
    row = find_request(session, principal, request_id)
    principal.require_role(row.centre_id, *BUYERS)
    work_store.move_request(session, row, Event.REPLACE, updated_at=now)
    if row.new_handset_id is None:
        raise Conflict("还没有登记新手机 / no new phone is named", code="contract_state")
    kit = RESOURCES["kit-assignments"]
    old = next((t for t in _ties_at(session, row.handset_id, now) if t.post_id == row.post_id), None)
    if old is None:
        raise Conflict(
            "原手机已不在该岗位，请核对 / the old phone is at the post no more", code="phone_moved"
        )
    holder = holder_of(session, principal, row.handset_id, now)
    end_tie(session, principal, kit, old.id, old.version, now, reason="合约到期换机（R06）")
    values = {"post_id": row.post_id, "handset_id": row.new_handset_id, "valid_from": now}
    tie(session, principal, kit, values, now)
    disposal = order_disposal(
        session, principal, row.handset_id, cause="contract_end", reason="合约到期换机；工作信息尚未转移",
        source=f"replacement_request:{row.id}", now=now,
    )  # fmt: skip
    work_store.write(session, row, disposal_id=disposal.id)
    note_request(session, principal, row, "replace", now, details={"disposal": str(disposal.id)})
    close_task(session, request_task(row.id), how="已换机", by=principal.user, now=now)
    if holder is not None and holder.employee_id is not None:
        body = "您岗位的手机已更换。工作信息转移完成之前，请不要自行清空或丢弃旧手机（R06）。"
        tell(
            session, key=f"replacement:{row.id}", kind="contract", centre_id=row.centre_id,
            to=Recipients(employees=(holder.employee_id,)), title="岗位手机已更换", body=body, link="/my", now=now,
        )  # fmt: skip
    return row


def _ties_at(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> list[Any]:
    """The phone's ties that hold now or later."""
    found = ties_of(session, RESOURCES["kit-assignments"], "handset_id", handset_id)
    return [t for t in found if t.voided_at is None and (t.valid_to is None or t.valid_to > now)]
