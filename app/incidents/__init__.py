"""R02's incidents live: ruled from all evidence, decided and appealed by people, counted by the month."""

from app.incidents.model import Incident
from app.incidents.months import MonthMatter, OwnMonth, month_matters, month_rulings, own_month
from app.incidents.pending import unsettled
from app.incidents.settling import settle_due, settle_phone
from app.incidents.tracing import export_trace, ruled_alike
from app.incidents.views import incidents_of, open_figures
from app.incidents.words import STATUS as STATUS_WORDS
from app.incidents.words import STATUS_KIND as STATUS_KINDS

__all__ = [
    "STATUS_KINDS",
    "STATUS_WORDS",
    "Incident",
    "MonthMatter",
    "OwnMonth",
    "export_trace",
    "incidents_of",
    "month_matters",
    "month_rulings",
    "open_figures",
    "own_month",
    "ruled_alike",
    "settle_due",
    "settle_phone",
    "unsettled",
]
