"""The kit changes hands: what was there, in which state, tested how, and who signed for it (R01, R04, U06)."""

from app.handover.life import life_events
from app.handover.model import Handover, HandoverLeg
from app.handover.records import (
    LegRecord,
    differences_of,
    last_records,
    open_handovers,
    received_at,
)
from app.handover.rules import CHANGE_WORDS, LIABLE, Change, ChangeKind, InCustody, ItemState, difference

__all__ = [
    "CHANGE_WORDS",
    "LIABLE",
    "Change",
    "ChangeKind",
    "Handover",
    "HandoverLeg",
    "InCustody",
    "ItemState",
    "LegRecord",
    "difference",
    "differences_of",
    "last_records",
    "life_events",
    "open_handovers",
    "received_at",
]
