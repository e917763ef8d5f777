"""What an approval and a release bind, as one hash that stands in their events."""

from __future__ import annotations

from app.audit import facts_of, mark_of
from app.wipe.model import Wipe

APPROVED, RELEASED, BY_HAND_BEGUN, VERIFIED = "wipe.approve", "wipe.release", "wipe.guide", "wipe.verify"
_APPROVED = (
    "handset_id", "disposal_id", "centre_id", "strategy", "reason", "destination", "checklist", "asset_tag", "serial",
    "imeis", "brand", "model", "android_id", "requested_by", "requested_at", "approved_by", "approved_at", "second_by",
    "second_at", "waivers", "arms_at", "lapses_at", "policy_version", "policy_sha256",
)  # fmt: skip
_RELEASED = (
    "handset_id", "serial", "imeis", "tries", "done_by", "released_by", "released_at", "imei_typed", "expect",
    "command_id", "proof_photo",
)  # fmt: skip


_VERIFIED = ("handset_id", "released_by", "released_at", "ordered_at", "grade", "verified_by", "verified_at")


def verdict_mark(wipe: Wipe) -> str:
    """Over the second person's word: who said it, when, of which order and grade."""
    return mark_of(facts_of(wipe, _VERIFIED))


def approval_mark(wipe: Wipe) -> str:
    """Over the phone, how and why, who asked and who approved."""
    return mark_of(facts_of(wipe, _APPROVED))


def release_mark(wipe: Wipe) -> str:
    """Over the last release: which command, for which phone, by whom, and what was seen of it then."""
    return mark_of(facts_of(wipe, _RELEASED))
