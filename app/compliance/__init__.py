"""Whether a phone carries what it must and nothing else (R03): pass, fail or unknown, with reasons."""

from app.compliance.exemption_rules import covering, grouped
from app.compliance.exemption_store import current as current_exemptions
from app.compliance.list_rules import Allowlist
from app.compliance.lists import allowlist_for, allowlist_of
from app.compliance.rules import Status
from app.compliance.service import changed_since, judge, make_due, rejudge
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
    "changed_since",
    "covering",
    "current_exemptions",
    "grouped",
    "judge",
    "list_changes",
    "list_verdicts",
    "make_due",
    "rejudge",
    "tallies",
    "verdict_counts",
    "verdicts",
]
