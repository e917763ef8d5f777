"""Reminders of the due date: to the parties before it, to the lead at it, to the company when nothing happens."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import Handover
from app.handover.noting import tell_parties
from app.handover.papering import minute
from app.handover.rules import KIND_WORDS, REASONS
from app.kernel.moving import change_if
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective_many
from app.registry import Post

_SOON, _OVERDUE, _ESCALATED = 1, 2, 3
_BATCH = 200


def warn_of_due(session: Session, *, policies: PolicyFiles, now: dt.datetime) -> int:
    """Tell of each case what its due date brings, each step once; how many were told."""
    cases = store.open_cases(session, warned_below=_ESCALATED, limit=_BATCH)
    bodies = effective_many(session, policies, "handover", {case.centre_id for case in cases})
    told = 0
    for case in cases:
        body = bodies[case.centre_id].body
        step = _step(case.due_at, now, body["warn_hours"], body["escalate_days"])
        if step > case.warned:
            change_if(session, case, ("state", "warned"), store.faster(), warned=step)
            _tell(session, case, step, now)
            told += 1
    return told


def _step(due_at: dt.datetime, now: dt.datetime, warn_hours: int, escalate_days: int) -> int:
    if now >= due_at + dt.timedelta(days=escalate_days):
        return _ESCALATED
    if now >= due_at:
        return _OVERDUE
    return _SOON if now >= due_at - dt.timedelta(hours=warn_hours) else 0


def _tell(session: Session, case: Handover, step: int, now: dt.datetime) -> None:
    what, due = KIND_WORDS[case.kind], minute(case.due_at)
    # The date is part of the key: a case that was put off is told of anew.
    key = f"due{step}:{case.due_at.isoformat()}"
    if step == _SOON:
        tell_parties(session, case, key, f"{what}快到期", f"请在 {due} 之前办完。", now)
        return
    tell_parties(session, case, key, f"{what}已超期", f"期限是 {due}，请尽快办完。", now, urgent=True)
    if step == _ESCALATED:
        post = session.get_one(Post, case.post_id)
        tell(
            session, key=f"handover:{case.id}:{key}:company", kind="handover", centre_id=case.centre_id, now=now,
            to=Recipients(roles=("lead", "operations", "admin"), group=True), title=f"{what}超期未办：{post.code}",
            body=f"原因：{REASONS[case.reason]}；期限 {due}。办完以前责任仍按上一份记录。",
            link=f"/handovers/{case.id}",
        )  # fmt: skip
