"""What a secret's page shows of the gateway's tries at the phone's lock."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.escrow import lock_store, store
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import lock_orders_of
from app.escrow.lock_rules import ACTIVE, ADVICE, MOST_WRONG, WHAT_WORDS, LockState, words_of
from app.escrow.model import Secret
from app.escrow.rights import FILERS
from app.escrow.rules import SCREEN_LOCK
from app.kernel.tenancy import Principal
from app.people import names_of

_GOOD, _BAD = ("match", "set"), ("mismatch", "not_set", "no_lock", "damaged")


@dataclass(frozen=True)
class LockLine:
    """`badge`: good, bad, unknown, busy, quiet; `advice`: what people should do now, "" for nothing."""

    order: LockOrder
    what: str
    words: str
    badge: str
    advice: str
    asker: str
    may_cancel: bool


@dataclass(frozen=True)
class LockPanel:
    """`busy`: an order has not ended; `may_check`, `may_set`: it can be asked for now, by who looks."""

    secret: Secret
    lines: Sequence[LockLine]
    busy: bool
    may_check: bool
    may_set: bool


def panel(session: Session, principal: Principal, secret_id: uuid.UUID) -> LockPanel | None:
    """None for a secret that no gateway can try. Raise `NotFound`."""
    secret, centre = store.find(session, principal, secret_id)
    if secret.kind != SCREEN_LOCK or secret.handset_id is None:
        return None
    orders = lock_orders_of(session, secret.id)
    people = names_of(session, {order.asked_by for order in orders})
    may = principal.may(centre, *FILERS)
    busy = any(order.state in ACTIVE for order in orders)
    lines = [
        _line(order, people[order.asked_by], may, latest=place == 0) for place, order in enumerate(orders)
    ]
    in_force = secret.in_force is not None
    may = may and lock_store.wrong_tries(session, secret.id, secret.since) < MOST_WRONG
    return LockPanel(
        secret,
        lines,
        busy,
        may and in_force and not busy,
        may and in_force and not busy and secret.pending is not None,
    )


def last_try(session: Session, secret_id: uuid.UUID) -> LockLine | None:
    """The latest order about a phone's lock, for another room's page. Internal, as `lock_orders_of`."""
    for order in lock_orders_of(session, secret_id):
        return _line(order, "", False, latest=True)
    return None


def _line(order: LockOrder, asker: str, may: bool, *, latest: bool) -> LockLine:
    advice = (
        ADVICE.get((order.what, order.outcome or ""), "") if latest and order.state == LockState.DONE else ""
    )
    return LockLine(
        order=order,
        what=WHAT_WORDS[order.what],
        words=words_of(order.state, order.outcome, order.reason),
        badge=_badge(order),
        advice=advice,
        asker=asker,
        may_cancel=may and order.state == LockState.WAITING,
    )


def _badge(order: LockOrder) -> str:
    if order.state in ACTIVE:
        return "busy"
    if order.state == LockState.CANCELLED:
        return "quiet"
    if order.outcome in _GOOD:
        return "good"
    return "bad" if order.outcome in _BAD else "unknown"
