"""Tests of reach: planned at times that nobody foresees, done by gateways in a fair way, weighed when settled."""

from app.probes.journals import JournalNow, journals_now
from app.probes.model import Probe
from app.probes.service import ProbeFact, failed_probes, start_probe, take_result
from app.probes.states import State
from app.probes.views import Finished, finished_probes
from app.probes.words import JOURNAL as JOURNAL_WORDS
from app.probes.words import STATE as STATE_WORDS

__all__ = [
    "JOURNAL_WORDS",
    "STATE_WORDS",
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
