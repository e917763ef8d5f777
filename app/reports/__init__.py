"""Customers' reports (R02): a public form behind a code of each post, judged by staff before it is evidence."""

from app.reports.code_service import make_missing, report_code
from app.reports.intake_service import receive, take_reports
from app.reports.service import confirm, report_facts
from app.reports.views import list_reports

__all__ = [
    "confirm",
    "list_reports",
    "make_missing",
    "receive",
    "report_code",
    "report_facts",
    "take_reports",
]
