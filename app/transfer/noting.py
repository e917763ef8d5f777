"""What is written of every act: the transfer's own history, the audit trail, tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.registry import Handset
from app.tasks import close_task, open_task
from app.transfer.model import Transfer, TransferStep
from app.transfer.tools import DOERS, LEADS, transfer_path

STEPS: Mapping[str, str] = {
    "open": "建立", "start": "开始迁移", "send": "交给网关", "postpone": "网关暂缓", "silence": "没有回音",
    "stop": "要求停止", "stopped": "已停止", "not_stopped": "没有停止",
    "result": "网关的结果", "end": "命令结束", "manifest": "清单到齐", "accept_data": "接受差异", "wechat": "微信迁移",
    "accept_wechat": "接受微信未全部迁移", "ask_waive": "申请免迁移", "refuse_waive": "不批准免迁移",
    "verify": "核验完成", "accept": "接受并完成", "waive": "免迁移", "cancel": "取消", "discard": "销毁副本",
    "destroyed": "副本已销毁", "paper": "出具迁移单",
}  # fmt: skip
_TASKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "go_on": ("数据迁移中断", DOERS[:2]),
    "stopping": ("停止数据迁移没有回音", DOERS[:2]),
    "stopped": ("数据迁移已停止，待继续或取消", DOERS[:2]),
    "decide": ("数据迁移有差异，重试或由主管接受", DOERS),
    "failed": ("数据迁移未成功", DOERS[:2]),
    "wechat": ("微信聊天记录待迁移", DOERS[:2]),
    "lead": ("数据迁移待主管决定", LEADS),
    "rest": ("新手机上可能留有迁移的临时文件", DOERS[:2]),
    "copy": ("网关上的加密副本尚未销毁", DOERS[:2]),
    "open": ("数据迁移未完成", DOERS[:2]),
}


def write_step(
    session: Session, row: Transfer, step: str, words: str, by: str, now: dt.datetime, *, audited: bool = True,
    **details: Any,
) -> None:  # fmt: skip
    """In the transfer's history and, for all that is more than a gateway's delay, in the audit trail."""
    line = TransferStep(
        centre_id=row.centre_id, transfer_id=row.id, at=now, by=by, step=step, words=words[:1000]
    )
    session.add(line)
    session.flush()
    if audited:
        told = {"old": str(row.old_id), "new": str(row.new_id), "state": str(row.state), **details}
        event = AuditEvent(
            at=now, actor=by, action=f"transfer.{step}", object=f"transfer:{row.id}", centre_id=row.centre_id,
            reason=words[:500], details=told,
        )  # fmt: skip
        record(session, event)


def ask(
    session: Session,
    row: Transfer,
    what: str,
    now: dt.datetime,
    *,
    body: str = "",
    due_at: dt.datetime | None = None,
) -> bool:
    """A task about the transfer, one of its kind at a time."""
    title, roles = _TASKS[what]
    tag = session.get_one(Handset, row.old_id).asset_tag
    kind = "transfer_copy" if what in ("copy", "rest") else "transfer"
    return open_task(
        session, key=f"transfer.{what}:{row.id}", kind=kind, centre_id=row.centre_id, title=f"{title}：{tag}",
        body=body, link=transfer_path(row.id), handset_id=row.old_id, due_at=due_at, roles=roles, now=now,
    )  # fmt: skip


def done(session: Session, row: Transfer, by: str, how: str, now: dt.datetime, *, but: str = "") -> None:
    """Close what the last step asked for."""
    for what in _TASKS:
        if what != but:
            close_task(session, f"transfer.{what}:{row.id}", how=how, by=by, now=now)
