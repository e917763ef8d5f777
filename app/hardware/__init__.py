"""R05: damage and loss, replacement, deduction from wages, and which phones wait to be destroyed."""

from app.hardware.comparing import Compared, Specification, overall, specification_table
from app.hardware.disposing import cancel_disposal, disposals, order_disposal, waiting_of
from app.hardware.life import life_events
from app.hardware.lives import service_life, specification_of
from app.hardware.model import Disposal
from app.hardware.rules import Life

__all__ = [
    "Compared",
    "Disposal",
    "Life",
    "Specification",
    "cancel_disposal",
    "disposals",
    "life_events",
    "order_disposal",
    "overall",
    "service_life",
    "specification_of",
    "specification_table",
    "waiting_of",
]
