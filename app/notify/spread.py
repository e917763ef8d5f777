"""From notices to messages: who gets which, on what way, when it may leave. Nothing is sent here."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.kernel import outbox
from app.notify import store
from app.notify.contacts import addresses
from app.notify.model import Notice, NoticeCopy, Robot
from app.notify.rules import leave_at, quiet_until
from app.notify.service import SPREAD, Recipients, tell
from app.notify.words import UNDELIVERED, kind_word
from app.policy import PolicyFiles, effective
from app.registry import ServiceCentre
from app.settings import Settings

MAIL, SMS, ROBOT = "mail", "sms", "robot"
TOPICS = (MAIL, SMS, ROBOT)
_LIMIT = 200
_LEASE = dt.timedelta(minutes=10)


def spread_notices(session: Session, now: dt.datetime, policies: PolicyFiles, settings: Settings) -> int:
    """Put each new notice's mails and messages in the outbox, once a person and channel, however often this runs."""
    rows = outbox.claim(session, now, limit=_LIMIT, retry_after=_LEASE, topics=(SPREAD,))
    for row in rows:
        notice = session.get(Notice, uuid.UUID(row.body["notice_id"]))
        if notice is not None and notice.kind != UNDELIVERED:
            policy = effective(session, policies, "notify", notice.centre_id).body
            for copy in store.copies_of(session, notice.id):
                _spread(session, notice, copy, policy, settings, now)
        outbox.mark_sent(session, row.id, now)
    return len(rows)


def _spread(
    session: Session,
    notice: Notice,
    copy: NoticeCopy,
    policy: Mapping[str, Any],
    settings: Settings,
    now: dt.datetime,
) -> None:
    found = addresses(session, copy.user_id, copy.employee_id, now)
    mailed = bool(settings.smtp_host and found.mail)
    if mailed:
        _post(session, MAIL, notice, copy, policy, now)
    wants_sms = (notice.urgent and "urgent" in policy["sms"]) or (not mailed and "no_mail" in policy["sms"])
    texted = bool(settings.sms_url and found.mobile and wants_sms)
    if texted:
        _post(session, SMS, notice, copy, policy, now)
    if not mailed and not texted and copy.user_id is None:
        # Nobody of his can look into the inbox: that he was not reached must be seen.
        refused = "no_address" if settings.smtp_host or settings.sms_url else "no_channel"
        topic = MAIL if settings.smtp_host or not settings.sms_url else SMS
        _post(session, topic, notice, copy, policy, now, refused=refused)
        note_undelivered(session, notice.centre_id, now)


def _post(
    session: Session,
    topic: str,
    notice: Notice,
    copy: NoticeCopy,
    policy: Mapping[str, Any],
    now: dt.datetime,
    refused: str | None = None,
) -> None:
    person = f"user:{copy.user_id}" if copy.user_id else f"employee:{copy.employee_id}"
    outbox.post(
        session, key=f"{topic}:{notice.id}:{copy.id}", topic=topic, centre_id=notice.centre_id, now=now,
        body={"notice_id": str(notice.id), "copy_id": str(copy.id)},
        # An urgent one that leaves at night must not take the others along.
        bundle=f"{topic}:{person}" + (":urgent" if notice.urgent else ""),
        due_at=leave_at(now, policy, urgent=notice.urgent), refused=refused,
    )  # fmt: skip


def note_undelivered(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> None:
    """Tell operations once a day, inside, that something did not get through."""
    day = (now + dt.timedelta(hours=8)).date()  # Shanghai has no summer time
    tell(
        session, key=f"undelivered:{centre_id}:{day}", kind=UNDELIVERED, centre_id=centre_id,
        to=Recipients(roles=("operations", "admin")), title="有通知没有送达",
        body="有人没有收到邮件或短信。请查看发送记录，核对联系方式和渠道设置。", link="/notify?state=given_up",
        now=now,
    )  # fmt: skip


def count_for_robots(session: Session, now: dt.datetime, policies: PolicyFiles) -> int:
    """Let the robots of each centre say how many of each kind are new; no name goes in, so none comes out."""
    waiting = select(Notice.centre_id).where(Notice.in_group, Notice.counted_at.is_(None)).distinct()
    said = 0
    for centre_id in session.scalars(waiting).all():
        policy = effective(session, policies, "notify", centre_id).body
        last = session.scalar(
            select(func.max(Notice.counted_at)).where(Notice.centre_id == centre_id, Notice.in_group)
        )
        if quiet_until(now, policy["quiet_from"], policy["quiet_to"]):
            continue
        if last is not None and now - last < dt.timedelta(minutes=policy["robot_minutes"]):
            continue
        said += _count(session, centre_id, now)
    return said


def _count(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> int:
    done = (
        update(Notice)
        .where(Notice.centre_id == centre_id, Notice.in_group, Notice.counted_at.is_(None))
        .values(counted_at=now)
        .returning(Notice.kind)
        .execution_options(synchronize_session=False)
    )
    counts = Counter(kind_word(kind) for kind in session.scalars(done))
    robots = select(Robot.id).where(Robot.centre_id == centre_id, Robot.retired_at.is_(None))
    centre = session.get_one(ServiceCentre, centre_id).name
    said = 0
    for robot_id in session.scalars(robots.order_by(Robot.id)).all():
        said += outbox.post(
            session, key=f"{ROBOT}:{robot_id}:{int(now.timestamp())}", topic=ROBOT, centre_id=centre_id, now=now,
            body={"robot_id": str(robot_id), "centre": centre, "counts": dict(counts)},
        )  # fmt: skip
    return said
