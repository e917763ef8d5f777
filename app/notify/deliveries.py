"""What became of what left, or should have: for those who run the installation."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel import outbox
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.outbox import OutboxMessage
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.notify.contacts import checked
from app.notify.model import Notice, NoticeCopy, Robot
from app.notify.robots import find_robot
from app.notify.spread import MAIL, ROBOT, SMS, TOPICS
from app.notify.words import error_word, kind_word
from app.people import names_of
from app.registry import Employee
from app.settings import Settings

STATES = ("waiting", "sent", "given_up")
RUNNERS = ("operations",)
TEST_TITLE, TEST_TEXT = "测试通知", "这是一条测试。收到它，说明这个渠道可以使用。"


@dataclass(frozen=True)
class Delivery:
    """`recipient` is a person's name, never his address; `error` in words."""

    id: uuid.UUID
    topic: str
    state: str
    recipient: str
    what: str
    created_at: dt.datetime
    due_at: dt.datetime
    sent_at: dt.datetime | None
    given_up_at: dt.datetime | None
    attempts: int
    error: str


@dataclass(frozen=True)
class ChannelHealth:
    configured: bool
    waiting: int
    given_up: int
    last_sent_at: dt.datetime | None
    last_error: str


def _seen(principal: Principal) -> Select[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.topic.in_(TOPICS))
    if principal.centres is None:
        return query
    return query.where(OutboxMessage.centre_id.in_(principal.centres))


def _state_is(state: str) -> ColumnElement[bool]:
    sent, over = OutboxMessage.sent_at, OutboxMessage.given_up_at
    if state == "sent":
        return sent.is_not(None)
    if state == "given_up":
        return over.is_not(None)
    return and_(sent.is_(None), over.is_(None)) if state == "waiting" else true()


def deliveries(
    session: Session,
    principal: Principal,
    *,
    state: str = "",
    topic: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Delivery]:
    """The latest first, of the caller's centres; tests belong to none and are seen by who has all."""
    query = _seen(principal).where(_state_is(state))
    if topic in TOPICS:
        query = query.where(OutboxMessage.topic == topic)
    keys = [
        SortKey("created_at", OutboxMessage.created_at, descending=True),
        SortKey("id", OutboxMessage.id, descending=True),
    ]
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    return Page(_deliveries(session, page.items), page.next_cursor)


def _deliveries(session: Session, rows: Sequence[OutboxMessage]) -> list[Delivery]:
    copies = {uuid.UUID(r.body["copy_id"]) for r in rows if "copy_id" in r.body}
    robots = {uuid.UUID(r.body["robot_id"]) for r in rows if "robot_id" in r.body}
    to = _people(session, copies) | {
        str(row.id): row.name
        for row in session.execute(select(Robot.id, Robot.name).where(Robot.id.in_(robots)))
    }
    notices = {uuid.UUID(r.body["notice_id"]) for r in rows if "notice_id" in r.body}
    query = select(Notice.id, Notice.kind).where(Notice.id.in_(notices))
    # The kind alone: what a penalty says is nobody's business who runs the mails.
    kinds = {str(row.id): kind_word(row.kind) for row in session.execute(query)}
    return [_delivery(row, to, kinds) for row in rows]


def _people(session: Session, copies: set[uuid.UUID]) -> dict[str, str]:
    query = (
        select(NoticeCopy.id, NoticeCopy.user_id, Employee.name)
        .outerjoin(Employee, Employee.id == NoticeCopy.employee_id)
        .where(NoticeCopy.id.in_(copies))
    )
    found = session.execute(query).all()
    users = names_of(session, {str(row.user_id) for row in found if row.user_id})
    return {str(row.id): row.name or users.get(str(row.user_id), "") for row in found}


def _delivery(row: OutboxMessage, to: dict[str, str], kinds: dict[str, str]) -> Delivery:
    body = row.body
    state = "sent" if row.sent_at else "given_up" if row.given_up_at else "waiting"
    what = kinds.get(body.get("notice_id", ""), TEST_TITLE if "text" in body else "数量汇总")
    return Delivery(
        row.id, row.topic, state, to.get(body.get("copy_id") or body.get("robot_id") or "", ""), what,
        row.created_at, row.due_at, row.sent_at, row.given_up_at, row.attempts, error_word(row.last_error),
    )  # fmt: skip


def health(session: Session, principal: Principal, settings: Settings) -> dict[str, ChannelHealth]:
    configured = {MAIL: bool(settings.smtp_host), SMS: bool(settings.sms_url), ROBOT: True}
    found = {}
    for topic in TOPICS:
        seen = _seen(principal).where(OutboxMessage.topic == topic).subquery()
        open_ = and_(seen.c.sent_at.is_(None), seen.c.given_up_at.is_(None))
        waiting = session.scalar(select(func.count()).select_from(seen).where(open_)) or 0
        lost = (
            session.scalar(select(func.count()).select_from(seen).where(seen.c.given_up_at.is_not(None))) or 0
        )
        wrong = _seen(principal).where(OutboxMessage.topic == topic, OutboxMessage.last_error.is_not(None))
        last = session.scalar(
            wrong.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc()).limit(1)
        )
        found[topic] = ChannelHealth(
            configured[topic], waiting, lost, session.scalar(select(func.max(seen.c.sent_at))),
            error_word(last.last_error) if last else "",
        )  # fmt: skip
    return found


def try_again(session: Session, principal: Principal, message_id: uuid.UUID, now: dt.datetime) -> None:
    """Send anew what was given up. Raise `NotFound`, `Forbidden`, `Conflict` when it is not given up."""
    row = session.scalar(_seen(principal).where(OutboxMessage.id == message_id))
    if row is None:
        raise NotFound("没有这条发送记录 / no such delivery")
    if row.centre_id is not None:
        principal.require_role(row.centre_id, *RUNNERS)
    if not outbox.retry(session, message_id, now):
        raise Conflict("这条没有放弃发送 / it was not given up", code="delivery_state")
    _note(
        session,
        principal,
        "delivery.retry",
        f"delivery:{message_id}",
        row.centre_id,
        {"topic": row.topic},
        now,
    )


def send_test(
    session: Session, principal: Principal, settings: Settings, topic: str, address: str, now: dt.datetime
) -> uuid.UUID:
    """Ask for a test to an address that an administrator names; it leaves by the same way as all others.

    Raise `Forbidden`, `Invalid`, or `Conflict` for a channel without settings.
    """
    if "admin" not in principal.roles or principal.centres is not None:
        raise Forbidden("只有系统管理员可以发测试 / for administrators of the company")
    if not {MAIL: settings.smtp_host, SMS: settings.sms_url}.get(topic):
        raise Conflict("这个渠道没有配置 / this channel is not configured", code="not_configured")
    mail, mobile = checked(address if topic == MAIL else "", address if topic == SMS else "")
    to = mail or mobile
    if to is None:
        raise Invalid(
            "请填写地址 / an address is needed", fields=[FieldError("address", "required", "请填写地址")]
        )
    key = new_id()
    body = {"address": to, "title": TEST_TITLE, "text": TEST_TEXT}
    outbox.post(session, key=f"test:{key}", topic=topic, body=body, now=now)
    _note(session, principal, "notify.test", f"channel:{topic}", None, {}, now)
    return key


def test_robot(session: Session, principal: Principal, robot_id: uuid.UUID, now: dt.datetime) -> None:
    """Let a robot say that it works. Raise `NotFound`, `Forbidden`."""
    robot = find_robot(session, principal, robot_id)
    principal.require_role(robot.centre_id)
    body = {"robot_id": str(robot.id), "text": TEST_TEXT}
    outbox.post(session, key=f"test:{new_id()}", topic=ROBOT, body=body, centre_id=robot.centre_id, now=now)
    _note(session, principal, "notify.test", f"robot:{robot.id}", robot.centre_id, {}, now)


def _note(
    session: Session,
    principal: Principal,
    action: str,
    what: str,
    centre_id: uuid.UUID | None,
    details: dict[str, str],
    now: dt.datetime,
) -> None:
    entry = AuditEvent(
        at=now, actor=principal.user, action=action, object=what, centre_id=centre_id, details=details
    )
    record(session, entry)
