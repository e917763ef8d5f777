"""What time brings: a new phone that did not come, a month that finance has yet to confirm."""

from __future__ import annotations

from app.hardware.reminding import ask_for_months, ask_for_overdue
from app.kernel.jobs import Job

JOBS = (
    Job(name="hardware_overdue", every_s=3600, run=ask_for_overdue),
    Job(name="hardware_instalments", every_s=3600, run=ask_for_months),
)
