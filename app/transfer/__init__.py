"""Transfer: what a phone holds goes to its successor, and is proved to be there, before anything is erased (R06)."""

from app.transfer.hooks import DiscardHook, StopHook, TransferHook
from app.transfer.life import life_events
from app.transfer.opening import Wanted, open_transfer
from app.transfer.standing import STANDING_WORDS, TransferState, transfer_state
from app.transfer.tools import Tools

__all__ = [
    "STANDING_WORDS",
    "DiscardHook",
    "StopHook",
    "Tools",
    "TransferHook",
    "TransferState",
    "Wanted",
    "life_events",
    "open_transfer",
    "transfer_state",
]
