"""What the escrow found out since the opening decides items: whoever checked, by typing or on the phone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.credchecks import kit_store, store
from app.credchecks.cases import found_right, found_wrong
from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.opening import states_of
from app.credchecks.rules import SECRET, decided_by_check
from app.credchecks.states import ITEM_NEXT, Item, ItemEvent
from app.credchecks.telling import ask_to_file, filed, waiver_settled
from app.credchecks.tools import Tools
from app.escrow import SecretState, lock_orders_of, touched_since
from app.people import user_of_employee
from app.policy import effective

_BATCH, _IN_TURN = 50, 2
_LATE = dt.timedelta(minutes=1)
"""A check is dated as its request begins, and seen once that has committed."""
_SYSTEM = "system"
_TRIED = ("match", "mismatch", "set", "not_set")


def settle_open(session: Session, tools: Tools, now: dt.datetime) -> int:
    """As `settle`, for the open rounds of which the escrow knows more since they were looked at, and for those that
    were looked at longest ago (what was retired, what policy says by now); how many items changed.

    A round of 100 kits takes a tenth of a second to look at: all of them each minute would hold other writers up.
    """
    rows = store.to_settle(session)
    if not rows:
        return 0
    touched = touched_since(session, rows[0].settled_at - _LATE)
    parts = store.rounds_with(session, list(touched))
    told = {
        row.id
        for row in rows
        if any(touched[part] >= row.settled_at - _LATE for part in parts.get(row.id, ()))
    }
    due = [row for number, row in enumerate(rows) if number < _IN_TURN or row.id in told]
    return sum(settle(session, row, tools, now) for row in due[:_BATCH])


def settle(session: Session, row: CheckRound, tools: Tools, now: dt.datetime) -> int:
    """Bring an open round's items up to what is known; how many changed. Internal: the caller locked the round."""
    items = store.items(session, row.id)
    secrets = [item for item in items if item.area == SECRET]
    known = states_of(session, tools.policies, secrets, now)
    changed = _retire(session, row, items, now)
    case_kinds = effective(session, tools.policies, "credchecks", row.centre_id).body["case_kinds"]
    for item in secrets:
        state = known.get((item.subject_id, item.kind))
        if state is not None:
            changed += _settle(session, row, item, state, case_kinds, now)
    row.settled_at = now
    session.flush()
    return changed


def _retire(session: Session, row: CheckRound, items: Sequence[CheckItem], now: dt.datetime) -> int:
    """Nobody can check what is retired, or another centre's by now."""
    ids: dict[str, set[uuid.UUID]] = defaultdict(set)
    for item in items:
        ids[item.of].add(item.subject_id)
    gone = {part for of, parts in ids.items() for part in kit_store.gone(session, of, parts, row.centre_id)}
    left = [i for i in items if i.subject_id in gone and (i.state, ItemEvent.RETIRE) in ITEM_NEXT]
    for item in left:
        store.move_item(
            session,
            item,
            ItemEvent.RETIRE,
            at=now,
            by=_SYSTEM,
            source="system",
            reason="已停用或已调出本服务中心",
        )
        waiver_settled(session, item, "已停用", _SYSTEM, now)
        filed(session, item, now)
    return len(left)


def _settle(
    session: Session, row: CheckRound, item: CheckItem, state: SecretState, case_kinds: Sequence[str],
    now: dt.datetime,
) -> int:  # fmt: skip
    changed = 0
    if item.state == Item.UNFILED and state.filed:
        store.move_item(session, item, ItemEvent.FILE, at=now, by=_SYSTEM, source="system", reason="")
        filed(session, item, now)
        changed = 1
    if (
        item.state == Item.MISMATCH
        and item.checked_at
        and state.filed_at
        and state.filed_at > item.checked_at
    ):
        filed(session, item, now)
    event = decided_by_check(row.opened_at, item.checked_at, state.checked_at, state.matched)
    if event is None or state.id is None or state.checked_at is None:
        return changed
    by, source = _checker(session, state.id, state.checked_at)
    if source == "typed" and _is_holder(session, item, by, state.checked_at):
        return changed
    before = Item(item.state)
    store.move_item(
        session,
        item,
        event,
        at=state.checked_at,
        by=by,
        source=source,
        reason="",
        checked_at=state.checked_at,
    )
    if before is Item.WAIVING:
        waiver_settled(session, item, "已核对", by, now)
    if event is ItemEvent.MISMATCH:
        if item.kind in case_kinds:
            found_wrong(session, item, state, now)
        ask_to_file(session, row, item, now)
    else:
        found_right(session, state, now)
        filed(session, item, now)
    return 1


def _checker(session: Session, secret_id: uuid.UUID, at: dt.datetime) -> tuple[str, str]:
    """Who checked at that instant, and how: `phone` for a gateway's try, at the asking of somebody."""
    typed = kit_store.who_checked(session, secret_id, at)
    if typed is not None:
        return typed, "typed"
    for order in lock_orders_of(session, secret_id):
        if order.outcome in _TRIED and order.at is not None and order.asked_at <= at <= order.at:
            return order.asked_by, "phone"
    return _SYSTEM, "system"


def _is_holder(session: Session, item: CheckItem, actor: str, at: dt.datetime) -> bool:
    """His own word about his own kit is no check (R07): he who has it knows the password anyhow."""
    held = kit_store.holders_of_posts(session, [item.post_id], at).get(item.post_id)
    holder_id = held.id if held is not None else item.holder_id
    return holder_id is not None and str(user_of_employee(session, holder_id)) == actor


def known_secret(session: Session, item: CheckItem, tools: Tools, now: dt.datetime) -> SecretState | None:
    """What the escrow says of one item's password; None for a profile, and for a kind that policy no longer has."""
    if item.area != SECRET:
        return None
    found: Mapping[tuple[uuid.UUID, str], SecretState] = states_of(session, tools.policies, [item], now)
    return found.get((item.subject_id, item.kind))
