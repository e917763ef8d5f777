"""What of a transfer is bound to the audit trail: the event that settles it holds a hash over all of this."""

from __future__ import annotations

from collections.abc import Mapping

from app.audit import facts_of, mark_of
from app.transfer.model import Transfer
from app.transfer.states import State

SETTLED_BY: Mapping[str, str] = {
    State.VERIFIED: "transfer.verify",
    State.ACCEPTED: "transfer.accept",
    State.WAIVED: "transfer.waive",
}
_FACTS = (
    "centre_id", "old_id", "new_id", "old_serial", "new_serial", "reason", "state", "opened_by", "opened_at", "parts",
    "runs", "run_by", "command_id", "agent_id", "result", "result_at", "verdict", "manifest_command",
    "manifest_sha256", "manifest_entries", "data_reason", "data_accepted_by", "data_accepted_at", "wechat_reason",
    "wechat_accepted_by", "wechat_accepted_at", "waive_reason", "waive_asked_by", "waive_asked_at", "waived_by",
    "ended_at", "ended_by",
)  # fmt: skip


def settled_mark(row: Transfer) -> str:
    """Over everything that the settling rests on; what happens to the copy later is no part of it."""
    return mark_of(facts_of(row, _FACTS))
