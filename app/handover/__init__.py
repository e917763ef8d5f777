"""The kit changes hands: what was there, in which state, tested how, and who signed for it (R01, R04, U06)."""

from app.handover.completing import AtHand
from app.handover.items import ItemInput, add_photo, save_counts, save_item
from app.handover.life import life_events
from app.handover.model import Handover, HandoverItem, HandoverLeg
from app.handover.reading import items_of
from app.handover.records import (
    LegRecord,
    differences_of,
    last_records,
    open_handovers,
    received_at,
)
from app.handover.rules import (
    CHANGE_WORDS,
    LIABLE,
    Change,
    ChangeKind,
    InCustody,
    ItemState,
    difference,
    labels_of,
    state_words,
)
from app.handover.service import Wanted, start
from app.handover.signing import freeze, sign
from app.handover.store import legs_of

__all__ = [
    "CHANGE_WORDS",
    "LIABLE",
    "AtHand",
    "Change",
    "ChangeKind",
    "Handover",
    "HandoverItem",
    "HandoverLeg",
    "InCustody",
    "ItemInput",
    "ItemState",
    "LegRecord",
    "Wanted",
    "add_photo",
    "difference",
    "differences_of",
    "freeze",
    "items_of",
    "labels_of",
    "last_records",
    "legs_of",
    "life_events",
    "open_handovers",
    "received_at",
    "save_counts",
    "save_item",
    "sign",
    "start",
    "state_words",
]
