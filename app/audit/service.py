"""Append to the chain."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.audit import store
from app.audit.model import AuditRow
from app.audit.rules import GENESIS, ChainFields, commit_details, event_hash
from app.kernel.db import to_us

_PENDING = "audit_pending"
_MARKS = "audit_savepoints"


@dataclass(frozen=True)
class AuditEvent:
    """`action` is `room.verb`, `object` is `kind:id`. Details are small, hold no secret, and may be erased later."""

    at: dt.datetime
    actor: str
    action: str
    object: str
    centre_id: uuid.UUID | None = None
    ip: str = ""
    reason: str = ""
    outcome: str = "ok"
    details: dict[str, Any] = field(default_factory=dict)


def record(session: Session, entry: AuditEvent) -> None:
    """Note an event in the action's own transaction. It is written just before the commit, and is gone with a rollback.

    Written at once, the head row would stay locked for as long as the action takes, and all writers would queue on it.
    """
    session.info.setdefault(_PENDING, []).append(entry)


@event.listens_for(Session, "before_commit")
def _append_pending(session: Session) -> None:
    if (
        session.in_nested_transaction()
    ):  # a savepoint's end is no commit: the head would be locked from here on
        return
    pending: list[AuditEvent] = session.info.pop(_PENDING, [])
    if not pending:
        return
    session.flush()
    head = store.locked_head(session, GENESIS)
    for entry in pending:
        row = _row(entry, head.size + 1, head.hash)
        session.add(row)
        head.size, head.hash = row.seq, row.hash
    session.flush()


@event.listens_for(Session, "after_transaction_create")
def _mark_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, WeakKeyDictionary())[transaction] = len(
            session.info.get(_PENDING, [])
        )


@event.listens_for(Session, "after_soft_rollback")
def _forget_pending(session: Session, previous: SessionTransaction) -> None:
    """Forget what was noted since the savepoint that is rolled back, or all with the whole transaction."""
    del session.info.get(_PENDING, [])[session.info.get(_MARKS, {}).get(previous, 0) :]


def _row(entry: AuditEvent, seq: int, previous: bytes) -> AuditRow:
    details = orjson.dumps(entry.details, option=orjson.OPT_SORT_KEYS).decode()
    salt = secrets.token_bytes(16)
    row = AuditRow(
        seq=seq,
        at=entry.at,
        centre_id=entry.centre_id,
        actor=entry.actor,
        ip=entry.ip,
        action=entry.action,
        object=entry.object,
        reason=entry.reason,
        outcome=entry.outcome,
        details=details,
        salt=salt,
        details_commit=commit_details(details, salt),
        prev_hash=previous,
    )
    row.hash = event_hash(chain_fields(row), previous)
    return row


def trail_size(session: Session) -> int:
    """How many events the trail has; what this transaction noted is not among them."""
    head = store.read_head(session)
    return 0 if head is None else head.size


def chain_fields(row: AuditRow) -> ChainFields:
    """What the hash of a stored event covers."""
    return ChainFields(
        seq=row.seq,
        at_us=to_us(row.at),
        centre=str(row.centre_id) if row.centre_id else "",
        actor=row.actor,
        ip=row.ip,
        action=row.action,
        object=row.object,
        reason=row.reason,
        outcome=row.outcome,
        details_commit=row.details_commit,
    )
