"""Whether a phone was on: each minute on, off or unknown, proved by boots and never guessed from silence (R02)."""

from app.uptime.contact_views import JournalSeen, contacts, journals_seen, proved_shares
from app.uptime.dossier import Dossier, Trace
from app.uptime.limits import Limits, limits_of
from app.uptime.pruning import forget_boots, old_boots
from app.uptime.rules import Anomaly, Evidence, State
from app.uptime.ruling import IncidentRuling, MonthRuling, PhoneRuling, rule_phone
from app.uptime.service import (
    AbsorbedJournal,
    BootSeen,
    PowerInterval,
    PowerNow,
    PowerTimeline,
    absorb_journals,
    absorb_readings,
    evidence_lines,
    power_counts,
    power_now,
    timeline,
)
from app.uptime.settling import hold_phone, put_back, put_off, queue_settling, queued_phones, take_due
from app.uptime.spans import holds
from app.uptime.strikes import allowance
from app.uptime.trace import Beat as BeatLine
from app.uptime.trace import Custody as CustodyLine
from app.uptime.trace import CustomerReport as ReportLine
from app.uptime.trace import Decision as DecisionLine
from app.uptime.trace import DialTest as DialLine
from app.uptime.trace import Excuse as ExcuseLine
from app.uptime.trace import Journal as JournalLine
from app.uptime.trace import Line
from app.uptime.trace import Override as PolicyLine
from app.uptime.trace import ProbeFailed as ProbeLine
from app.uptime.trace import Reading as ReadingLine
from app.uptime.writing import as_json

__all__ = [
    "AbsorbedJournal",
    "Anomaly",
    "BeatLine",
    "BootSeen",
    "CustodyLine",
    "DecisionLine",
    "DialLine",
    "Dossier",
    "Evidence",
    "ExcuseLine",
    "IncidentRuling",
    "JournalLine",
    "JournalSeen",
    "Limits",
    "Line",
    "MonthRuling",
    "PhoneRuling",
    "PolicyLine",
    "PowerInterval",
    "PowerNow",
    "PowerTimeline",
    "ProbeLine",
    "ReadingLine",
    "ReportLine",
    "State",
    "Trace",
    "absorb_journals",
    "absorb_readings",
    "allowance",
    "as_json",
    "contacts",
    "evidence_lines",
    "forget_boots",
    "hold_phone",
    "holds",
    "journals_seen",
    "limits_of",
    "old_boots",
    "power_counts",
    "power_now",
    "proved_shares",
    "put_back",
    "put_off",
    "queue_settling",
    "queued_phones",
    "rule_phone",
    "take_due",
    "timeline",
]
