"""A case that comes of a handover: what differs from the record before, and in whose custody that came about (R04)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.handover import CHANGE_WORDS, LIABLE, Change, HandoverLeg, differences_of, labels_of, state_words
from app.hardware import store
from app.hardware.answering import Answers, span
from app.hardware.model import HardwareCase
from app.kernel.clock import to_rfc3339
from app.kernel.tenancy import Principal
from app.kernel.texts import wrong
from app.policy import PolicyFiles, effective


def liable_changes(
    session: Session, principal: Principal, leg_id: uuid.UUID, handset_id: uuid.UUID
) -> list[Change]:
    """What somebody may have to answer for. Raise `NotFound` for a leg that the caller may not see; empty for one of
    another phone's kit, whose holder has nothing to do with this one, and for one that is not signed yet.
    """
    changes = differences_of(session, principal, leg_id)
    if session.get_one(HandoverLeg, leg_id).completed_at is None:
        return []
    own = f"handset:{handset_id}"
    if not any(change.key == own for change in changes):
        return []
    # A post may have two phones: what became of the other one is a case of its own.
    return [
        change
        for change in changes
        if change.kind in LIABLE and (change.key == own or not change.key.startswith("handset:"))
    ]


def condition_labels(session: Session, policies: PolicyFiles, centre_id: uuid.UUID) -> Mapping[str, str]:
    """How a centre's handovers call the state of a thing, by code."""
    return labels_of(effective(session, policies, "handover", centre_id).body)


def plain(change: Change, labels: Mapping[str, str]) -> dict[str, Any]:
    """As it stands in the case, in the words of the handover."""
    return {
        "key": change.key, "name": change.name, "kind": CHANGE_WORDS[change.kind],
        "before": state_words(change.before, labels), "after": state_words(change.after, labels),
        "custody": change.in_custody_of.name if change.in_custody_of else "", "since": _since(change),
    }  # fmt: skip


def _since(change: Change) -> str:
    return to_rfc3339(change.in_custody_of.since) if change.in_custody_of else ""


def reported(session: Session, handset_id: uuid.UUID, changes: Sequence[Change]) -> dict[str, HardwareCase]:
    """The case in which each of these changes was reported before, by its key: nobody pays twice for one crack.

    A correction tells of the same changes again, so that a change is known by the custody that it came about in.
    """
    wanted = {(change.key, _since(change)) for change in changes}
    return {
        item["key"]: case
        for case in store.from_handovers(session, handset_id)
        for item in case.items
        if (item["key"], item.get("since", "")) in wanted
    }


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
