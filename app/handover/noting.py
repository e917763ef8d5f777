"""What the audit trail, the lead's list and the parties are told of a handover."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.handover.model import Handover, HandoverLeg
from app.handover.rules import KIND_WORDS
from app.kernel.ids import parse_id
from app.notify import Recipients, tell
from app.registry import Post
from app.tasks import close_task, open_task

MINE = "/my/handovers"
_ROLES = ("lead", "operations")


def note_case(
    session: Session,
    actor: str,
    case: Handover,
    verb: str,
    now: dt.datetime,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    entry = AuditEvent(
        at=now, actor=actor, action=f"handover.{verb}", object=f"handover:{case.id}", centre_id=case.centre_id,
        reason=reason, details={"kind": case.kind, "post": str(case.post_id), **(details or {})},
    )  # fmt: skip
    record(session, entry)


def note_leg(
    session: Session,
    actor: str,
    leg: HandoverLeg,
    verb: str,
    now: dt.datetime,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    entry = AuditEvent(
        at=now, actor=actor, action=f"handover.{verb}", object=leg.subject, centre_id=leg.centre_id,
        reason=reason, details={"handover": str(leg.handover_id), **(details or {})},
    )  # fmt: skip
    record(session, entry)


def open_lead_task(session: Session, case: Handover, post: Post, now: dt.datetime) -> None:
    open_task(
        session, key=_key(case), kind="handover", centre_id=case.centre_id, now=now, roles=_ROLES, due_at=case.due_at,
        title=f"{KIND_WORDS[case.kind]}：{post.code} {post.name}", link=f"/handovers/{case.id}",
        body="双方当面清点、检测、签字；办完以前手机、号码和微信号不能转给别人。",
    )  # fmt: skip


def close_lead_task(session: Session, case: Handover, by: str, now: dt.datetime) -> None:
    close_task(session, _key(case), how="交接已结束", by=by, now=now)


def _key(case: Handover) -> str:
    return f"handover:{case.id}"


def tell_parties(
    session: Session,
    case: Handover,
    step: str,
    title: str,
    body: str,
    now: dt.datetime,
    *,
    urgent: bool = False,
) -> None:
    """Giver, receiver and lead, once a step."""
    post = session.get_one(Post, case.post_id)
    lead = parse_id(case.lead_user)
    employees: tuple[uuid.UUID, ...] = tuple(e for e in (case.giver_id, case.receiver_id) if e is not None)
    where = f"岗位 {post.code} {post.name}" + (f"，地点 {case.place}" if case.place else "")
    tell(
        session, key=f"handover:{case.id}:{step}", kind="handover", centre_id=case.centre_id, urgent=urgent,
        to=Recipients(employees=employees, users=() if lead is None else (lead,)), title=f"{title}：{post.code}",
        body=f"{body}\n{where}。", link=MINE, now=now,
    )  # fmt: skip
