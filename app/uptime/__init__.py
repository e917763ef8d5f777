"""Whether a phone was on: each minute on, off or unknown, proved by boots and never guessed from silence (R02)."""

from app.uptime.rules import Anomaly, Evidence, State
from app.uptime.service import (
    AbsorbedJournal,
    BootSeen,
    PowerInterval,
    PowerNow,
    PowerTimeline,
    absorb_journals,
    absorb_readings,
    power_counts,
    power_now,
    timeline,
)
from app.uptime.settling import queue_settling

__all__ = [
    "AbsorbedJournal",
    "Anomaly",
    "BootSeen",
    "Evidence",
    "PowerInterval",
    "PowerNow",
    "PowerTimeline",
    "State",
    "absorb_journals",
    "absorb_readings",
    "power_counts",
    "power_now",
    "queue_settling",
    "timeline",
]
