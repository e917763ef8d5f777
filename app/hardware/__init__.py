"""R05: damage and loss, replacement, deduction from wages, and which phones wait to be destroyed."""

from app.hardware.comparing import Compared, Specification, overall, specification_table
from app.hardware.disposing import (
    cancel_disposal,
    disposals,
    finish_disposal,
    is_lost,
    order_disposal,
    out_of_use,
    waiting_of,
)
from app.hardware.judging import Finding, judge
from app.hardware.life import life_events
from app.hardware.lives import service_life, specification_of
from app.hardware.model import Disposal, HardwareCase
from app.hardware.reporting import Report, report, state_view
from app.hardware.rules import Life
from app.hardware.tools import Tools

__all__ = [
    "Compared",
    "Disposal",
    "Finding",
    "HardwareCase",
    "Life",
    "Report",
    "Specification",
    "Tools",
    "cancel_disposal",
    "disposals",
    "finish_disposal",
    "is_lost",
    "judge",
    "life_events",
    "order_disposal",
    "out_of_use",
    "overall",
    "report",
    "service_life",
    "specification_of",
    "specification_table",
    "state_view",
    "waiting_of",
]
