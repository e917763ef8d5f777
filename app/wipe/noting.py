"""What is written of every step: the wipe's own history and the audit trail, in the step's own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.wipe.model import Wipe, WipeStep
from app.wipe.telling import tell_step

STEPS: Mapping[str, str] = {
    "open": "建立", "fill": "修改清单", "request": "提交申请", "typed_wrong": "核对编号不符", "withdraw": "撤回申请",
    "refuse": "退回", "approve_first": "第一人批准", "approve": "批准", "arm": "冷静期结束", "release": "执行",
    "recall": "收回指令", "deliver": "指令发给网关", "word": "网关回报", "late_word": "网关迟到的回报",
    "acknowledge": "手机已接受指令", "stop": "没有执行", "silence": "结果不明", "guide": "开始手工重置",
    "report": "报告手工重置", "inspect": "检查", "verify": "确认已清除", "fail": "确认没有清除", "contest": "发现矛盾",
    "certify": "出具证明", "retry": "准许再执行", "cancel": "取消", "lapse": "过期", "give_up": "到期未检查",
    "cert_draft": "拟定证明", "cert_sign": "证明签字", "cert_drop": "证明退回", "cert_doubt": "证明有疑",
    "cert_uphold": "证明仍有效", "cert_revoke": "撤销证明", "cert_seal": "证明已数字签名",
}  # fmt: skip


def write_step(
    session: Session,
    wipe: Wipe,
    step: str,
    words: str,
    by: str,
    now: dt.datetime,
    *,
    outcome: str = "ok",
    **details: Any,
) -> None:
    """`details` hold no secret and no whole IMEI that a person typed wrong."""
    session.add(
        WipeStep(
            centre_id=wipe.centre_id, wipe_id=wipe.id, at=now, by=by, step=step, words=words, details=details
        )
    )
    session.flush()
    event = AuditEvent(
        at=now, actor=by, action=f"wipe.{step}", object=f"wipe:{wipe.id}", centre_id=wipe.centre_id,
        reason=words[:500], outcome=outcome,
        details={"handset": str(wipe.handset_id), "state": str(wipe.state), **details},
    )  # fmt: skip
    record(session, event)
    tell_step(session, wipe, step, words, by, now)
