"""Transfer: what a phone holds goes to its successor, and is proved to be there, before anything is erased (R06)."""

from app.transfer.standing import TransferState, transfer_state

__all__ = ["TransferState", "transfer_state"]
