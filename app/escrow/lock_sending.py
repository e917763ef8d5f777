"""What leaves the server for a phone's screen lock: sealed to one agent, for one command, when that is leased."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from agent.wire import DANGER_PURPOSE, PurposeKey, tell_key
from app.commands import Leased, give_up
from app.escrow import lock_store, store
from app.escrow.lock_model import LockOrder
from app.escrow.lock_rules import CHECK, LockEvent
from app.escrow.model import Secret
from app.escrow.rules import SCREEN_LOCK
from app.escrow.sealing import (
    FILED,
    Tampered,
    mark_of,
    note,
    open_escrow,
    open_record,
    open_version,
    tampered_event,
)
from app.escrow.vault import Opened, Vault
from app.kernel.errors import Conflict, Unavailable
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef


def can_send(session: Session, vault: Vault) -> Opened | None:
    """The keyring while the escrow is open; None while it is not: then such commands stay where they are."""
    try:
        return open_escrow(session, vault)
    except Unavailable:
        return None


def danger_key(opened: Opened, agent: AgentRef, keys: KeyStore) -> PurposeKey:
    """The public half of the key that signs dangerous commands, vouched for by the key which the agent has pinned."""
    public = opened.danger.public_key().public_bytes_raw()
    return tell_key(DANGER_PURPOSE, public, str(agent.id), keys.signer("agent-reads"))


def lock_texts(
    session: Session, opened: Opened, leased: Leased, agent: AgentRef, now: dt.datetime
) -> dict[str, str] | None:
    """The texts of a leased order, for that agent alone. None: it must not be sent, and was ended.

    Nothing of it is kept: lost on its way, it is made anew for the same agent.
    """
    order = lock_store.by_command(session, leased.id)
    if order is None:
        give_up(session, leased.id, "no order", now)
        return None
    secret = store.lock(session, order.secret_id)
    wanted = secret.in_force if order.what == CHECK else secret.pending
    if wanted != order.version or secret.in_force is None:
        _end(session, order, secret, "stale", now)
        return None
    try:
        texts = _texts(session, opened, secret, order)
    except Tampered as exc:
        tampered_event(session, exc, SYSTEM.user, now)
        _end(session, order, secret, "damaged", now)
        return None
    except (Unavailable, Conflict):
        _end(session, order, secret, "damaged", now)
        return None
    lock_store.move(session, order, LockEvent.SEND, sent_at=now)
    note(
        session, SYSTEM.user, secret, f"escrow.lock_{order.what}_send", now, order=str(order.id), agent=str(agent.id),
        version=order.version,
    )  # fmt: skip
    return texts


def lock_for_wipe(
    session: Session, opened: Opened, handset_id: uuid.UUID, agent: AgentRef, wipe_id: uuid.UUID,
    now: dt.datetime,
) -> str | None:  # fmt: skip
    """The phone's screen lock in force, for an order that erases it; None when none is filed. The trail says so.

    Raise `Unavailable` for a record that is not what was filed (noted), or whose key is gone. Internal.
    """
    secret = store.secret_for(session, "handset", handset_id, SCREEN_LOCK)
    if secret is None or secret.in_force is None:
        return None
    try:
        text = open_version(session, opened, secret, secret.in_force)
    except Tampered as exc:
        tampered_event(session, exc, SYSTEM.user, now)
        raise
    note(
        session, SYSTEM.user, secret, "escrow.lock_wipe_send", now, wipe=str(wipe_id), agent=str(agent.id),
        version=secret.in_force,
    )  # fmt: skip
    return text


def _texts(session: Session, opened: Opened, secret: Secret, order: LockOrder) -> dict[str, str]:
    assert secret.in_force is not None
    texts = {"old": open_version(session, opened, secret, secret.in_force)}
    if order.what != CHECK:
        row = store.version(session, secret.id, order.version)
        texts["new"] = open_record(opened, secret, row)
        # As for one in force: what goes onto the phone is, by the audit trail, the record that was filed last.
        if store.audited(session, secret.id, FILED) != mark_of(row):
            raise Tampered(row, "replayed")
    return texts


def _end(session: Session, order: LockOrder, secret: Secret, outcome: str, now: dt.datetime) -> None:
    lock_store.move(session, order, LockEvent.END, outcome=outcome, reason=None, at=now)
    give_up(session, order.command_id, outcome, now)
    note(
        session, SYSTEM.user, secret, f"escrow.lock_{order.what}", now, outcome="refused", order=str(order.id),
        told=outcome,
    )  # fmt: skip
