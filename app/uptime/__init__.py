"""Whether a phone was on: each minute on, off or unknown, proved by boots and never guessed from silence (R02)."""

from app.uptime.rules import Anomaly, Evidence, State
from app.uptime.service import (
    BootSeen,
    PowerInterval,
    PowerNow,
    PowerTimeline,
    absorb_readings,
    power_counts,
    power_now,
    timeline,
)

__all__ = [
    "Anomaly",
    "BootSeen",
    "Evidence",
    "PowerInterval",
    "PowerNow",
    "PowerTimeline",
    "State",
    "absorb_readings",
    "power_counts",
    "power_now",
    "timeline",
]
