"""Whether a phone carries what it must and nothing else (R03): pass, fail or unknown, with reasons."""

from app.compliance.advice import advice_for
from app.compliance.evidence_words import evidence_lines
from app.compliance.exemption_life import life_events
from app.compliance.exemption_rules import covering, grouped
from app.compliance.exemption_rules import end_of as exemption_end
from app.compliance.exemption_service import Asked as ExemptionAsked
from app.compliance.exemption_service import approve as approve_exemption
from app.compliance.exemption_service import ask as ask_exemption
from app.compliance.exemption_store import current as current_exemptions
from app.compliance.finding_rules import Finding, Status, worst
from app.compliance.finding_words import SEVERITY as SEVERITY_WORDS
from app.compliance.finding_words import STATUS as FINDING_STATUS_WORDS
from app.compliance.finding_words import TITLES as FINDING_TITLES
from app.compliance.finding_words import subject_words, title_of
from app.compliance.judging import judge_as
from app.compliance.list_rules import Allowlist, presets_for
from app.compliance.lists import allowlist_for, allowlist_of
from app.compliance.service import changed_since, judge, make_due, rejudge, stale_counts, wanted
from app.compliance.store import Stale
from app.compliance.texts import text_of
from app.compliance.views import (
    FindingView,
    Tally,
    Verdict,
    list_changes,
    list_verdicts,
    tallies,
    verdicts,
)

__all__ = [
    "FINDING_STATUS_WORDS",
    "FINDING_TITLES",
    "SEVERITY_WORDS",
    "Allowlist",
    "ExemptionAsked",
    "Finding",
    "FindingView",
    "Stale",
    "Status",
    "Tally",
    "Verdict",
    "advice_for",
    "allowlist_for",
    "allowlist_of",
    "approve_exemption",
    "ask_exemption",
    "changed_since",
    "covering",
    "current_exemptions",
    "evidence_lines",
    "exemption_end",
    "grouped",
    "judge",
    "judge_as",
    "life_events",
    "list_changes",
    "list_verdicts",
    "make_due",
    "presets_for",
    "rejudge",
    "stale_counts",
    "subject_words",
    "tallies",
    "text_of",
    "title_of",
    "verdicts",
    "wanted",
    "worst",
]
