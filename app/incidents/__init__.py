"""R02's incidents live: ruled from all evidence, decided and appealed by people, counted by the month."""

from app.incidents.model import Incident
from app.incidents.months import MonthMatter, month_matters, month_rulings
from app.incidents.pending import unsettled
from app.incidents.settling import settle_due, settle_phone
from app.incidents.tracing import export_trace, ruled_alike
from app.incidents.views import incidents_of

__all__ = [
    "Incident",
    "MonthMatter",
    "export_trace",
    "incidents_of",
    "month_matters",
    "month_rulings",
    "ruled_alike",
    "settle_due",
    "settle_phone",
    "unsettled",
]
