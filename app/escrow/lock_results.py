"""What came of an order: an agent's word on it, or that nobody's word came. What is unclear is unknown."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.commands import Command, ResultInput
from app.commands import State as CommandState
from app.escrow import lock_store, store
from app.escrow.filing import confirm
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_to_look
from app.escrow.lock_rules import (
    SET,
    UNKNOWN,
    WHAT_WORDS,
    LockEvent,
    LockState,
    outcome_of,
    tells_of_force,
    words_of,
)
from app.escrow.model import Secret
from app.escrow.sealing import note
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM, Principal
from app.notify import Recipients, tell
from app.readings import AgentRef, dated

_BATCH = 200


def take_lock_word(
    session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
) -> None:
    """An agent's word on a command of ours, after the queue took it."""
    order = lock_store.by_command(session, command.id)
    if order is None or order.state not in (LockState.WAITING, LockState.SENT) or result.state == "running":
        return
    # As the queue keeps it: codes alone, whatever else the agent sent.
    detail = (command.result or {}).get("detail", {})
    if result.state == "not_now":
        reason = detail.get("reason")
        lock_store.move(session, order, LockEvent.POSTPONE, outcome=reason, reason=reason, at=now)
        return
    outcome, reason = outcome_of(order.what, result.state, detail)
    # Never before it was sent, whatever age an agent tells.
    tried_at = max(min(dated(now, result.age_us) or now, now), order.sent_at or now)
    _ended(session, order, LockEvent.ANSWER, outcome, reason, f"agent:{agent.id}", tried_at, now)


def settle_orders(session: Session, now: dt.datetime) -> int:
    """Orders whose command ended without a word of an agent; how many."""
    found = lock_store.left_behind(session, _BATCH)
    for order, command_state in found:
        _settle(session, order, command_state, now)
    return len(found)


def settle_one(session: Session, command: Command, now: dt.datetime) -> None:
    """The order of a command that just ended without a word, if it still waits for one."""
    order = lock_store.by_command(session, command.id)
    if order is not None and order.state in (LockState.WAITING, LockState.SENT):
        _settle(session, order, command.state, now)


def _settle(session: Session, order: LockOrder, command_state: str | None, now: dt.datetime) -> None:
    if command_state == CommandState.CANCELLED and order.state == LockState.WAITING:
        lock_store.move(session, order, LockEvent.CANCEL, at=now)
    elif order.state == LockState.SENT:
        _ended(session, order, LockEvent.END, UNKNOWN, "no_answer", SYSTEM.user, now, now)
    else:
        _ended(session, order, LockEvent.END, _why_not(order), order.reason, SYSTEM.user, now, now)


def _why_not(order: LockOrder) -> str:
    return "plaintext" if order.reason == "plaintext" else "expired"


def _ended(
    session: Session, order: LockOrder, event: LockEvent, outcome: str, reason: str | None, actor: str,
    tried_at: dt.datetime, now: dt.datetime,
) -> None:  # fmt: skip
    # Of a check the instant of the try, which is then that of `Secret.checked_at`: so one finds the other.
    at = now if order.what == SET else tried_at
    lock_store.move(session, order, event, outcome=outcome, reason=reason, at=at)
    secret = store.lock(session, order.secret_id)
    told = {"match": "ok", "set": "ok", "mismatch": "mismatch"}.get(outcome, "refused")
    note(
        session, actor, secret, f"escrow.lock_{order.what}", now, outcome=told, order=str(order.id), told=outcome,
        why=reason or "", version=order.version,
    )  # fmt: skip
    if order.what == SET:
        _take_set(session, order, secret, outcome, actor, now)
    proves = tells_of_force(order.what, outcome, reason)
    # What was tried is the version in force as the order was sent; a set sends it along with the one that waits.
    same = secret.in_force == order.version or (order.what == SET and secret.pending == order.version)
    if proves is not None and same:
        secret.checked_at, secret.matched = at, proves
    _tell_asker(session, order, now)
    session.flush()


def _take_set(
    session: Session, order: LockOrder, secret: Secret, outcome: str, actor: str, now: dt.datetime
) -> None:
    if outcome == "set" and secret.pending == order.version:
        confirm(session, Principal(actor, frozenset({"admin"}), None), secret.id, now=now)
        # The phone itself was asked once more, with the new one.
        secret.checked_at, secret.matched = now, True
    elif outcome in ("set", UNKNOWN):
        ask_to_look(session, secret, now)


def _tell_asker(session: Session, order: LockOrder, now: dt.datetime) -> None:
    asker = parse_id(order.asked_by)
    if asker is None:
        return
    words = words_of(order.state, order.outcome, order.reason)
    tell(
        session, key=f"escrow.lock:{order.id}", kind="secret", centre_id=order.centre_id,
        to=Recipients(users=(uuid.UUID(str(asker)),)), title=f"锁屏密码{WHAT_WORDS[order.what]}：{words}",
        body="详情见密码的页面。", link=f"/escrow/secrets/{order.secret_id}", now=now,
    )  # fmt: skip
