"""The encrypted copy on a gateway: its key goes when nobody needs it, and the gateway is asked to destroy it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.commands import FINAL, enqueue
from app.commands import get as get_command
from app.kernel.errors import Conflict, DomainError, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset
from app.transfer import store
from app.transfer.model import Transfer
from app.transfer.noting import ask, write_step
from app.transfer.states import AT_WORK, Copy
from app.transfer.tools import DOERS, Tools, policy_of

_AGAIN = dt.timedelta(days=1)
_SWEEP = 200


def discard(session: Session, principal: Principal, transfer_id: uuid.UUID, *, now: dt.datetime) -> Transfer:
    """Nobody goes on from the copy any more. Raise `Conflict` while an order is under way, or where there is none."""
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    if row.state in AT_WORK:
        raise Conflict("正在迁移，不能销毁副本 / it is being worked on", code="transfer_state")
    if row.copy not in (Copy.KEPT, Copy.UNKNOWN):
        raise Conflict("没有要销毁的副本 / there is no copy", code="no_copy")
    drop_key(session, row, principal.user, now)
    queue_discard(session, row, now)
    return row


def drop_key(session: Session, row: Transfer, by: str, now: dt.datetime) -> None:
    """From now on the copy opens nowhere, wherever it lies; only backups of the database still hold the salt."""
    if row.salt is None:
        return
    store.change(session, row, salt=None)
    if row.copy in (Copy.KEPT, Copy.UNKNOWN):
        write_step(session, row, "discard", "副本的密钥已销毁，已要求网关清除密文", by, now)


def queue_discard(session: Session, row: Transfer, now: dt.datetime) -> bool:
    """Ask the gateway; False when it was asked lately, or cannot be."""
    if row.copy not in (Copy.KEPT, Copy.UNKNOWN) or session.get_one(Handset, row.old_id).retired_at:
        return False
    if _asked_lately(session, row, now):
        return False
    try:
        command, _ = enqueue(
            session, SYSTEM, row.old_id, "discard_copy", {"transfer": str(row.id), "new": successor(session, row)},
            dedup_key=f"discard:{row.id}", now=now,
        )  # fmt: skip
    except DomainError:
        return False
    store.change(session, row, discard_id=command.id)
    return True


def successor(session: Session, row: Transfer) -> dict[str, Any] | None:
    """The new phone as an order names it; None where there is none."""
    new = None if row.new_id is None else session.get_one(Handset, row.new_id)
    return None if new is None else {"serial": new.serial, "imei": [i.imei for i in new.imeis]}


def _asked_lately(session: Session, row: Transfer, now: dt.datetime) -> bool:
    if row.discard_id is None:
        return False
    try:
        last = get_command(session, SYSTEM, row.discard_id)
    except NotFound:  # so long ago that the queue forgot it
        return False
    return last.state not in FINAL or (last.finished_at or now) > now - _AGAIN


def destroyed(session: Session, row: Transfer, by: str, now: dt.datetime) -> None:
    """A gateway's word that nothing of the copy is left."""
    if row.copy == Copy.DESTROYED:
        return
    store.change(session, row, copy=Copy.DESTROYED, copy_at=now, salt=None)
    write_step(session, row, "destroyed", "网关报告加密副本已销毁", by, now)


def look_for_rest(session: Session, row: Transfer, told: object, now: dt.datetime) -> None:
    """`told`: what a gateway says of the new phone; unless that is "clean", a person removes what was left there."""
    if row.new_id is None or told == "clean" or _came_to_its_end(row):
        return
    tag = session.get_one(Handset, row.new_id).asset_tag
    ask(session, row, "rest", now, body=f"新手机 {tag}：{REST_TASK}")


def _came_to_its_end(row: Transfer) -> bool:
    """An order that did tidied up after itself, but for a part that broke off."""
    told = row.result or {}
    whole = told.get("outcome") in ("verified", "differences")
    return whole and all(part["outcome"] != "failed" for part in told["parts"])


def sweep_copies(session: Session, tools: Tools, now: dt.datetime) -> int:
    """Copies that nobody needs: their key goes, the gateway is asked again, and after policy's hours a person is."""
    touched = 0
    for row in store.with_copy(session, _SWEEP):
        drop_key(session, row, SYSTEM.user, now)
        touched += queue_discard(session, row, now)
        body = policy_of(session, tools.policies, row.centre_id).body
        if row.ended_at is not None and row.ended_at + dt.timedelta(hours=body["copy_hours"]) <= now:
            touched += ask(session, row, "copy", now, body=COPY_TASK)
    return touched


REST_TASK = (
    "没有迁移完，网关也没有确认已清理。在这台手机的文件管理里删除 Download 文件夹里 butler- 开头的 .vcf 文件"
    "（里面是全部联系人）和内部存储里名称以 .butler-transfer- 开头的隐藏文件夹，然后把本待办标为完成。"
)
COPY_TASK = (
    "数据已处理完，副本的密钥已销毁，但网关还没有报告密文已清除。把旧手机接到当时迁移的那台网关（不用解锁），网关会自动清除；"
    "那台网关已停用的，请 IT 清空它的数据目录。"
)
