"""Transfer: what a phone holds goes to its successor, and is proved to be there, before anything is erased (R06)."""

from app.transfer.hooks import DiscardHook, TransferHook
from app.transfer.life import life_events
from app.transfer.standing import STANDING_WORDS, TransferState, transfer_state

__all__ = ["STANDING_WORDS", "DiscardHook", "TransferHook", "TransferState", "life_events", "transfer_state"]
