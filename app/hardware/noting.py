"""What is written of every act: the case's own history, the audit trail, the notice to whom it concerns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.hardware.model import HardwareCase, HardwareStep
from app.hardware.tools import DECIDERS, KINDS, Tools, case_path
from app.kernel.tenancy import Principal
from app.kernel.texts import wrong
from app.notify import Recipients, tell
from app.registry import Handset
from app.tasks import close_task, open_task

OWN = "/my/cases"
STEPS: Mapping[str, str] = {
    "report": "报告", "police": "记录报警回执", "state": "本人陈述", "judge": "认定", "repair": "维修结果",
    "offer": "提交新机", "accept": "接受新机", "reject": "退回新机", "refuse": "转由中心购机", "buy": "中心购机",
    "order": "下达扣款单", "take": "当月扣款", "settle": "扣款完成", "lift": "撤销扣款", "appeal": "申诉",
    "appeal_allow": "申诉成立", "appeal_dismiss": "申诉不成立", "find": "找回", "cancel": "撤销事项",
    "lost": "遗失处置", "told": "说明做不到的事", "seen": "网关又读到这台手机",
}  # fmt: skip


def write_step(
    session: Session,
    principal: Principal,
    case: HardwareCase,
    step: str,
    words: str,
    now: dt.datetime,
    **details: Any,
) -> None:
    """In the case's history and in the audit trail, in the act's own transaction."""
    session.add(
        HardwareStep(
            centre_id=case.centre_id, case_id=case.id, at=now, by=principal.user, step=step, words=words
        )
    )
    session.flush()
    event = AuditEvent(
        at=now, actor=principal.user, action=f"hardware.{step}", object=f"hardware_case:{case.id}",
        centre_id=case.centre_id, reason=words[:500], details={"handset": str(case.handset_id), **details},
    )  # fmt: skip
    record(session, event)


def tell_person(
    session: Session,
    case: HardwareCase,
    step: str,
    title: str,
    body: str,
    now: dt.datetime,
    *,
    last: str = "",
    whom: uuid.UUID | None = None,
) -> None:
    """Who answers, or `whom`. `step` and `last` make the key: each step of a case is told once."""
    employee = whom or case.employee_id
    if employee is None:
        return
    phone = session.get_one(Handset, case.handset_id)
    tell(
        session, key=f"hardware:{case.id}:{step}:{last}", kind="hardware", centre_id=case.centre_id,
        to=Recipients(employees=(employee,)), title=f"{title}：{phone.asset_tag}",
        body=f"{body}\n{KINDS[case.kind]}的手机：{phone.asset_tag} {phone.brand} {phone.model}。", link=OWN, now=now,
    )  # fmt: skip


def ask(
    session: Session,
    case: HardwareCase,
    what: str,
    title: str,
    now: dt.datetime,
    *,
    roles: Sequence[str] = DECIDERS,
    body: str = "",
    due_at: dt.datetime | None = None,
    kind: str = "hardware",
) -> bool:
    """A task about the case, one of its kind at a time."""
    tag = session.get_one(Handset, case.handset_id).asset_tag
    return open_task(
        session, key=f"hardware.{what}:{case.id}", kind=kind, centre_id=case.centre_id, title=f"{title}：{tag}",
        body=body, link=case_path(case.id), handset_id=case.handset_id, due_at=due_at, roles=tuple(roles), now=now,
    )  # fmt: skip


def done(session: Session, case: HardwareCase, what: str, how: str, by: str, now: dt.datetime) -> None:
    close_task(session, f"hardware.{what}:{case.id}", how=how, by=by, now=now)


def keep_photos(
    session: Session, tools: Tools, photos: Sequence[bytes], limit: int, now: dt.datetime
) -> list[str]:
    """The names of pictures that the edge has taken in. Raise `Invalid` for too many."""
    if len(photos) > limit:
        raise wrong("photos", f"最多 {limit} 张照片 / at most {limit} photos")
    return [tools.blobs.put(session, photo, "image/jpeg", now) for photo in photos]
