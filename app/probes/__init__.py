"""Tests of reach: planned at times that nobody foresees, done by gateways in a fair way, weighed when settled."""

from app.probes.journals import JournalNow, journals_now
from app.probes.model import Probe
from app.probes.service import ProbeFact, failed_probes, start_probe, take_result
from app.probes.states import State
from app.probes.views import Finished, finished_probes

__all__ = [
    "Finished",
    "JournalNow",
    "Probe",
    "ProbeFact",
    "State",
    "failed_probes",
    "finished_probes",
    "journals_now",
    "start_probe",
    "take_result",
]
