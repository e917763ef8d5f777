"""What is due leaves: claim it in one short transaction, send it in none, mark it in another.

A kill between sending and marking sends once more, under the same key: at least once, never lost.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.clock import Clock
from app.kernel.errors import DomainError
from app.kernel.jobs import Transactions
from app.kernel.keys import KeyStore
from app.kernel.outbox import Batch, OutboxMessage
from app.notify.channels import Letter, NotSent, send_mail, send_robot, send_sms
from app.notify.contacts import addresses
from app.notify.model import Notice, NoticeCopy, Robot
from app.notify.robots import opened
from app.notify.rules import Words, mail_text, retry_at, robot_text, sms_text
from app.notify.spread import MAIL, ROBOT, SMS, TOPICS, note_undelivered
from app.policy import PolicyFiles, effective
from app.settings import Settings

log = structlog.get_logger(__name__)
_LIMIT = 40
_LEASE = dt.timedelta(minutes=15)
"""Longer than a run of `_LIMIT` messages can last: before it ends, nobody else takes them."""


@dataclass(frozen=True)
class Outside:
    """What the sender needs of this installation."""

    settings: Settings
    keys: KeyStore
    policies: PolicyFiles


@dataclass(frozen=True)
class _Member:
    id: uuid.UUID
    centre_id: uuid.UUID | None
    attempts: int


@dataclass(frozen=True)
class _Parcel:
    """A batch as plain values, to be sent without a database. `letter` None: `error` says why it cannot be."""

    topic: str
    members: tuple[_Member, ...]
    letter: Letter | None
    error: NotSent | None = None


def send_due(transactions: Transactions, clock: Clock, outside: Outside) -> int:
    """Send what is due; returns how many messages left."""
    with transactions() as session:
        batches = outbox.claim_batches(session, clock.now(), topics=TOPICS, limit=_LIMIT, retry_after=_LEASE)
        parcels = [_parcel(session, batch, outside, clock.now()) for batch in batches]
    down: dict[str, NotSent] = {}
    sent = 0
    for parcel in parcels:
        error = parcel.error or down.get(parcel.topic) or _send(parcel, outside, clock)
        if error is not None and error.down:
            # One server for all: the next would only wait for it as long again.
            down[parcel.topic] = error
        with transactions() as session:
            _mark(session, parcel, error, outside.policies, clock.now())
        sent += 0 if error else len(parcel.members)
    return sent


def _send(parcel: _Parcel, outside: Outside, clock: Clock) -> NotSent | None:
    assert parcel.letter is not None
    try:
        if parcel.topic == MAIL:
            send_mail(outside.settings, parcel.letter, clock)
        elif parcel.topic == SMS:
            send_sms(outside.settings, parcel.letter)
        else:
            send_robot(parcel.letter)
    except NotSent as exc:
        log.warning("not_sent", channel=parcel.topic, code=exc.code, number=len(parcel.members))
        return exc
    return None


def _mark(
    session: Session, parcel: _Parcel, error: NotSent | None, policies: PolicyFiles, now: dt.datetime
) -> None:
    for member in parcel.members:
        if error is None:
            outbox.mark_sent(session, member.id, now)
            continue
        waits = _waits(session, policies, member.centre_id)
        again = None if error.final else retry_at(now, member.attempts, waits)
        outbox.mark_failed(session, member.id, error.code, retry_at=again, now=now)
        if again is None and member.centre_id is not None:
            note_undelivered(session, member.centre_id, now)


def _waits(session: Session, policies: PolicyFiles, centre_id: uuid.UUID | None) -> Sequence[int]:
    if centre_id is None:
        found: Sequence[int] = policies.latest("notify").body["retry_minutes"]
        return found
    waits: Sequence[int] = effective(session, policies, "notify", centre_id).body["retry_minutes"]
    return waits


def _parcel(session: Session, batch: Batch, outside: Outside, now: dt.datetime) -> _Parcel:
    members = tuple(_Member(m.id, m.centre_id, m.attempts) for m in batch.messages)
    try:
        return _Parcel(batch.topic, members, _letter(session, batch, outside, now))
    except NotSent as exc:
        return _Parcel(batch.topic, members, None, exc)


def _letter(session: Session, batch: Batch, outside: Outside, now: dt.datetime) -> Letter:
    first = batch.messages[0].body
    key = str(batch.id)
    if batch.topic == ROBOT:
        return _robot_letter(session, first, key, outside.keys)
    if "address" in first:  # a test, to an address that an administrator typed
        return Letter(key, first["address"], first["title"], first["text"])
    address = _address(session, batch.topic, first, now)
    words = _words(session, batch.messages, outside.settings.public_url)
    if batch.topic == SMS:
        return Letter(key, address, "", sms_text(words))
    subject, text = mail_text(words)
    return Letter(key, address, subject, text)


def _address(session: Session, topic: str, body: dict[str, Any], now: dt.datetime) -> str:
    """Where he is reached now: it may have changed since the notice was made."""
    copy = session.get(NoticeCopy, uuid.UUID(body["copy_id"]))
    if copy is None:
        raise NotSent("no_address", final=True)
    found = addresses(session, copy.user_id, copy.employee_id, now)
    address = found.mail if topic == MAIL else found.mobile
    if address is None:
        raise NotSent("no_address", final=True)
    return address


def _words(session: Session, messages: Sequence[OutboxMessage], public_url: str | None) -> list[Words]:
    words = []
    for message in messages:
        notice = session.get_one(Notice, uuid.UUID(message.body["notice_id"]))
        link = f"{public_url}{notice.link}" if public_url and notice.link else None
        words.append(Words(notice.title, notice.body, link))
    return words


def _robot_letter(session: Session, body: dict[str, Any], key: str, keys: KeyStore) -> Letter:
    robot = session.get(Robot, uuid.UUID(body["robot_id"]))
    if robot is None or robot.retired_at is not None:
        raise NotSent("robot_address", final=True)
    try:
        address = opened(keys, robot)
    except DomainError:
        raise NotSent("key", down=True) from None
    text = str(body["text"]) if "text" in body else robot_text(body["centre"], body["counts"])
    return Letter(key, address, "", text)
