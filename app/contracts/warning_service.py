"""Tell lead and operations in time that a contract ends, and again after it has (R06)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.contracts import store, work_store
from app.contracts.contract_service import SUBJECT
from app.contracts.model import NumberContract
from app.contracts.rules import days_left, end_of, local_day, must_warn, thresholds
from app.contracts.states import Assessment as State
from app.contracts.words import end_task, renew_task, shown_number
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective_many
from app.registry import Number
from app.tasks import close_task, open_task

ROLES = ("lead", "operations")
_FAR = 366
"""The longest that policy may warn ahead."""
_AT_ONCE = 200
"""After an import hundreds come at once: told in one transaction they would hold every other writer up."""


def warn_of_ends(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Tell each threshold once, what ends first first; after a long stop of the scheduler only the latest. Returns how
    many were told: at most so many a run.
    """
    today = local_day(now)
    rows = store.ending(session, today + dt.timedelta(days=_FAR))
    found = effective_many(session, policies, SUBJECT, {number.centre_id for _, number in rows})
    told = 0
    for row, number in rows:
        policy = found.get(number.centre_id)
        if policy is None:
            continue
        left = days_left(row.ends_on, today)
        level = must_warn(left, row.warned, thresholds(policy.body))
        if level is not None:
            row.warned = level
            _tell(session, row, number, level, left, now)
            told += 1
        if told >= _AT_ONCE:
            break
    return told


def _tell(
    session: Session, row: NumberContract, number: Number, level: int, left: int, now: dt.datetime
) -> None:
    place = store.places(session, [number.id], now).get(number.id)
    where = f"（{place.post}）" if place is not None else ""
    name = shown_number(number.e164)
    link = f"/contracts/{row.id}"
    until = f"还有 {left} 天到期" if left >= 0 else f"已到期 {-left} 天"
    title = f"号码合约{until}：{name}{where}"
    body = f"{row.carrier} {row.plan_name}，最后一天 {row.ends_on}。请评估手机是否继续使用（R06），然后续约或换机。"
    tell(
        session, key=f"contract:{row.id}:{row.ends_on}:{level}", kind="contract", centre_id=number.centre_id,
        to=Recipients(roles=ROLES, group=True), title=title, body=body, link=link, now=now,
    )  # fmt: skip
    kept = work_store.live_assessment(session, row.id)
    renewing = kept is not None and kept.state == State.CONFIRMED and kept.conclusion == "keep"
    open_task(
        session, key=renew_task(kept.id) if kept is not None and renewing else end_task(row), kind="contract",
        centre_id=number.centre_id, title=f"号码合约 {row.ends_on} 到期：{name}{where}", body=body, link=link,
        handset_id=place.handset_id if place is not None else None, due_at=end_of(row.ends_on), roles=ROLES,
        now=now,
    )  # fmt: skip


def forget_retired(session: Session, now: dt.datetime) -> int:
    """What was asked about numbers that are retired since then needs doing no more."""
    rows = store.ending(session, local_day(now) + dt.timedelta(days=_FAR), retired=True)
    for row, _ in rows:
        row.warned = None
        for key in (end_task(row), *(renew_task(a.id) for a in work_store.keeping(session, row.number_id))):
            close_task(session, key, how="号码已停用", by="system", now=now)
    return len(rows)
