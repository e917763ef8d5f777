"""What people are asked and told of rounds. No notice holds more than a part's name and the kind of its password."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.credchecks import store
from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.rules import DAY, SHANGHAI, escalates, reminders_due
from app.credchecks.tools import SUBJECT
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective_many
from app.registry import ServiceCentre
from app.tasks import close_task, open_task

KIND, ITEM_KIND = "round", "round_item"
_SYSTEM = "system"


def last_day_of(due: dt.datetime) -> dt.date:
    """The last day before a half-open end at midnight."""
    return (due.astimezone(SHANGHAI) - DAY).date()


def last_day(due: dt.datetime) -> str:
    """`12-02`, for a list of one month's work."""
    return f"{last_day_of(due):%m-%d}"


def minute(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


def task_key(row: CheckRound) -> str:
    return f"round:{row.id}"


def late_key(row: CheckRound) -> str:
    return f"round.late:{row.id}"


def file_key(item: CheckItem) -> str:
    return f"round.file:{item.subject_id}:{item.kind}"


def mend_key(item: CheckItem) -> str:
    return f"round.mend:{item.subject_id}:{item.kind}"


def tell_opened(session: Session, row: CheckRound, number: int, now: dt.datetime) -> None:
    link, title = f"/rounds/{row.id}", f"月度核对 {row.month}"
    body = f"共 {number} 项，请在 {last_day(row.due_at)} 前逐位管家核对（R07）。"
    open_task(
        session, key=task_key(row), kind=KIND, centre_id=row.centre_id, title=title, body=body, link=link,
        due_at=row.due_at, roles=("lead",), now=now,
    )  # fmt: skip
    tell(
        session, key=f"{task_key(row)}:opened", kind=KIND, centre_id=row.centre_id, to=Recipients(roles=("lead",)),
        title=title, body=body, link=link, now=now,
    )  # fmt: skip


def ask_to_file(session: Session, row: CheckRound, item: CheckItem, now: dt.datetime) -> None:
    """File a password that is not filed, or not right any more. It accuses nobody."""
    open_task(
        session, key=file_key(item), kind=ITEM_KIND, centre_id=row.centre_id,
        title=f"备案{item.label}：{item.subject_name}", body=f"{row.month} 月度核对：未备案，或和备案的不一致。",
        link=f"/escrow/file?of={item.of}&subject={item.subject_id}&kind={item.kind}",
        handset_id=item.subject_id if item.of == "handset" else None, due_at=row.due_at,
        roles=("operations", "lead"), now=now,
    )  # fmt: skip


def filed(session: Session, item: CheckItem, now: dt.datetime) -> bool:
    return close_task(session, file_key(item), how="已备案", by=_SYSTEM, now=now)


def ask_to_mend(session: Session, row: CheckRound, item: CheckItem, now: dt.datetime) -> None:
    """Put an account's profile right; its butler is told as well."""
    title = f"微信资料：{item.label}"
    body = f"{item.subject_name}：核对为不一致（{item.rule}），请改正。{item.reason}"
    open_task(
        session, key=mend_key(item), kind=ITEM_KIND, centre_id=row.centre_id, title=title, body=body,
        link=f"/rounds/{row.id}/posts/{item.post_id}", due_at=row.due_at, roles=("lead",), now=now,
    )  # fmt: skip
    if item.holder_id is not None:
        tell(
            session, key=f"{mend_key(item)}:{item.round_id}:{item.version}", kind=KIND, centre_id=row.centre_id,
            to=Recipients(employees=(item.holder_id,)), title=title, body=body, link="/my/round", now=now,
        )  # fmt: skip


def mended(session: Session, item: CheckItem, actor: str, now: dt.datetime) -> None:
    close_task(session, mend_key(item), how="已核对一致", by=actor, now=now)


def tell_closed(session: Session, row: CheckRound, actor: str, now: dt.datetime) -> None:
    for key in (task_key(row), late_key(row)):
        close_task(session, key, how="已结束", by=actor, now=now)
    tell(
        session, key=f"{task_key(row)}:closed", kind=KIND, centre_id=row.centre_id,
        to=Recipients(roles=("operations",)), title=f"月度核对 {row.month} 已结束",
        body="报告已签名存档。", link=f"/rounds/{row.id}", now=now,
    )  # fmt: skip


def ask_for_waiver(session: Session, row: CheckRound, item: CheckItem, now: dt.datetime) -> None:
    open_task(
        session, key=waiver_key(item.id), kind=KIND, centre_id=row.centre_id,
        title=f"批准免核对：{item.subject_name} {item.label}", body=item.reason,
        link=f"/rounds/{row.id}/posts/{item.post_id}", due_at=row.due_at, roles=("operations", "lead"), now=now,
    )  # fmt: skip


def waiver_key(item_id: uuid.UUID) -> str:
    return f"round.waive:{item_id}"


def waiver_settled(session: Session, item: CheckItem, how: str, actor: str, now: dt.datetime) -> None:
    close_task(session, waiver_key(item.id), how=how, by=actor, now=now)


def remind(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Remind the leads of open rounds as their last day comes, and tell operations of overdue ones; how many were told.

    Several reminders that came at once (the server was down) are told as one.
    """
    rows = store.open_rounds(session)
    bodies = effective_many(session, policies, SUBJECT, {row.centre_id for row in rows})
    told = 0
    for row in rows:
        body = bodies[row.centre_id].body
        number = reminders_due(row.due_at, body["remind_days"], now)
        if number > row.reminded and now < row.due_at:
            _remind(session, row, number, now)
            told += 1
        row.reminded = max(row.reminded, number)
        if row.escalated_at is None and escalates(row.due_at, body["escalate_days"], now):
            _escalate(session, row, now)
            told += 1
    session.flush()
    return told


def _remind(session: Session, row: CheckRound, number: int, now: dt.datetime) -> None:
    left = store.tallies(session, [row.id])[row.id].left
    tell(
        session, key=f"{task_key(row)}:remind:{number}", kind=KIND, centre_id=row.centre_id,
        to=Recipients(roles=("lead",), group=True), title=f"月度核对 {row.month} 还有 {left} 项",
        body=f"请在 {last_day(row.due_at)} 前完成并签名。", link=f"/rounds/{row.id}", now=now,
    )  # fmt: skip


def _escalate(session: Session, row: CheckRound, now: dt.datetime) -> None:
    left = store.tallies(session, [row.id])[row.id].left
    centre = session.get_one(ServiceCentre, row.centre_id).name
    title = f"月度核对逾期：{centre} {row.month}"
    body = f"应在 {last_day(row.due_at)} 前完成，还有 {left} 项没有结果，没有签名结束。"
    open_task(
        session, key=late_key(row), kind=KIND, centre_id=row.centre_id, title=title, body=body,
        link=f"/rounds/{row.id}", due_at=now, roles=("operations",), now=now,
    )  # fmt: skip
    tell(
        session, key=f"{task_key(row)}:late", kind=KIND, centre_id=row.centre_id,
        to=Recipients(roles=("operations", "admin", "lead")), title=title, body=body, link=f"/rounds/{row.id}", now=now,
    )  # fmt: skip
    row.escalated_at = now
