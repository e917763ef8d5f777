"""What people do with the audit trail: checkpoints that leave the house, searching, exporting, erasing."""

from app.trail.sending import checkpoint_now

__all__ = ["checkpoint_now"]
