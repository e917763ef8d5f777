"""Whether a phone carries what it must and nothing else (R03): pass, fail or unknown, with reasons."""

from app.compliance.list_rules import Allowlist
from app.compliance.lists import allowlist_for, allowlist_of
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
    "Allowlist",
    "FindingView",
    "Status",
    "Tally",
    "Verdict",
    "allowlist_for",
    "allowlist_of",
    "judge",
    "list_changes",
    "list_verdicts",
    "rejudge",
    "tallies",
    "verdict_counts",
    "verdicts",
]
