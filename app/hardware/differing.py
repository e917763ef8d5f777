"""A case that comes of a handover: what differs from the record before, and in whose custody that came about (R04)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.handover import CHANGE_WORDS, LIABLE, Change, ItemState, differences_of
from app.hardware.answering import Answers, span
from app.hardware.tools import wrong
from app.kernel.tenancy import Principal


def liable_changes(
    session: Session, principal: Principal, leg_id: uuid.UUID, handset_id: uuid.UUID
) -> list[Change]:
    """What somebody may have to answer for. Raise `NotFound` for a leg that the caller may not see; empty for one of
    another phone's kit, whose holder has nothing to do with this one.
    """
    changes = differences_of(session, principal, leg_id)
    if not any(change.key == f"handset:{handset_id}" for change in changes):
        return []
    return [change for change in changes if change.kind in LIABLE]


def plain(change: Change) -> dict[str, Any]:
    """As it stands in the case."""
    return {
        "key": change.key, "name": change.name, "kind": CHANGE_WORDS[change.kind],
        "before": _told(change.before), "after": _told(change.after),
        "custody": change.in_custody_of.name if change.in_custody_of else "",
    }  # fmt: skip


def _told(item: ItemState | None) -> str:
    if item is None or item.present is None:
        return "没有记录"
    return f"{item.condition}　{item.words}".strip("　") if item.present else "不在场"


def answers_of(changes: Sequence[Change], post_id: uuid.UUID | None) -> Answers:
    """Who had the kit when these changes came about. Raise `Invalid` when that were several: a case each."""
    found = {change.in_custody_of for change in changes}
    if len(found) != 1:
        raise wrong("items", "这些变化发生在不同人的保管期间，请分开登记 / of several persons: one case each")
    custody = found.pop()
    if custody is None or custody.employee_id is None:
        return Answers(None, "", post_id, "交接记录说不出在谁的保管期间发生")
    why = f"交接差异：发生在 {custody.name} 保管期间（{span(custody.since, custody.until)}）"
    return Answers(custody.employee_id, custody.name, post_id, why)
