"""Whether a phone carries what it must and nothing else (R03): pass, fail or unknown, with reasons."""

from app.compliance.rules import Status
from app.compliance.service import judge, rejudge
from app.compliance.views import (
    FindingView,
    Tally,
    Verdict,
    list_changes,
    list_verdicts,
    tallies,
    verdict_counts,
    verdicts,
)

__all__ = [
    "FindingView",
    "Status",
    "Tally",
    "Verdict",
    "judge",
    "list_changes",
    "list_verdicts",
    "rejudge",
    "tallies",
    "verdict_counts",
    "verdicts",
]
